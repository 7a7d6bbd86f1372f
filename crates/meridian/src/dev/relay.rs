//! One direction of dialling between two Regions: a TCP relay that can delay bytes and lose them.
//!
//! Latency is one-way: each direction is delayed by it, and a new connection by twice as much, as a TCP handshake
//! would be. A blocked relay loses bytes and tells nobody, as a real partition does: connections stay open and silent,
//! new ones are taken and stay silent too. When the block ends, all of these are reset.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A relay with its listener; ends with its connections when dropped.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    state: watch::Sender<LinkState>,
    _accepting: JoinSet<()>,
}

/// What a relay does with bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LinkState {
    latency: Duration,
    blocked: bool,
    /// How often the link was blocked so far; a connection that is older than the last block has lost bytes.
    blocks: u64,
}

impl Relay {
    /// Listens on a loopback port of the system's choice and forwards to `target`.
    ///
    /// # Errors
    /// Fails when no port can be had.
    pub(super) async fn start(target: SocketAddr, latency: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, watched) = watch::channel(LinkState { latency, ..LinkState::default() });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_loop(listener, target, watched));
        Ok(Self { address, state, _accepting: accepting })
    }

    /// Where to dial instead of the target.
    #[must_use]
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the one-way latency, also of existing connections.
    pub(super) fn set_latency(&self, latency: Duration) {
        self.state.send_modify(|state| state.latency = latency);
    }

    /// Blocks or unblocks.
    pub(super) fn set_blocked(&self, blocked: bool) {
        self.state.send_modify(|state| {
            if blocked && !state.blocked {
                state.blocks += 1;
            }
            state.blocked = blocked;
        });
    }

    /// The one-way latency.
    #[must_use]
    pub(super) fn latency(&self) -> Duration {
        self.state.borrow().latency
    }

    /// Whether bytes are lost.
    #[must_use]
    pub(super) fn is_blocked(&self) -> bool {
        self.state.borrow().blocked
    }
}

/// Open connections of one relay; a peer needs a handful. More are closed at once.
const CONNECTIONS_MAX: usize = 256;
/// Bytes read at one time.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks under way in one direction: 1 MiB, which bounds memory and is 10 MiB/s at 100 ms.
const CHUNKS_MAX: usize = 64;
/// Longest time for reaching a target on this machine.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause after a failed accept: the usual cause, too many open files, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn accept_loop(listener: TcpListener, target: SocketAddr, state: watch::Receiver<LinkState>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((socket, _peer)) => {
                while connections.try_join_next().is_some() {}
                if connections.len() < CONNECTIONS_MAX {
                    connections.spawn(serve(socket, target, state.clone()));
                }
            }
            Err(_error) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// One connection from accept to its end.
async fn serve(mut dialler: TcpStream, target: SocketAddr, state: watch::Receiver<LinkState>) {
    let born = *state.borrow();
    let mut target_side = None;
    if !born.blocked {
        let mut cut = state.clone();
        tokio::select! {
            biased;
            // An error means that the relay is gone, and then this task too.
            _blocked = cut.wait_for(|now| now.blocked || now.blocks != born.blocks) => {}
            _closed = forward(&mut dialler, target, &mut target_side, &state) => return,
        }
    }
    black_hole(dialler, target_side, state).await;
}

/// Connects to the target and carries bytes both ways until both ends have closed or one has failed.
async fn forward(
    dialler: &mut TcpStream,
    target: SocketAddr,
    target_side: &mut Option<TcpStream>,
    state: &watch::Receiver<LinkState>,
) -> io::Result<()> {
    dialler.set_nodelay(true)?;
    let handshake = state.borrow().latency.saturating_mul(2);
    if !handshake.is_zero() {
        tokio::time::sleep(handshake).await;
    }
    let socket = match tokio::time::timeout(DIAL_TIMEOUT, TcpStream::connect(target)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => {
            reset_on_close(dialler);
            return Err(error);
        }
        Err(elapsed) => return Err(elapsed.into()),
    };
    socket.set_nodelay(true)?;
    let target_side = target_side.insert(socket);
    let (dialler_read, dialler_write) = dialler.split();
    let (target_read, target_write) = target_side.split();
    tokio::try_join!(
        carry(dialler_read, target_write, state.clone()),
        carry(target_read, dialler_write, state.clone()),
    )?;
    Ok(())
}

/// Carries one direction, each chunk later by the latency that held when it was read.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let reading = async move {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let count = from.read_buf(&mut chunk).await?;
            let due = Instant::now() + state.borrow().latency;
            // An empty chunk is the end of the stream, and travels as long as bytes do.
            if sender.send((due, chunk)).await.is_err() || count == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = under_way.recv().await {
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            if chunk.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&chunk).await?;
        }
        Ok(())
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

/// Keeps a connection open and silent until the link heals, then resets it.
async fn black_hole(mut dialler: TcpStream, target_side: Option<TcpStream>, mut state: watch::Receiver<LinkState>) {
    let mut target_side = target_side;
    let swallowing = async {
        let target = async {
            if let Some(socket) = &mut target_side {
                swallow(socket).await;
            }
        };
        tokio::join!(swallow(&mut dialler), target);
    };
    tokio::select! {
        _healed = state.wait_for(|now| !now.blocked) => {}
        () = swallowing => {}
    }
    reset_on_close(&dialler);
    if let Some(socket) = &target_side {
        reset_on_close(socket);
    }
}

/// Reads and forgets until that end closes. Its own end of file concerns nobody else.
async fn swallow(socket: &mut TcpStream) {
    let mut scratch = [0_u8; 4096];
    loop {
        match socket.read(&mut scratch).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Makes the close that follows a reset instead of an orderly end.
fn reset_on_close(socket: &TcpStream) {
    // If it fails, the close is an orderly one; there is nothing better to do.
    drop(socket.set_zero_linger());
}
