//! Claims about relays, links, control socket and front door, with real sockets.

use super::links::{LinkError, Links};
use super::relay::Relay;
use super::supervisor::ProcessState;
use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const DEADLINE: Duration = Duration::from_secs(10);
/// Long enough for bytes to arrive on one machine, if they were to arrive.
const SILENCE: Duration = Duration::from_millis(150);

/// Sends every byte back.
async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = socket.split();
                drop(tokio::io::copy(&mut read, &mut write).await);
            });
        }
    });
    address
}

async fn echo(socket: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
    socket.write_u8(byte).await?;
    tokio::time::timeout(DEADLINE, socket.read_u8()).await.unwrap()
}

async fn is_silent(socket: &mut TcpStream) -> bool {
    tokio::time::timeout(SILENCE, socket.read_u8()).await.is_err()
}

#[tokio::test]
async fn relay_carries_bytes_both_ways_and_half_closes() {
    let relay = Relay::start(echo_server().await, Duration::ZERO).await.unwrap();
    let mut socket = TcpStream::connect(relay.address()).await.unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut read, mut write) = socket.split();
    let mut received = Vec::new();
    let exchange = async {
        tokio::try_join!(
            async {
                write.write_all(&sent).await?;
                write.shutdown().await
            },
            read.read_to_end(&mut received),
        )
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap().unwrap();
    assert!(received == sent, "{} of {} bytes came back unchanged", received.len(), sent.len());
}

#[tokio::test]
async fn latency_delays_each_direction_and_can_change() {
    let relay = Relay::start(echo_server().await, Duration::ZERO).await.unwrap();
    let mut socket = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(echo(&mut socket, 1).await.unwrap(), 1);
    relay.set_latency(Duration::from_millis(60));
    let started = Instant::now();
    assert_eq!(echo(&mut socket, 2).await.unwrap(), 2);
    assert!(started.elapsed() >= Duration::from_millis(120), "{:?}", started.elapsed());
    relay.set_latency(Duration::ZERO);
    assert_eq!(echo(&mut socket, 3).await.unwrap(), 3);
}

#[tokio::test]
async fn blocked_relay_is_silent_and_resets_when_healed() {
    let relay = Relay::start(echo_server().await, Duration::ZERO).await.unwrap();
    let mut old = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(echo(&mut old, 1).await.unwrap(), 1);
    relay.set_blocked(true);
    let mut new = TcpStream::connect(relay.address()).await.unwrap();
    for socket in [&mut old, &mut new] {
        socket.write_u8(2).await.unwrap();
        assert!(is_silent(socket).await, "neither answered nor closed");
    }
    relay.set_blocked(false);
    for socket in [&mut old, &mut new] {
        let end = tokio::time::timeout(DEADLINE, socket.read_u8()).await.unwrap().unwrap_err();
        assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    }
    let mut healed = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(echo(&mut healed, 3).await.unwrap(), 3);
}

#[tokio::test]
async fn bytes_under_way_are_lost_when_the_link_is_blocked() {
    let relay = Relay::start(echo_server().await, Duration::ZERO).await.unwrap();
    let mut socket = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(echo(&mut socket, 1).await.unwrap(), 1);
    relay.set_latency(Duration::from_millis(40));
    socket.write_u8(2).await.unwrap();
    relay.set_blocked(true);
    assert!(is_silent(&mut socket).await);
}

#[tokio::test]
async fn death_of_the_target_is_passed_on_and_a_dead_target_resets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay::start(listener.local_addr().unwrap(), Duration::ZERO).await.unwrap();
    let mut socket = TcpStream::connect(relay.address()).await.unwrap();
    drop(listener.accept().await.unwrap());
    let end = tokio::time::timeout(DEADLINE, socket.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)));
    drop(listener);
    let mut socket = TcpStream::connect(relay.address()).await.unwrap();
    let end = tokio::time::timeout(DEADLINE, socket.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)));
}

fn name(region: &str) -> RegionName {
    RegionName::parse(region).unwrap()
}

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

