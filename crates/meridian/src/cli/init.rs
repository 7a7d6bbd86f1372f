//! `meridian init`: everything that the nodes of a real cluster need, one directory per Region to copy to its machine.

use super::cluster::{ClusterEndpoint, ClusterFile};
use super::{Failure, output};
use crate::config::{self, NodeTemplate, Role, quote, raft_timing_ms};
use crate::files;
use crate::pki::{self, Authority};
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use clap::Args;
use kms_types::{AccountId, RegionName};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Make certificates, root keys and configuration for a cluster on real machines.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian init --out prod --cluster-id prod --account 111122223333 \\
      --region us-east-1=kms-use1.example.net --region eu-west-1=kms-euw1.example.net \\
      --region ap-southeast-1=kms-apse1.example.net
  meridian init --out two --cluster-id two --account 111122223333 \\
      --region us-east-1=10.0.0.1 --region eu-west-1=10.1.0.1 --witness eu-north-1=10.2.0.1

Then copy DIR/<region> to each machine, run `meridian node --config node.toml` there, and operate the
cluster with `meridian status --cluster DIR/cluster.toml`. Keep DIR/ca offline: its key can make a
certificate for anybody. Back up each root.key apart from the data: without it, a Region's keys cannot be
opened again.")]
pub(crate) struct InitArgs {
    /// Directory to write to; must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the cluster: 1 to 64 characters of a-z, 0-9 and -.
    #[arg(long, value_name = "NAME")]
    cluster_id: String,
    /// Account of the first administrator: 12 digits.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// A Region and the host under which the others reach it; repeat per Region. The first one founds the cluster.
    #[arg(long = "region", value_name = "REGION=HOST", required = true, value_parser = member)]
    regions: Vec<(RegionName, String)>,
    /// A member that only votes and holds no keys, for two Regions.
    #[arg(long = "witness", value_name = "REGION=HOST", value_parser = member)]
    witnesses: Vec<(RegionName, String)>,
    /// Port of the AWS KMS API (HTTPS).
    #[arg(long, value_name = "PORT", default_value_t = 8710)]
    api_port: u16,
    /// Port of the gRPC services.
    #[arg(long, value_name = "PORT", default_value_t = 8720)]
    grpc_port: u16,
    /// Port of metrics and health, on loopback.
    #[arg(long, value_name = "PORT", default_value_t = 8730)]
    ops_port: u16,
    /// One-way latency between Regions in milliseconds; election timeouts are multiples of it.
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    latency: u64,
}

pub(crate) fn run(args: InitArgs) -> anyhow::Result<()> {
    let members = write(&args)?;
    report(&args, &members);
    Ok(())
}

/// Writes everything and returns the members.
pub(super) fn write(args: &InitArgs) -> anyhow::Result<Vec<Member>> {
    let members = members(args)?;
    AccountId::parse(&args.account).map_err(|_invalid| Failure::usage("--account must be 12 digits"))?;
    let shaped = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if !(1..=64).contains(&args.cluster_id.len()) || !args.cluster_id.bytes().all(shaped) {
        return Err(Failure::usage("--cluster-id must be 1 to 64 characters of a-z, 0-9 and -").into());
    }
    files::create_private_directory(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    ensure!(std::fs::read_dir(&args.out)?.next().is_none(), "{} is not empty", args.out.display());

    let ca_directory = args.out.join("ca");
    files::create_private_directory(&ca_directory)?;
    let authority = Authority::create(&args.cluster_id, &ca_directory)?;
    let principals = principals(&args.account)?;
    for (index, member) in members.iter().enumerate() {
        write_member(args, &authority, &principals, &members, index, member)?;
    }
    authority.issue_operator()?.write(&args.out, "operator")?;
    write_cluster_file(args, &members)?;
    Ok(members)
}

/// A member of the new cluster.
#[derive(Debug)]
pub(super) struct Member {
    region: RegionName,
    host: String,
    role: Role,
}

fn members(args: &InitArgs) -> anyhow::Result<Vec<Member>> {
    let with = |role: Role| {
        move |(region, host): &(RegionName, String)| Member { region: region.clone(), host: host.clone(), role }
    };
    let regions = args.regions.iter().map(with(Role::Region));
    let members: Vec<Member> = regions.chain(args.witnesses.iter().map(with(Role::Witness))).collect();
    for (index, member) in members.iter().enumerate() {
        if members.iter().take(index).any(|other| other.region == member.region) {
            return Err(Failure::usage(format!("{} is named twice", member.region)).into());
        }
    }
    Ok(members)
}

fn write_member(
    args: &InitArgs,
    authority: &Authority,
    principals: &str,
    members: &[Member],
    index: usize,
    member: &Member,
) -> anyhow::Result<()> {
    let directory = args.out.join(member.region.as_str());
    files::create_private_directory(&directory)?;
    files::replace(&directory.join(pki::CA_CERTIFICATE), authority.certificate_pem().as_bytes(), 0o644)?;
    authority.issue_region(&member.region, std::slice::from_ref(&member.host))?.write(&directory, "node")?;
    config::create_root_key(&directory.join("root.key"))?;
    files::create_private(&directory.join("principals.toml"), principals.as_bytes())?;
    let peers: Vec<_> = (1_u64..)
        .zip(members)
        .map(|(id, member)| (member.region.clone(), id, address(&member.host, args.grpc_port), member.role))
        .collect();
    let anywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let template = NodeTemplate {
        region: &member.region,
        cluster_id: &args.cluster_id,
        node_id: u64::try_from(index)? + 1,
        bootstrap: index == 0,
        data_dir: "data",
        api_listen: anywhere(args.api_port),
        api_tls: Some(("node.pem", "node-key.pem")),
        grpc_listen: anywhere(args.grpc_port),
        ops_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.ops_port)),
        tls: [pki::CA_CERTIFICATE, "node.pem", "node-key.pem"],
        root_key_file: "root.key",
        principals_file: "principals.toml",
        attestation_roots: &[],
        day_length: None,
        identity_lease: None,
        quotas: &[],
        checkpoint_interval: None,
        otlp_endpoint: None,
        raft_ms: raft_timing_ms(args.latency),
        log_format: "json",
        peers: &peers,
    };
    files::replace(&directory.join("node.toml"), template.render().as_bytes(), 0o600)?;
    Ok(())
}

