//! A link between two nodes that a test can slow down, take down or turn into a black hole.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What happens to bytes on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// They arrive.
    Open(SocketAddr),
    /// Connections are closed: nobody listens at the other end.
    Down,
    /// Connections stay open and nothing arrives, as when a network cable is cut.
    BlackHole,
}

/// One direction of calls between two nodes. Dropping it ends its task.
#[derive(Debug)]
pub struct Relay {
    pub address: SocketAddr,
    state: watch::Sender<Link>,
    delay: Arc<Mutex<Duration>>,
    _task: JoinSet<()>,
}

impl Relay {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = watch::Sender::new(Link::Down);
        let watched = state.subscribe();
        let delay = Arc::new(Mutex::new(Duration::ZERO));
        let current_delay = Arc::clone(&delay);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let delay = *current_delay.lock().unwrap();
                connections.spawn(carry(socket, watched.clone(), delay));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, state, delay, _task: task }
    }

    /// Delays what connections made from now on carry, in each direction.
    pub fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    pub fn set(&self, link: Link) {
        self.state.send_replace(link);
    }
}

async fn carry(near: TcpStream, mut state: watch::Receiver<Link>, delay: Duration) {
    let target = loop {
        match *state.borrow_and_update() {
            Link::Open(target) => break target,
            Link::Down => return,
            Link::BlackHole => {}
        }
        if state.changed().await.is_err() {
            return;
        }
    };
    let Ok(far) = TcpStream::connect(target).await else { return };
    drop(near.set_nodelay(true).and(far.set_nodelay(true)));
    let (mut near, mut far) = (near, far);
    let ended = tokio::select! {
        () = copy_both_ways(&mut near, &mut far, delay) => true,
        () = async { drop(state.wait_for(|link| *link != Link::Open(target)).await) } => false,
    };
    if !ended {
        // In a black hole both sockets stay open and silent.
        drop(state.wait_for(|link| *link != Link::BlackHole).await);
    }
}

async fn copy_both_ways(near: &mut TcpStream, far: &mut TcpStream, delay: Duration) {
    let ((near_read, near_write), (far_read, far_write)) = (near.split(), far.split());
    tokio::select! {
        () = copy(near_read, far_write, delay) => {}
        () = copy(far_read, near_write, delay) => {}
    }
}

/// Hands on what is read after a delay, without holding up what is read next.
async fn copy(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(reading, writing);
}
