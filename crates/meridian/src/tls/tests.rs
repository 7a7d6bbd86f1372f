//! Claims about certificates and mutual TLS, with real sockets.

use super::identity::IdentityError;
use super::incoming::Incoming;
use super::*;
use crate::pki::Authority;
use futures::StreamExt as _;
use kms_types::RegionName;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected as _;

const DEADLINE: Duration = Duration::from_secs(10);

/// A cluster's authority with certificates in a directory of its own.
struct Cluster {
    directory: tempfile::TempDir,
    authority: Authority,
}

impl Cluster {
    fn new(cluster_id: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::create(cluster_id, directory.path()).unwrap();
        authority.issue_region(&region("us-east-1"), &[]).unwrap().write(directory.path(), "us-east-1").unwrap();
        authority.issue_region(&region("eu-west-1"), &[]).unwrap().write(directory.path(), "eu-west-1").unwrap();
        authority.issue_operator().unwrap().write(directory.path(), "operator").unwrap();
        authority.issue_principal("app").unwrap().write(directory.path(), "app").unwrap();
        Self { directory, authority }
    }

    fn credentials(&self, name: &str) -> Credentials {
        let file = |name: String| self.directory.path().join(name);
        let files = TlsFiles {
            ca: file("ca.pem".to_owned()),
            cert: file(format!("{name}.pem")),
            key: file(format!("{name}-key.pem")),
        };
        Credentials::load(&files).unwrap()
    }

    async fn listen(&self, name: &str, shutdown: &CancellationToken) -> (std::net::SocketAddr, Incoming) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = IncomingSettings {
            cluster_id: "one".to_owned(),
            handshakes_max: 4,
            connections_max: 8,
            handshake_timeout: Duration::from_millis(300),
        };
        let config = self.credentials(name).server_config().unwrap();
        (address, incoming(listener, config, settings, shutdown.clone()))
    }
}

fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

/// Connects and waits for the server's verdict: with TLS 1.3 a client learns of its refusal by reading.
async fn exchange(address: std::net::SocketAddr, config: Arc<ClientConfig>, server: &str) -> std::io::Result<u8> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from(format!("{server}.meridian.internal")).unwrap();
    let mut stream = TlsConnector::from(config).connect(name, socket).await?;
    stream.write_all(b"x").await?;
    stream.read_u8().await
}

/// Accepts one verified connection, answers it, and says who it was.
async fn accept_one(incoming: &mut Incoming) -> PeerIdentity {
    let mut connection = tokio::time::timeout(DEADLINE, incoming.next()).await.unwrap().unwrap().unwrap();
    let byte = connection.read_u8().await.unwrap();
    connection.write_u8(byte).await.unwrap();
    connection.flush().await.unwrap();
    connection.connect_info().identity
}

#[test]
fn every_certificate_in_use_has_an_end() {
    let cluster = Cluster::new("one");
    let file = |name: &str| cluster.directory.path().join(name);
    let credentials = cluster.credentials("us-east-1");
    let named = |ends: Vec<CertificateEnd>| ends.iter().map(|end| end.certificate).collect::<Vec<_>>();
    assert_eq!(named(certificate_ends(&credentials, None).unwrap()), ["cluster", "authority"]);
    let api = ApiTls { cert: file("eu-west-1.pem"), key: file("eu-west-1-key.pem") };
    let ends = certificate_ends(&credentials, Some(&api)).unwrap();
    assert!(ends.iter().all(|end| end.ends_at > 1_700_000_000), "{ends:?}");
    assert_eq!(named(ends), ["api", "cluster", "authority"]);
    let missing = ApiTls { cert: file("missing.pem"), key: file("missing.pem") };
    certificate_ends(&credentials, Some(&missing)).unwrap_err();
}

#[tokio::test]
async fn each_certificate_names_its_holder() {
    let cluster = Cluster::new("one");
    let shutdown = CancellationToken::new();
    let (address, mut incoming) = cluster.listen("us-east-1", &shutdown).await;
    let cases = [
        ("eu-west-1", PeerIdentity::Region(region("eu-west-1"))),
        ("operator", PeerIdentity::Operator),
        ("app", PeerIdentity::Principal("app".to_owned())),
    ];
    for (name, expected) in cases {
        let config = cluster.credentials(name).client_config().unwrap();
        let (answer, identity) = tokio::join!(exchange(address, config, "us-east-1"), accept_one(&mut incoming));
        assert_eq!(answer.unwrap(), b'x');
        assert_eq!(identity, expected);
    }
    shutdown.cancel();
    assert!(tokio::time::timeout(DEADLINE, incoming.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn server_of_another_region_is_refused() {
    let cluster = Cluster::new("one");
    let shutdown = CancellationToken::new();
    let (address, _incoming) = cluster.listen("us-east-1", &shutdown).await;
    let config = cluster.credentials("operator").client_config().unwrap();
    exchange(address, config, "eu-west-1").await.unwrap_err();
}

#[tokio::test]
async fn client_of_another_authority_is_refused() {
    let (cluster, foreign) = (Cluster::new("one"), Cluster::new("one"));
    let shutdown = CancellationToken::new();
    let (address, mut incoming) = cluster.listen("us-east-1", &shutdown).await;
    // Trusts the right authority, shows a certificate of the wrong one.
    let mixed = Credentials {
        authority: Arc::clone(&cluster.credentials("operator").authority),
        ..foreign.credentials("operator")
    };
    exchange(address, mixed.client_config().unwrap(), "us-east-1").await.unwrap_err();
    // And a server of the wrong authority is refused by the client.
    exchange(address, foreign.credentials("operator").client_config().unwrap(), "us-east-1").await.unwrap_err();
    shutdown.cancel();
    assert!(tokio::time::timeout(DEADLINE, incoming.next()).await.unwrap().is_none(), "nobody was let in");
}

#[tokio::test]
async fn client_without_certificate_and_tls12_are_refused() {
    let cluster = Cluster::new("one");
    let shutdown = CancellationToken::new();
    let (address, mut incoming) = cluster.listen("us-east-1", &shutdown).await;
    let credentials = cluster.credentials("operator");
    let anonymous = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .unwrap()
        .with_root_certificates(Arc::clone(&credentials.authority))
        .with_no_client_auth();
    exchange(address, Arc::new(anonymous), "us-east-1").await.unwrap_err();
    // Offers no version but TLS 1.2, in a hand-made hello: the library is built without it.
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&tls12_client_hello()).await.unwrap();
    let mut alert = [0_u8; 7];
    socket.read_exact(&mut alert).await.unwrap();
    assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70), "fatal alert protocol_version");
    shutdown.cancel();
    assert!(tokio::time::timeout(DEADLINE, incoming.next()).await.unwrap().is_none(), "nobody was let in");
}

