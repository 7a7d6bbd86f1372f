//! A load generator: signed requests over HTTP keep-alive against a development cluster, beside an empty handler on the
//! same server stack in the same run.
//!
//! ```text
//! cargo run --release -p meridian-tests --bin load -- [--seconds 5] [--connections 16]
//! ```
//! Prints requests per second, p50 and p99 of the time a client waits, and the CPU time that the server's process
//! spends on a request, read from `/proc`. Client and server share the machine, so requests per second are lower than
//! what the server could do; CPU per request is the figure to compare.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for developers: a failed step ends it, and its figures go to standard output"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use meridian_tests::sigv4::{self, Signer};
use meridian_tests::{Cluster, US, keys};
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Requests before the measurement, per connection.
const WARM_UP: usize = 200;

/// What is asked for, again and again.
#[derive(Clone, Debug)]
struct Ask {
    name: &'static str,
    address: String,
    operation: &'static str,
    body: String,
    pid: i32,
}

/// The figures of one ask.
#[derive(Debug)]
struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    cpu_us: f64,
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--empty-handler") {
        return runtime().block_on(empty_handler());
    }
    let seconds = argument("--seconds").unwrap_or(5);
    let connections = argument("--connections").unwrap_or(16);
    runtime().block_on(measure(Duration::from_secs(seconds), usize::try_from(connections).expect("fits")));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn argument(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.next()?;
    arguments.next().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

async fn measure(duration: Duration, connections: usize) {
    let cluster = Cluster::start();
    let kms = cluster.direct(US);
    let key_id = keys::create_primary(&kms).await;
    let pid = cluster.pid(US).expect("the node runs");
    let empty = EmptyHandler::start();
    let text = |bytes: usize| STANDARD.encode(vec![7_u8; bytes]);
    let small = STANDARD.encode(keys::encrypt(&kms, &key_id, &[7; 32]).await);
    let large = STANDARD.encode(keys::encrypt(&kms, &key_id, &[7; 4096]).await);
    let encrypt = |bytes| format!(r#"{{"KeyId":"{key_id}","Plaintext":"{}"}}"#, text(bytes));
    let at_node = |name, operation, body| Ask { name, address: cluster.api(US), operation, body, pid };
    let asks = [
        Ask {
            name: "empty handler",
            address: empty.address.clone(),
            operation: "Encrypt",
            body: encrypt(32),
            pid: empty.pid(),
        },
        at_node("Encrypt 32 B", "Encrypt", encrypt(32)),
        at_node("Encrypt 4 KiB", "Encrypt", encrypt(4096)),
        at_node("Decrypt 32 B", "Decrypt", format!(r#"{{"CiphertextBlob":"{small}"}}"#)),
        at_node("Decrypt 4 KiB", "Decrypt", format!(r#"{{"CiphertextBlob":"{large}"}}"#)),
        at_node("GenerateDataKey 32 B", "GenerateDataKey", format!(r#"{{"KeyId":"{key_id}","KeySpec":"AES_256"}}"#)),
        at_node("GenerateDataKey 1 KiB", "GenerateDataKey", format!(r#"{{"KeyId":"{key_id}","NumberOfBytes":1024}}"#)),
    ];
    println!("{connections} connections, {} s each\n", duration.as_secs());
    println!("| what | requests/s | p50 | p99 | CPU of the server per request |\n| --- | --- | --- | --- | --- |");
    for ask in asks {
        let figures = run(&ask, duration, connections).await;
        println!(
            "| {} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs |",
            ask.name,
            figures.per_second,
            figures.p50.as_secs_f64() * 1e3,
            figures.p99.as_secs_f64() * 1e3,
            figures.cpu_us
        );
    }
    commit_latency(&cluster, &kms).await;
}

/// Commit latency of the control log as a client sees it: one shared change after the other.
async fn commit_latency(cluster: &Cluster, kms: &meridian_tests::Kms) {
    let key_id = keys::create_primary(kms).await;
    let mut times = Vec::new();
    for days in 0..200 {
        let started = Instant::now();
        kms.enable_key_rotation().key_id(&key_id).rotation_period_in_days(90 + days).send().await.expect("committed");
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let leader = cluster.leader().await;
    println!(
        "\nOne shared change (EnableKeyRotation), asked in {US}, leader {leader}: p50 {:.2} ms, p99 {:.2} ms",
        times[times.len() / 2].as_secs_f64() * 1e3,
        times[times.len() * 99 / 100].as_secs_f64() * 1e3,
    );
}

async fn run(ask: &Ask, duration: Duration, connections: usize) -> Figures {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut client = Client::connect(ask).await;
        for _ in 0..WARM_UP {
            client.ask().await;
        }
        clients.push(client);
    }
    let (cpu, started) = (cpu_time(ask.pid), Instant::now());
    let tasks = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < duration {
                let sent = Instant::now();
                client.ask().await;
                times.push(sent.elapsed());
            }
            times
        })
    });
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await.expect("a client ends"));
    }
    let (elapsed, used) = (started.elapsed(), cpu_time(ask.pid) - cpu);
    times.sort_unstable();
    let count = f64::from(u32::try_from(times.len()).expect("fits"));
    Figures {
        per_second: count / elapsed.as_secs_f64(),
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        cpu_us: used.as_secs_f64() * 1e6 / count,
    }
}

/// CPU time of a process so far (proc(5), `stat`: user and system time in ticks of 10 ms).
fn cpu_time(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server runs");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name in parentheses").1.split(' ').collect();
    let ticks: u64 = [11, 12].map(|at: usize| fields[at].parse::<u64>().expect("ticks")).iter().sum();
    Duration::from_millis(ticks * 10)
}

/// One connection that signs each request, with the day's signing key derived once as SDKs do.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    signer: Signer,
    ask: Ask,
    signing_key: Vec<u8>,
    day: String,
}

impl Client {
    async fn connect(ask: &Ask) -> Self {
        let socket = TcpStream::connect(&ask.address).await.expect("the server accepts connections");
        socket.set_nodelay(true).expect("a socket");
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.expect("HTTP");
        drop(tokio::spawn(connection));
        let signer = Signer::administrator(US);
        let day = sigv4::time(0)[..8].to_owned();
        Self { sender, signing_key: signer.signing_key(&day), signer, ask: ask.clone(), day }
    }

    async fn ask(&mut self) {
        let time = sigv4::time(0);
        if !time.starts_with(&self.day) {
            time[..8].clone_into(&mut self.day);
            self.signing_key = self.signer.signing_key(&self.day);
        }
        let target = format!("TrentService.{}", self.ask.operation);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", self.ask.address.as_str()),
            ("x-amz-date", time.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        let body = self.ask.body.as_bytes();
        let authorization = self.signer.authorization_with(&self.signing_key, &time, &headers, body);
        let mut request = Request::post("/").header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.ask.body.clone()))).expect("a request");
        self.sender.ready().await.expect("the connection is kept alive");
        let response = self.sender.send_request(request).await.expect("the server answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("the answer ends").to_bytes();
        assert!(status.is_success(), "{} answered {status}: {}", self.ask.name, String::from_utf8_lossy(&body));
    }
}

/// The empty handler in a process of its own, so that its CPU time can be told from the client's.
struct EmptyHandler {
    process: std::process::Child,
    address: String,
}

impl EmptyHandler {
    fn start() -> Self {
        use std::io::BufRead as _;
        let mut process = std::process::Command::new(std::env::current_exe().expect("this program has a file"))
            .arg("--empty-handler")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("this program can be run");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        std::io::BufReader::new(output).read_line(&mut line).expect("it prints its address");
        Self { process, address: line.trim().to_owned() }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).expect("a process number")
    }
}

impl Drop for EmptyHandler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Reads the request and answers nothing. Ends when its parent is gone.
async fn empty_handler() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("{}", listener.local_addr().expect("bound"));
    drop(std::thread::spawn(|| {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).expect("ourselves");
    }));
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        socket.set_nodelay(true).expect("a socket");
        let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
            drop(request.into_body().collect().await);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{}"))))
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        drop(tokio::spawn(connection));
    }
}
