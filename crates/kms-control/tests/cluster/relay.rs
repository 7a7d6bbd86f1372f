//! A link between two nodes that a test can take down or turn into a black hole.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

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
    _task: JoinSet<()>,
}

impl Relay {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = watch::Sender::new(Link::Down);
        let watched = state.subscribe();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(carry(socket, watched.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, state, _task: task }
    }

    pub fn set(&self, link: Link) {
        self.state.send_replace(link);
    }
}

async fn carry(mut near: TcpStream, mut state: watch::Receiver<Link>) {
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
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    drop(near.set_nodelay(true).and(far.set_nodelay(true)));
    let ended = tokio::select! {
        _ended = tokio::io::copy_bidirectional(&mut near, &mut far) => true,
        () = async { drop(state.wait_for(|link| *link != Link::Open(target)).await) } => false,
    };
    if !ended {
        // In a black hole both sockets stay open and silent.
        drop(state.wait_for(|link| *link != Link::BlackHole).await);
    }
}
