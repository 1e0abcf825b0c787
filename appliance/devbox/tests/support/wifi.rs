//! A hospital's Wi-Fi in one task: a phone, two networks, a box. Datagrams pass between the phone's socket and the box
//! with loss, delay, jitter, reordering and duplication drawn from a seed; each network has a source address of its own
//! towards the box. The kernel's own shaper (netem) is not everywhere, and cannot be told to move a phone.
//!
//! ```text
//! phone  <->  127.0.0.1 (where the phone believes the box to be)
//!               |- network 0: 127.0.0.2 <->
//!               '- network 1: 127.0.0.3 <->  box
//! ```
//!
//! Each socket of the phone is a flow with a port of its own towards the box.

use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::crowd::Dice;

/// Datagrams in the air at a time, beyond which they are dropped: 2,048 x 1.5 kB = 3 MB, a second of 24 Mbit/s.
const IN_THE_AIR_MAX: usize = 2_048;
const DATAGRAM_MAX: usize = 2_048;
/// Sockets that the phone has at a time on one network; the oldest is forgotten. One that says farewell, one that begins.
const FLOWS_MAX: usize = 4;
/// From the box and not looked at yet: as many as the air takes.
const FROM_THE_BOX_MAX: usize = IN_THE_AIR_MAX;
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// How a network treats each datagram, either way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality {
    /// Of a thousand datagrams, so many are lost.
    pub(crate) lost: u64,
    /// ... come twice.
    pub(crate) doubled: u64,
    /// ... are held back until others have passed them.
    pub(crate) held: u64,
    /// One way.
    pub(crate) delay: Duration,
    /// Up to so much more.
    pub(crate) jitter: Duration,
    /// Longer datagrams do not pass.
    pub(crate) longest: usize,
}

impl Quality {
    /// A cable.
    pub(crate) const PERFECT: Self = Self::of(0, 0, 0);

    /// Loss and as much each of duplication and reordering as half of it; delay and jitter in milliseconds.
    pub(crate) const fn of(lost: u64, delay: u64, jitter: u64) -> Self {
        let (delay, jitter) = (Duration::from_millis(delay), Duration::from_millis(jitter));
        Self { lost, doubled: lost / 2, held: lost / 2, delay, jitter, longest: DATAGRAM_MAX }
    }
}

/// What became of the datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) held: u64,
    pub(crate) too_long: u64,
}

/// Between one phone and the box. The task ends with it.
pub(crate) struct AccessPoint {
    address: SocketAddr,
    orders: mpsc::Sender<(Order, oneshot::Sender<Counts>)>,
}

enum Order {
    Switch { keeps_address: bool },
    Away(Duration),
    Back,
    RebindNat,
    Quality(Quality),
    Count,
}

impl AccessPoint {
    pub(crate) async fn open(at: SocketAddr, seed: u64) -> Self {
        let phone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = phone.local_addr().unwrap();
        let (down, from_the_box) = mpsc::channel(FROM_THE_BOX_MAX);
        let (orders, to_do) = mpsc::channel(16);
        let radio = Radio {
            phone,
            at,
            flows: [const { Vec::new() }; 2],
            down,
            on: 0,
            gone: Vec::new(),
            away_until: None,
            quality: Quality::PERFECT,
            air: BinaryHeap::new(),
            serial: 0,
            dice: Dice(seed),
            counts: Counts::default(),
        };
        tokio::spawn(radio.run(to_do, from_the_box));
        Self { address, orders }
    }

    /// Where the phone finds the box.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The phone walks into the other network. What was in the air of the old one is lost, and so is whatever is still
    /// sent from the old address: the phone no longer has it.
    pub(crate) async fn switch(&self) {
        self.order(Order::Switch { keeps_address: false }).await;
    }

    /// The same, with the phone's socket bound to no address, so that its packets simply leave by the other network.
    pub(crate) async fn switch_unnoticed(&self) {
        self.order(Order::Switch { keeps_address: true }).await;
    }

    /// Nothing passes for so long.
    pub(crate) async fn away_for(&self, time: Duration) {
        self.order(Order::Away(time)).await;
    }

    /// Nothing passes until [`AccessPoint::back`].
    pub(crate) async fn away(&self) {
        self.order(Order::Away(FOR_EVER)).await;
    }

    pub(crate) async fn back(&self) {
        self.order(Order::Back).await;
    }

    /// A translator forgets the flow and gives it another outward port.
    pub(crate) async fn rebind_nat(&self) {
        self.order(Order::RebindNat).await;
    }

    pub(crate) async fn quality(&self, quality: Quality) {
        self.order(Order::Quality(quality)).await;
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.order(Order::Count).await
    }

    /// Done when it returns.
    async fn order(&self, order: Order) -> Counts {
        let (done, is_done) = oneshot::channel();
        self.orders.send((order, done)).await.unwrap();
        is_done.await.unwrap()
    }
}