async fn three_regions() -> Links {
    let address = echo_server().await;
    let targets: Vec<_> = REGIONS.iter().map(|region| (name(region), address)).collect();
    Links::start(&targets, Duration::ZERO).await.unwrap()
}

fn blocked(links: &Links) -> Vec<String> {
    links.status().into_iter().filter(|link| link.blocked).map(|link| link.between.join("/")).collect()
}

#[tokio::test]
async fn partitions_block_exactly_the_links_between_groups() {
    let links = three_regions().await;
    assert_eq!(links.status().len(), 3);
    links.isolate("eu-west-1").unwrap();
    assert_eq!(blocked(&links), ["eu-west-1/ap-southeast-1", "us-east-1/eu-west-1"]);
    links.heal();
    assert!(blocked(&links).is_empty());
    let groups = |text: &str| -> Vec<Vec<String>> {
        text.split('|').map(|group| group.split(',').map(str::to_owned).collect()).collect()
    };
    links.partition(&groups("us-east-1|ap-southeast-1")).unwrap();
    assert_eq!(blocked(&links), ["us-east-1/ap-southeast-1"]);
    links.heal();
    assert_eq!(links.partition(&groups("us-east-1,eu-west-1")), Err(LinkError::OneGroup));
    assert_eq!(links.partition(&groups("us-east-1|us-east-1")), Err(LinkError::NamedTwice("us-east-1".to_owned())));
    assert!(matches!(links.partition(&groups("us-east-1|mars-1")), Err(LinkError::UnknownRegion { .. })));
    assert!(matches!(links.isolate("mars-1"), Err(LinkError::UnknownRegion { .. })));
    assert!(blocked(&links).is_empty(), "a refused request changes nothing");
}

#[tokio::test]
async fn latency_is_set_for_all_links_or_for_one() {
    let links = three_regions().await;
    let pair = |left: &str, right: &str| Some([left.to_owned(), right.to_owned()]);
    links.set_latency(Duration::from_millis(5), None).unwrap();
    links.set_latency(Duration::from_millis(80), pair("eu-west-1", "us-east-1").as_ref()).unwrap();
    let latencies: Vec<u64> = links.status().iter().map(|link| link.latency_ms).collect();
    assert_eq!(latencies, [5, 5, 80]);
    let same = links.set_latency(Duration::ZERO, pair("us-east-1", "us-east-1").as_ref());
    assert_eq!(same, Err(LinkError::NamedTwice("us-east-1".to_owned())));
}

/// Answers every request with the Region's name and the request as it arrived.
async fn fake_region(region: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = vec![0; 8192];
                let length = socket.read(&mut request).await.unwrap();
                let body = format!("{region}\n{}", String::from_utf8_lossy(&request[..length]));
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                socket.write_all((head + &body).as_bytes()).await.unwrap();
            });
        }
    });
    address
}