/// RFC 5246 §7.4.1.2: version 1.2, one cipher suite, signature algorithms, no `supported_versions`.
fn tls12_client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7_u8; 32]);
    body.push(0);
    body.extend([0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions = [0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23];
    body.extend([0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[tokio::test]
async fn silent_clients_do_not_keep_others_out() {
    let cluster = Cluster::new("one");
    let shutdown = CancellationToken::new();
    let (address, mut incoming) = cluster.listen("us-east-1", &shutdown).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let config = cluster.credentials("operator").client_config().unwrap();
    let both = async { tokio::join!(exchange(address, config, "us-east-1"), accept_one(&mut incoming)) };
    let (answer, identity) = tokio::time::timeout(DEADLINE, both).await.unwrap();
    assert_eq!((answer.unwrap(), identity), (b'x', PeerIdentity::Operator));
}

#[test]
fn identity_of_another_cluster_or_of_nobody_is_refused() {
    let cluster = Cluster::new("one");
    let credentials = cluster.credentials("operator");
    let operator = credentials.chain.first().unwrap();
    assert_eq!(PeerIdentity::from_certificate(operator, "one"), Ok(PeerIdentity::Operator));
    assert_eq!(PeerIdentity::from_certificate(operator, "on"), Err(IdentityError::Foreign));
    assert_eq!(PeerIdentity::from_certificate(operator, "two"), Err(IdentityError::Foreign));
    assert_eq!(PeerIdentity::from_certificate(b"junk", "one"), Err(IdentityError::Unreadable));
    assert_eq!(PeerIdentity::from_chain(None, "one"), Err(IdentityError::Missing));
    let authority = certificates(&cluster.directory.path().join("ca.pem")).unwrap();
    assert_eq!(PeerIdentity::from_chain(Some(&authority), "one"), Err(IdentityError::NotOneUri));
}

#[tokio::test]
async fn reopened_authority_issues_certificates_that_are_accepted() {
    let cluster = Cluster::new("one");
    let reopened = Authority::open("one", cluster.directory.path()).unwrap();
    assert_eq!(reopened.certificate_pem(), cluster.authority.certificate_pem());
    reopened.issue_principal("later").unwrap().write(cluster.directory.path(), "later").unwrap();
    let shutdown = CancellationToken::new();
    let (address, mut incoming) = cluster.listen("eu-west-1", &shutdown).await;
    let config = cluster.credentials("later").client_config().unwrap();
    let (answer, identity) = tokio::join!(exchange(address, config, "eu-west-1"), accept_one(&mut incoming));
    assert_eq!((answer.unwrap(), identity), (b'x', PeerIdentity::Principal("later".to_owned())));
}

#[test]
fn private_keys_are_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::new("one");
    for name in ["ca-key.pem", "us-east-1-key.pem", "operator-key.pem", "app-key.pem"] {
        let mode = std::fs::metadata(cluster.directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let again = cluster.authority.issue_operator().unwrap().write(cluster.directory.path(), "operator");
    assert!(matches!(again, Err(crate::pki::PkiError::Write { .. })));
    assert!(matches!(Authority::create("one", cluster.directory.path()), Err(crate::pki::PkiError::Write { .. })));
}

#[tokio::test]
async fn channel_reaches_the_region_it_names_and_no_other() {
    let cluster = Cluster::new("one");
    let shutdown = CancellationToken::new();
    let (address, incoming) = cluster.listen("us-east-1", &shutdown).await;
    let (_reporter, health) = tonic_health::server::health_reporter();
    let server = tonic::transport::Server::builder().add_service(health).serve_with_incoming(incoming);
    let server = tokio::spawn(server);
    let config = cluster.credentials("eu-west-1").client_config().unwrap();
    for (name, reached) in [("us-east-1", true), ("eu-west-1", false)] {
        let channel = channel(&address.to_string(), &region(name), "one", &config).unwrap();
        let mut client = tonic_health::pb::health_client::HealthClient::new(channel);
        let request = tonic_health::pb::HealthCheckRequest { service: String::new() };
        let answer = tokio::time::timeout(DEADLINE, client.check(request)).await.unwrap();
        assert_eq!(answer.is_ok(), reached, "{name}: {answer:?}");
    }
    shutdown.cancel();
    tokio::time::timeout(DEADLINE, server).await.unwrap().unwrap().unwrap();
}
