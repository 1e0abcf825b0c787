//! Handshakes by the thousand from one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::Arena;
use super::support::pair::PIN;
use super::support::raw::{PATIENCE, Way};
use super::support::until;

/// Attempts that are made and not gone on with.
const HALF_OPEN: usize = 1_000;
/// The flood's own address.
const FLOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// First packets of a thousand attempts, as quinn makes them, caught by a socket that answers none.
async fn first_packets(arena: &Arena) -> Result<Vec<Vec<u8>>> {
    let sink = UdpSocket::bind((FLOOD, 0)).await?;
    let way = Way { from: FLOOD, to: sink.local_addr()?, ..Way::new(&arena.fixture.devbox) };
    let endpoint = way.endpoint()?;
    let mut packets: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut attempts = Vec::with_capacity(HALF_OPEN);
    let mut buffer = [0; 2048];
    while packets.len() < HALF_OPEN {
        attempts.push(endpoint.connect(way.to, "127.0.0.1")?);
        let received = tokio::time::timeout(Duration::from_secs(2), sink.recv(&mut buffer)).await;
        let length = received.context("no first packet")??;
        // A long header's destination connection id tells attempts apart (RFC 9000, 17.2).
        let id = buffer[6..6 + usize::from(buffer[5])].to_vec();
        packets.entry(id).or_insert_with(|| buffer[..length].to_vec());
        ensure!(attempts.len() < 4 * HALF_OPEN, "first packets do not come");
    }
    Ok(packets.into_values().collect())
}

/// What the box has counted of handshakes: begun, sent back for a proof, dropped.
fn handshakes_counted(arena: &Arena) -> Result<[u64; 3]> {
    let count = |name: &str| arena.fixture.metric(&format!("wardline_relay_handshakes_{name}"));
    Ok([count("total")?, count("retried_total")?, count("dropped_total")?])
}

/// Waits until the box has looked at what was sent: the kernel may have dropped some, but then counts no further.
async fn looked_at(arena: &Arena, begun: u64) -> Result<()> {
    until(PATIENCE, &format!("{begun} first packets come"), || Ok(handshakes_counted(arena)?[0] >= begun))
        .await
}

/// A thousand first packets whose senders never speak again.
pub(super) async fn half_open(arena: &mut Arena) -> Result<()> {
    let packets = first_packets(arena).await?;
    let before = handshakes_counted(arena)?;
    let deaf = UdpSocket::bind((FLOOD, 0)).await?;
    for packet in &packets {
        deaf.send_to(packet, arena.way.to).await?;
    }
    // In the middle of it: the bystanders, and a newcomer.
    arena.pair.exchange().await.context("during the flood")?;
    arena.way.join(&arena.fixture.code("Jonas")?, PIN).await.context("a newcomer during the flood")?;
    // The kernel may drop some of a burst; most must have come for this to be a flood.
    looked_at(arena, before[0] + 500).await?;
    let retried = handshakes_counted(arena)?[1] - before[1];
    ensure!(retried > 0, "a flood from one address, and nobody had to prove theirs");
    Ok(())
}

/// The same from two thousand addresses, each of which has all of its tokens.
pub(super) async fn half_open_from_everywhere(arena: &mut Arena) -> Result<()> {
    let mut packets = first_packets(arena).await?;
    packets.extend(first_packets(arena).await?);
    let before = handshakes_counted(arena)?;
    for (which, packet) in (0_u16..).zip(&packets) {
        let [high, low] = which.to_be_bytes();
        let deaf = UdpSocket::bind((Ipv4Addr::new(127, 77, high, low), 0)).await?;
        deaf.send_to(packet, arena.way.to).await?;
    }
    let exchange = arena.pair.exchange().await.context("during the flood")?;
    arena.way.join(&arena.fixture.code("Jonas")?, PIN).await.context("a newcomer during the flood")?;
    looked_at(arena, before[0] + 1_500).await?;
    let after = handshakes_counted(arena)?;
    let (begun, retried) = (after[0] - before[0], after[1] - before[1]);
    super::report(&format!(
        "       {begun} from {} addresses, {retried} to prove it, exchange {exchange:.1?}",
        packets.len()
    ));
    // Who was let in without a proof holds a place for ten seconds: a quarter of all places, not more.
    ensure!(begun - retried < 1_100, "{begun} came, and only {retried} had to prove their address");
    ensure!(after[2] == before[2], "some were dropped, and the newcomer could have been one of them");
    Ok(())
}

/// More first packets under somebody's address than it may begin handshakes: the one who is there comes in all the same.
pub(super) async fn forged_address(arena: &mut Arena) -> Result<()> {
    const VICTIM: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
    /// With a burst of 2,500 and 100 a second.
    const TIMES: usize = 4;
    let packets = first_packets(arena).await?;
    let before = handshakes_counted(arena)?;
    let forger = UdpSocket::bind((VICTIM, 0)).await?;
    for time in 1..=TIMES {
        for packet in &packets {
            forger.send_to(packet, arena.way.to).await?;
        }
        // One after the other, so that the kernel has room for each.
        looked_at(arena, before[0] + (time * HALF_OPEN * 4 / 5) as u64).await?;
    }
    let way = Way { from: VICTIM, ..Way::new(&arena.fixture.devbox) };
    way.join(&arena.fixture.code("Emil")?, PIN).await.context("whose address it is")?;
    let after = handshakes_counted(arena)?;
    ensure!(after[2] == before[2], "{} attempts were dropped", after[2] - before[2]);
    Ok(())
}

/// Whole handshakes as fast as this machine makes them, none of which opens its control stream.
pub(super) async fn handshakes(arena: &mut Arena) -> Result<()> {
    const AT_ONCE: usize = 8;
    const EACH: usize = 60;
    let way = Way { from: FLOOD, ..Way::new(&arena.fixture.devbox) };
    let before = arena.fixture.metric("wardline_relay_handshakes_total")?;
    let mut floods = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (endpoint, to) = (way.endpoint()?, way.to);
        floods.spawn(async move {
            let mut held = Vec::new();
            for _ in 0..EACH {
                let connecting = endpoint.connect(to, "127.0.0.1")?;
                if let Ok(Ok(quic)) = tokio::time::timeout(Duration::from_secs(3), connecting).await {
                    held.push(quic);
                }
            }
            anyhow::Ok((endpoint, held))
        });
    }
    arena.pair.exchange().await.context("during the flood")?;
    arena.way.join(&arena.fixture.code("Jonas")?, PIN).await.context("a newcomer during the flood")?;
    let mut held = 0;
    let mut kept = Vec::new();
    while let Some(flood) = floods.join_next().await {
        let (endpoint, connections) = flood??;
        held += connections.len();
        kept.push((endpoint, connections));
    }
    ensure!(held > AT_ONCE * EACH / 2, "only {held} handshakes came through: no flood");
    let begun = arena.fixture.metric("wardline_relay_handshakes_total")? - before;
    ensure!(begun >= u64::try_from(held)?, "{held} handshakes, and the box counts {begun}");
    // All of them are open and silent now.
    arena.pair.exchange().await.context("beside the silent connections")?;
    arena.way.join(&arena.fixture.code("Jonas")?, PIN).await.context("a newcomer beside them")?;
    Ok(())
}