async fn ask(front_door: SocketAddr, region: Option<&str>) -> String {
    let mut socket = TcpStream::connect(front_door).await.unwrap();
    let scope = region.map(|region| {
        format!("authorization: AWS4-HMAC-SHA256 Credential=a/20260101/{region}/kms/aws4_request, Signature=0\r\n")
    });
    let request = format!(
        "POST /?x=%20y HTTP/1.1\r\nhost: kms.example\r\nconnection: close\r\n{}content-length: 2\r\n\r\n{{}}",
        scope.unwrap_or_default(),
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn front_door_sends_each_request_unchanged_to_its_region() {
    let regions = vec![(name("us-east-1"), fake_region("us").await), (name("eu-west-1"), fake_region("eu").await)];
    let (states, watched) = watch::channel(vec![ProcessState::Running, ProcessState::Running]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _front_door = front_door::serve(listener, regions, watched).unwrap();

    let answer = ask(address, Some("eu-west-1")).await;
    assert!(answer.contains("\r\n\r\neu\nPOST /?x=%20y HTTP/1.1\r\n"), "{answer}");
    assert!(answer.contains("host: kms.example\r\n") && answer.ends_with("{}"), "{answer}");
    assert!(ask(address, Some("us-east-1")).await.contains("\r\n\r\nus\n"));
    assert!(ask(address, None).await.contains("\r\n\r\nus\n"));
    assert!(ask(address, Some("mars-north-1")).await.contains("\r\n\r\nus\n"));

    states.send_replace(vec![ProcessState::Killed, ProcessState::Running]);
    let down = ask(address, Some("us-east-1")).await;
    assert!(down.starts_with("HTTP/1.1 503 ") && down.contains("application/x-amz-json-1.1"), "{down}");
    assert!(down.contains(r#"{"__type":"ServiceUnavailableException","message":"Region us-east-1 is down."}"#));
    assert!(ask(address, None).await.contains("\r\n\r\neu\n"), "the first living Region");
    states.send_replace(vec![ProcessState::Killed, ProcessState::Died]);
    assert!(ask(address, None).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn control_socket_is_private_and_refuses_nonsense() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    let (_socket, mut calls) = control::listen(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let request = ControlRequest::Kill { region: "us-east-1".to_owned() };
    let serving = async {
        let call = calls.recv().await.unwrap();
        assert!(matches!(call.request, ControlRequest::Kill { region } if region == "us-east-1"));
        call.reply.send(ControlReply::Done { message: "done".to_owned() }).unwrap();
    };
    let (reply, ()) = tokio::join!(control::call(&path, &request), serving);
    assert!(matches!(reply.unwrap(), ControlReply::Done { message } if message == "done"));
    let mut raw = tokio::net::UnixStream::connect(&path).await.unwrap();
    raw.write_all(b"{\"action\":\"explode\"}\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, raw.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("\"outcome\":\"refused\""), "{answer}");
}

#[test]
fn port_in_use_is_named() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = holder.local_addr().unwrap().port();
    let error = Reservation::take(base, &[]).unwrap_err().to_string();
    assert!(error.contains(&format!("port {base} (front door)")), "{error}");
    let ports = ports::region_ports(8700, 2).unwrap();
    assert_eq!((ports.api.port(), ports.grpc.port(), ports.ops.port()), (8713, 8723, 8733));
    assert_eq!(ports::region_ports(65_530, 0), None);
}

#[test]
fn data_directory_is_kept_and_defends_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cluster");
    let regions: Vec<_> = REGIONS.iter().map(|region| name(region)).collect();
    let first = DataDir::open(Some(&path), &regions).unwrap();
    let id = first.cluster_id().to_owned();
    let authority = std::fs::read(first.authority()).unwrap();
    let in_use = DataDir::open(Some(&path), &regions).unwrap_err().to_string();
    assert!(in_use.contains("in use by another"), "{in_use}");
    first.close().unwrap();

    let reversed: Vec<_> = regions.iter().rev().cloned().collect();
    let again = DataDir::open(Some(&path), &reversed).unwrap();
    assert_eq!((again.cluster_id(), again.regions()), (id.as_str(), regions.as_slice()), "kept, in its own order");
    assert_eq!(std::fs::read(again.authority()).unwrap(), authority);
    again.close().unwrap();

    let others = DataDir::open(Some(&path), &regions[..2]).unwrap_err().to_string();
    assert!(others.contains("holds a cluster of the Regions"), "{others}");
    let foreign = directory.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.txt"), "mine").unwrap();
    let refused = DataDir::open(Some(&foreign), &regions).unwrap_err().to_string();
    assert!(refused.contains("is not a development cluster's directory"), "{refused}");
    assert_eq!(std::fs::read_dir(&foreign).unwrap().count(), 1, "nothing was written there");
}

#[test]
fn temporary_data_directory_is_removed() {
    let regions = [name("us-east-1")];
    let data = DataDir::open(None, &regions).unwrap();
    let path = data.path().to_owned();
    assert!(data.region_file(&regions[0], "root.key").exists());
    data.close().unwrap();
    assert!(!path.exists());
}
