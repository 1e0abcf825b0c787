//! UDP there and back, without a connection: a packet of a QUIC version that nobody has, which a QUIC server answers with the
//! versions that it has (RFC 9000, 6). It leaves nothing on the box, costs it no handshake and counts against no budget; and
//! on a connected socket the system tells when the other end has nobody on that port.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::socket::any;
use crate::clock;

/// Smaller ones are not answered (RFC 9000, 14.1).
const SIZE: usize = 1_200;
/// Reserved to be in no server (RFC 9000, 15).
const VERSION: [u8; 4] = [0x5a, 0x6a, 0x7a, 0x8a];
const ID: usize = 8;
/// Versions of an answer that are looked at.
const VERSIONS_MAX: usize = 16;
/// QUIC version 1.
const V1: u32 = 1;

/// How often, how fast and how long.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Packets to send: 1 to 1,000.
    pub count: u32,
    /// From one to the next.
    pub apart: Duration,
    /// For the answers that are out when the last one is sent.
    pub rest: Duration,
}

/// What stands in the way, in the words of the system and of routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// ICMP port unreachable: the machine is there and nobody listens, or a firewall says so in its name.
    PortClosed,
    /// No route, or ICMP host unreachable: there is no way to that address, or nobody has it.
    NoRoute,
    /// This machine's own firewall.
    Forbidden,
    /// What has no name here, by the system's kind of error.
    Unnamed(io::ErrorKind),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knocks {
    /// This machine's address on the way there.
    pub from: Option<IpAddr>,
    /// Packets that left.
    pub sent: u32,
    /// The round trip of each that was answered, as they came.
    pub answered: Vec<Duration>,
    /// The other end is a QUIC server, and not of version 1.
    pub lacks_version_1: bool,
    /// Why nothing came, if the system knows. Answers count more.
    pub obstacle: Option<Obstacle>,
}

impl Default for Patience {
    /// Ten in half a second, and a second for the last: a look.
    fn default() -> Self {
        Self { count: 10, apart: Duration::from_millis(50), rest: Duration::from_secs(1) }
    }
}

/// Knocks at an address.
pub async fn knock(at: SocketAddr, patience: Patience) -> Knocks {
    let mut knocks =
        Knocks { from: None, sent: 0, answered: Vec::new(), lacks_version_1: false, obstacle: None };
    if let Err(error) = go_on(at, patience, &mut knocks).await
        && knocks.answered.is_empty()
    {
        knocks.obstacle = Some(Obstacle::of(&error));
    }
    knocks
}

async fn go_on(at: SocketAddr, patience: Patience, knocks: &mut Knocks) -> io::Result<()> {
    let socket = UdpSocket::bind(any(at)).await?;
    socket.connect(at).await?;
    knocks.from = socket.local_addr().ok().map(|from| from.ip());
    let mut waiting: Vec<([u8; ID], Instant)> = Vec::new();
    for _ in 0..patience.count.min(1_000) {
        let id = clock::random::<ID>().map_err(|_| io::Error::other("no randomness"))?;
        let until = tokio::time::Instant::now() + patience.apart;
        waiting.push((id, Instant::now()));
        socket.send(&packet(id)).await?;
        knocks.sent += 1;
        listen(&socket, until, &mut waiting, knocks, false).await?;
    }
    listen(&socket, tokio::time::Instant::now() + patience.rest, &mut waiting, knocks, true).await
}

/// Takes answers until the time is over, or, `all`, until none is missing.
async fn listen(
    socket: &UdpSocket,
    until: tokio::time::Instant,
    waiting: &mut Vec<([u8; ID], Instant)>,
    knocks: &mut Knocks,
    all: bool,
) -> io::Result<()> {
    let mut buffer = [0; 2_048];
    while !(all && waiting.is_empty()) {
        let Ok(received) = tokio::time::timeout_at(until, socket.recv(&mut buffer)).await else { break };
        let Some((id, versions)) = answer(&buffer[..received?]) else { continue };
        if let Some(at) = waiting.iter().position(|(waiting, _)| *waiting == id) {
            knocks.answered.push(waiting.swap_remove(at).1.elapsed());
            knocks.lacks_version_1 = !versions.contains(&V1);
        }
    }
    Ok(())
}

/// A long header with nothing behind it; `id` is where the answer goes.
fn packet(id: [u8; ID]) -> [u8; SIZE] {
    let mut packet = [0; SIZE];
    packet[0] = 0b1100_0000;
    packet[1..5].copy_from_slice(&VERSION);
    packet[5] = ID as u8;
    packet[6..6 + ID].copy_from_slice(&id);
    packet[6 + ID] = ID as u8;
    packet[7 + ID..7 + 2 * ID].copy_from_slice(&id);
    packet
}

/// A version negotiation packet (RFC 9000, 17.2.1): to whom, and the versions.
fn answer(packet: &[u8]) -> Option<([u8; ID], Vec<u32>)> {
    let (first, rest) = packet.split_first()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    if first & 0x80 == 0 || *version != [0; 4] {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let id = rest.first_chunk::<ID>().filter(|_| usize::from(*length) == ID)?;
    let (length, rest) = rest.get(ID..)?.split_first()?;
    let versions = rest.get(usize::from(*length)..)?.chunks_exact(4).take(VERSIONS_MAX);
    let versions = versions.filter_map(|v| v.try_into().ok().map(u32::from_be_bytes)).collect();
    Some((*id, versions))
}

impl Obstacle {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::PortClosed,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Self::NoRoute,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            kind => Self::Unnamed(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_to_this_knock_counts() {
        let id = [7; ID];
        let mut good = vec![0xa5, 0, 0, 0, 0, 8];
        good.extend(id);
        good.extend([2, 9, 9]);
        good.extend([0x0a, 0x1a, 0x2a, 0x3a, 0, 0, 0, 1]);
        assert_eq!(answer(&good), Some((id, vec![0x0a1a_2a3a, 1])));
        for end in 0..17 {
            assert_eq!(answer(&good[..end]), None, "cut at {end}");
        }
        // A packet of version 1, an answer to an identifier of another length.
        let (mut other, mut short) = (good.clone(), good.clone());
        other[4] = 1;
        short[5] = 4;
        assert!(answer(&other).is_none() && answer(&short).is_none());
    }

    #[test]
    fn what_the_system_says_is_told_apart() {
        let of = |kind: io::ErrorKind| Obstacle::of(&io::Error::from(kind));
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Obstacle::PortClosed);
        assert_eq!(of(io::ErrorKind::HostUnreachable), Obstacle::NoRoute);
        assert_eq!(of(io::ErrorKind::NetworkUnreachable), Obstacle::NoRoute);
        assert_eq!(of(io::ErrorKind::PermissionDenied), Obstacle::Forbidden);
    }
}