/// One administrator with drawn credentials, the same in every Region.
fn principals(account: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut secret = Zeroizing::new([0_u8; 30]);
    getrandom::fill(secret.as_mut_slice()).context("no random bytes")?;
    let mut id = [0_u8; 6];
    getrandom::fill(&mut id).context("no random bytes")?;
    let secret = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(secret.as_slice()));
    Ok(Zeroizing::new(format!(
        "# Who may call this Region. Keep it the same in every Region.\n[[principal]]\n\
         access_key = {}\nsecret_key = {}\n\
         arn = {}\naccount = {}\nadministrator = true\n",
        quote(&format!("MERIDIAN{}", hex::encode_upper(id))),
        quote(&secret),
        quote(&format!("arn:aws:iam::{account}:user/administrator")),
        quote(account),
    )))
}

fn write_cluster_file(args: &InitArgs, members: &[Member]) -> anyhow::Result<()> {
    let endpoint = |member: &Member| ClusterEndpoint {
        region: member.region.to_string(),
        grpc: address(&member.host, args.grpc_port),
    };
    let file = ClusterFile {
        cluster_id: args.cluster_id.clone(),
        ca: Path::new("ca").join(pki::CA_CERTIFICATE),
        cert: "operator.pem".into(),
        key: "operator-key.pem".into(),
        endpoints: members.iter().map(endpoint).collect(),
    };
    files::replace(&args.out.join("cluster.toml"), toml::to_string(&file)?.as_bytes(), 0o600)?;
    Ok(())
}

fn report(args: &InitArgs, members: &[Member]) {
    let out = args.out.display();
    let rows = members.iter().map(|member| {
        let role = match member.role {
            Role::Region => "Region",
            Role::Witness => "witness",
        };
        let copy = format!("{out}/{}", member.region);
        vec![member.region.to_string(), role.to_owned(), address(&member.host, args.grpc_port), copy]
    });
    output::line(output::table(&["REGION", "ROLE", "PEER ADDRESS", "COPY TO ITS MACHINE"], rows));
    output::line(format_args!(
        "\nOn each machine   meridian node --config node.toml\n\
         From here         meridian status --cluster {out}/cluster.toml\n\
         AWS tools         AWS_CA_BUNDLE={out}/ca/ca.pem AWS_ENDPOINT_URL=https://HOST:{}\n\
         Credentials       {out}/REGION/principals.toml",
        args.api_port,
    ));
}

fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn member(value: &str) -> Result<(RegionName, String), String> {
    let (region, host) = value.split_once('=').ok_or("must be REGION=HOST, such as eu-west-1=10.1.0.1")?;
    let region =
        RegionName::parse(region).map_err(|_invalid| format!("`{region}` is not a Region name such as eu-west-1"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if host.is_empty() || !host.chars().all(plain) || (host.contains(':') && host.parse::<Ipv6>().is_err()) {
        return Err(format!("`{host}` is not a host name or address (ports are given by --grpc-port)"));
    }
    Ok((region, host.to_owned()))
}

type Ipv6 = std::net::Ipv6Addr;
