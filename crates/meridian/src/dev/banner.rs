//! What `meridian dev` prints when the cluster is ready.

use super::runtime_file::RuntimeFile;
use crate::cli::output;
use crate::config::load_principals;
use std::time::Duration;

/// Prints endpoints, credentials, and what to try.
///
/// # Errors
/// Fails when the principals file has become unreadable.
pub(super) fn print(cluster: &RuntimeFile, took: Duration) -> anyhow::Result<()> {
    let rows = cluster.regions.iter().map(|region| {
        vec![
            region.region.clone(),
            format!("http://{}", region.api),
            region.grpc.clone(),
            format!("http://{}", region.ops),
        ]
    });
    let base = cluster.front_door.rsplit(':').next().unwrap_or_default();
    let port = if base == super::ports::DEFAULT_BASE.to_string() { String::new() } else { format!(" --port {base}") };
    let regions: Vec<&str> = cluster.regions.iter().map(|region| region.region.as_str()).collect();
    let first = regions.first().copied().unwrap_or_default();
    let last = regions.last().copied().unwrap_or_default();
    output::line(format_args!(
        "Meridian development cluster {} in {}\n",
        cluster.cluster_id,
        cluster.data_dir.display()
    ));
    output::line(format_args!("All Regions  {}\n", cluster.front_door));
    output::line(output::table(&["REGION", "KMS API", "GRPC", "OPERATIONS"], rows));
    output::line(credentials(cluster)?);
    output::line(format_args!(
        "\nTry\n  eval \"$(meridian dev env{port})\"\n  aws kms create-key --multi-region --region {first}\n  \
         meridian chaos kill {first}{port} && meridian status{port}\n  \
         meridian promote KEY --to {last}{port}\n"
    ));
    output::line(format_args!("Ready in {} ms. Ctrl-C ends all Regions.", took.as_millis()));
    Ok(())
}

/// The development secret is no secret, and people need it; a file of one's own is only named.
fn credentials(cluster: &RuntimeFile) -> anyhow::Result<String> {
    let own = cluster.principals_file.starts_with(&cluster.data_dir);
    let principals = load_principals(&cluster.principals_file)?;
    Ok(match principals.iter().find(|principal| own && principal.access_key == super::data_dir::ACCESS_KEY) {
        Some(principal) => format!(
            "\nCredentials  access key {}  secret key {}  account {}\n             {} (administrator)",
            principal.access_key,
            principal.secret_key.expose(),
            principal.account,
            principal.arn,
        ),
        None => format!("\nCredentials  {}", cluster.principals_file.display()),
    })
}