/// One socket of the phone on one network, and its port towards the box.
struct Flow {
    phone: SocketAddr,
    outward: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// From the box: on which network, for which socket of the phone.
type Down = (usize, SocketAddr, Vec<u8>);

impl Flow {
    async fn open(network: usize, phone: SocketAddr, down: mpsc::Sender<Down>) -> Self {
        let host = Ipv4Addr::new(127, 0, 0, 2 + network as u8);
        let outward = Arc::new(UdpSocket::bind((host, 0)).await.unwrap());
        let socket = Arc::clone(&outward);
        let reader = tokio::spawn(async move {
            let mut bytes = [0; DATAGRAM_MAX];
            loop {
                // An error is an ICMP message about an earlier datagram: nobody's concern.
                if let Ok(length) = socket.recv(&mut bytes).await {
                    let _ = down.try_send((network, phone, bytes[..length].to_owned()));
                }
            }
        });
        Self { phone, outward, reader: reader.abort_handle() }
    }
}

/// One datagram under way. The greatest of a heap is the next due.
struct Flying {
    due: Instant,
    serial: u64,
    up: bool,
    network: usize,
    phone: SocketAddr,
    bytes: Vec<u8>,
}

impl PartialEq for Flying {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

impl Eq for Flying {}

impl PartialOrd for Flying {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flying {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.due, other.serial).cmp(&(self.due, self.serial))
    }
}

struct Radio {
    phone: UdpSocket,
    at: SocketAddr,
    /// By network.
    flows: [Vec<Flow>; 2],
    down: mpsc::Sender<Down>,
    on: usize,
    /// Addresses that the phone had and has no more.
    gone: Vec<SocketAddr>,
    away_until: Option<Instant>,
    quality: Quality,
    air: BinaryHeap<Flying>,
    serial: u64,
    dice: Dice,
    counts: Counts,
}

enum Happened {
    Ordered(Option<(Order, oneshot::Sender<Counts>)>),
    Up(std::io::Result<(usize, SocketAddr)>),
    Down(Down),
    Due,
}

impl Radio {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<(Order, oneshot::Sender<Counts>)>,
        mut down: mpsc::Receiver<Down>,
    ) {
        let mut up = [0; DATAGRAM_MAX];
        loop {
            let due = self.air.peek().map(|next| next.due);
            let happened = tokio::select! {
                ordered = orders.recv() => Happened::Ordered(ordered),
                got = self.phone.recv_from(&mut up) => Happened::Up(got),
                Some(got) = down.recv() => Happened::Down(got),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Happened::Due,
            };
            match happened {
                Happened::Ordered(None) => return,
                Happened::Ordered(Some((order, done))) => {
                    self.obey(order);
                    let _ = done.send(self.counts);
                }
                Happened::Up(Ok((length, from))) if !self.gone.contains(&from) => {
                    let flows = &mut self.flows[self.on];
                    if flows.iter().all(|flow| flow.phone != from) {
                        flows.push(Flow::open(self.on, from, self.down.clone()).await);
                        if flows.len() > FLOWS_MAX {
                            flows.remove(0);
                        }
                    }
                    self.fly(true, self.on, from, &up[..length]);
                }
                Happened::Down((network, phone, bytes)) => self.fly(false, network, phone, &bytes),
                Happened::Due => self.land().await,
                Happened::Up(_) => {}
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Switch { keeps_address } => {
                self.air.clear();
                let left = std::mem::take(&mut self.flows[self.on]);
                self.gone = left.iter().map(|flow| flow.phone).filter(|_| !keeps_address).collect();
                self.on = 1 - self.on;
            }
            Order::Away(time) => {
                self.air.clear();
                self.away_until = Some(Instant::now() + time);
            }
            Order::Back => self.away_until = None,
            // What the phone sends next opens another.
            Order::RebindNat => self.flows[self.on].clear(),
            Order::Quality(quality) => self.quality = quality,
            Order::Count => {}
        }
    }

    fn reaches(&self, network: usize) -> bool {
        network == self.on && self.away_until.is_none_or(|until| until <= Instant::now())
    }

    fn odds(&mut self, of_a_thousand: u64) -> bool {
        self.dice.below(1_000) < of_a_thousand
    }

    fn fly(&mut self, up: bool, network: usize, phone: SocketAddr, bytes: &[u8]) {
        let Quality { lost, doubled, held, delay, jitter, longest } = self.quality;
        if bytes.len() > longest {
            self.counts.too_long += 1;
            return;
        }
        // Always as many draws for a datagram, so that what becomes of one does not hang on what became of another.
        let (lost, doubled, held) = (self.odds(lost), self.odds(doubled), self.odds(held));
        let jitter = jitter.mul_f64(self.dice.below(1_000) as f64 / 1_000.0);
        if !self.reaches(network) || lost || self.air.len() + 2 > IN_THE_AIR_MAX {
            self.counts.lost += 1;
            return;
        }
        self.counts.doubled += u64::from(doubled);
        self.counts.held += u64::from(held);
        let later = if held { delay + Duration::from_millis(10) } else { Duration::ZERO };
        let due = Instant::now() + delay + jitter + later;
        for _ in 0..=u8::from(doubled) {
            self.serial += 1;
            self.air.push(Flying { due, serial: self.serial, up, network, phone, bytes: bytes.to_owned() });
        }
    }

    async fn land(&mut self) {
        while self.air.peek().is_some_and(|next| next.due <= Instant::now()) {
            let Some(Flying { up, network, phone, bytes, .. }) = self.air.pop() else { return };
            let flow = self.flows[network].iter().find(|flow| flow.phone == phone);
            // A full buffer or a box that is down: lost, as on any network.
            let sent = match flow {
                Some(flow) if self.reaches(network) && up => {
                    flow.outward.send_to(&bytes, self.at).await.is_ok()
                }
                Some(_) if self.reaches(network) => self.phone.send_to(&bytes, phone).await.is_ok(),
                _ => false,
            };
            if sent { self.counts.passed += 1 } else { self.counts.lost += 1 }
        }
    }
}
