//! The network between one client and the box, which a test can spoil.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Asked for every packet of the box, before it goes on.
type Gate = Box<dyn Fn() -> bool + Send>;

/// The long header's bit (RFC 9000, 17.2): a connection that is only beginning.
const LONG_HEADER: u8 = 0x80;
/// A long header that says Retry (17.2.5).
const RETRY: u8 = 0xf0;
/// How long the box's connection identifiers are.
const ID: usize = 8;

/// A forwarder. It goes away with the value.
pub(crate) struct Road {
    /// Where clients find it.
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    down: UdpSocket,
    /// Whom the box sees: what counts by address counts for each road by itself.
    source: Ipv4Addr,
    way: Mutex<Way>,
}

struct Way {
    to: SocketAddr,
    gate: Option<Gate>,
    flows: HashMap<SocketAddr, Flow>,
    retries: u64,
    /// Connections of which not a packet passes any more.
    lost: HashSet<[u8; ID]>,
}

struct Flow {
    up: Arc<UdpSocket>,
    back: JoinHandle<()>,
    /// The connections that the box knows on it.
    ids: HashSet<[u8; ID]>,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.back.abort();
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.task.abort();
        self.state.way().flows.clear();
    }
}

impl Road {
    /// A road to this box, under this address.
    pub(crate) async fn open(source: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        let down = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = down.local_addr()?;
        let way = Way { to, gate: None, flows: HashMap::new(), retries: 0, lost: HashSet::new() };
        let state = Arc::new(State { down, source, way: Mutex::new(way) });
        let task = tokio::spawn(there(Arc::clone(&state)));
        Ok(Self { address, state, task })
    }

    /// How often the box has asked for a proof of the address.
    pub(crate) fn retries(&self) -> u64 {
        self.state.way().retries
    }

    /// From now on, what comes back passes only while this says so.
    pub(crate) fn gate(&self, gate: impl Fn() -> bool + Send + 'static) {
        self.state.way().gate = Some(Box::new(gate));
    }

    /// Nothing comes back any more.
    pub(crate) fn deafen(&self) {
        self.gate(|| false);
    }

    /// Everything passes again.
    pub(crate) fn clear(&self) {
        self.state.way().gate = None;
    }

    /// Loses every connection that is open: nobody is told. New ones pass.
    pub(crate) fn lose(&self) {
        let mut way = self.state.way();
        let gone: Vec<Flow> = way.flows.drain().map(|(_, flow)| flow).collect();
        way.lost.extend(gone.iter().flat_map(|flow| flow.ids.iter().copied()));
    }

    /// Another address for what is open, as when a phone changes its network.
    pub(crate) fn roam(&self) {
        self.state.way().flows.clear();
    }

    /// Leads to another box.
    pub(crate) fn lead_to(&self, to: SocketAddr) {
        let mut way = self.state.way();
        way.to = to;
        way.flows.clear();
    }
}

impl State {
    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a packet of this client goes to; `None`: nowhere.
    fn up(self: &Arc<Self>, client: SocketAddr, packet: &[u8]) -> Option<(Arc<UdpSocket>, SocketAddr)> {
        let short = packet.first()? & LONG_HEADER == 0;
        let id: Option<[u8; ID]> = if short { packet.get(1..=ID)?.try_into().ok() } else { None };
        let mut way = self.way();
        if id.is_some_and(|id| way.lost.contains(&id)) {
            return None;
        }
        let to = way.to;
        let flow = match way.flows.entry(client) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(new) => {
                let socket = std::net::UdpSocket::bind((self.source, 0)).ok()?;
                socket.set_nonblocking(true).ok()?;
                let up = Arc::new(UdpSocket::from_std(socket).ok()?);
                let back = tokio::spawn(back(Arc::clone(self), Arc::clone(&up), client));
                new.insert(Flow { up, back, ids: HashSet::new() })
            }
        };
        flow.ids.extend(id);
        Some((Arc::clone(&flow.up), to))
    }

    fn lets_back(&self, packet: &[u8]) -> bool {
        let mut way = self.way();
        way.retries += u64::from(packet.first().is_some_and(|first| first & RETRY == RETRY));
        way.gate.as_ref().is_none_or(|gate| gate())
    }
}

async fn there(state: Arc<State>) {
    let mut packet = vec![0; 65536];
    loop {
        // An error here is about a packet sent earlier: a client that is no more.
        let Ok((length, client)) = state.down.recv_from(&mut packet).await else { continue };
        if let Some((up, to)) = state.up(client, &packet[..length]) {
            let _ = up.send_to(&packet[..length], to).await;
        }
    }
}

async fn back(state: Arc<State>, up: Arc<UdpSocket>, client: SocketAddr) {
    let mut packet = vec![0; 65536];
    loop {
        let Ok((length, _)) = up.recv_from(&mut packet).await else { continue };
        if state.lets_back(&packet[..length]) {
            let _ = state.down.send_to(&packet[..length], client).await;
        }
    }
}
