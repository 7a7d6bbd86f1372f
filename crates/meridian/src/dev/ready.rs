//! Waiting until a node says that it is ready.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Time between two questions; short because it adds to the start of a development cluster.
const INTERVAL: Duration = Duration::from_millis(15);
/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks `/readyz` on the operations port until the answer is 200. Returns whether it was before the deadline.
pub(super) async fn wait_ready(operations: SocketAddr, deadline: Duration) -> bool {
    let asking = async {
        while !is_ready(operations).await {
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::time::timeout(deadline, asking).await.is_ok()
}

async fn is_ready(operations: SocketAddr) -> bool {
    matches!(tokio::time::timeout(ANSWER_TIMEOUT, ask(operations)).await, Ok(Ok(true)))
}

async fn ask(operations: SocketAddr) -> io::Result<bool> {
    let mut socket = TcpStream::connect(operations).await?;
    socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut status = [0_u8; 12];
    socket.read_exact(&mut status).await?;
    Ok(status.ends_with(b" 200"))
}
