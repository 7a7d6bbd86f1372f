//! Requests byte by byte, so that wrong ones can be sent too.

use crate::mutual_tls;
use crate::sigv4::{self, Signer};
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// A request whose parts can be wrong.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// The first line.
    pub line: String,
    /// All headers in order, as sent; `content-length` is added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// A correct and correctly signed request for `operation`.
    #[must_use]
    pub fn signed(host: &str, signer: &Signer, operation: &str, body: impl AsRef<[u8]>) -> Self {
        Self::signed_at(host, signer, operation, body, &sigv4::time(0))
    }

    /// The same with another time of signing.
    #[must_use]
    pub fn signed_at(host: &str, signer: &Signer, operation: &str, body: impl AsRef<[u8]>, time: &str) -> Self {
        let target = format!("TrentService.{operation}");
        Self::signed_target(host, signer, Some(&target), body, time)
    }

    /// The same with any `X-Amz-Target`, or none.
    #[must_use]
    pub fn signed_target(
        host: &str,
        signer: &Signer,
        target: Option<&str>,
        body: impl AsRef<[u8]>,
        time: &str,
    ) -> Self {
        let body = body.as_ref().to_vec();
        let mut headers = vec![("content-type", "application/x-amz-json-1.1"), ("host", host), ("x-amz-date", time)];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        let authorization = signer.authorization(&headers, &body);
        headers.push(("authorization", &authorization));
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { line: "POST / HTTP/1.1".to_owned(), headers, body }
    }

    /// Replaces a header, or removes it.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).expect("the header is there").1
    }

    /// Sends it to `address` (`ip:port`).
    pub async fn send(&self, address: &str) -> RawResponse {
        exchange(address, &self.bytes()).await
    }

    /// Sends it to `address` over TLS; the server has to show a certificate of `authority` for that address.
    pub async fn send_tls(&self, address: &str, authority: &Path) -> RawResponse {
        let name = address.rsplit_once(':').expect("an address and a port").0;
        let name = ServerName::try_from(name.to_owned()).expect("a server name");
        let mut config = mutual_tls::client_config(authority, None);
        config.alpn_protocols = Vec::new();
        let connect = async {
            let socket = TcpStream::connect(address).await.expect("the server accepts connections");
            TlsConnector::from(Arc::new(config)).connect(name, socket).await.expect("the handshake succeeds")
        };
        let stream = tokio::time::timeout(DEADLINE, connect).await.expect("the server shakes hands in time");
        talk(stream, &self.bytes()).await
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl RawResponse {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends bytes and reads an answer until the server closes.
pub async fn exchange(address: &str, bytes: &[u8]) -> RawResponse {
    let connect = tokio::time::timeout(DEADLINE, TcpStream::connect(address));
    talk(connect.await.expect("the server accepts in time").expect("the server accepts connections"), bytes).await
}

async fn talk(stream: impl AsyncRead + AsyncWrite, bytes: &[u8]) -> RawResponse {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let talk = async {
        let mut answer = Vec::new();
        let write = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        // A server that refuses a body may answer and close before it has read all of it.
        let (_written, read) = tokio::join!(write, reader.read_to_end(&mut answer));
        if answer.is_empty() {
            read.expect("the server answers");
        }
        answer
    };
    let answer = tokio::time::timeout(DEADLINE, talk).await.expect("the server answers in time");
    parse(&answer)
}

fn parse(answer: &[u8]) -> RawResponse {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&answer[..end]).expect("heads are text");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &answer[end + 4..];
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunk(body) } else { body.to_vec() };
    RawResponse { status: status.expect("a status line"), headers, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size is text");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
    body
}

/// Reads `/metrics`, `/healthz` or `/readyz` of an operations port.
pub async fn get(address: &str, path: &str) -> RawResponse {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    exchange(address, request.as_bytes()).await
}
