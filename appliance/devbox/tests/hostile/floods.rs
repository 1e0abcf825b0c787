//! Handshakes by the thousand from one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::Arena;
use super::support::pair::PIN;
use super::support::raw::Way;

/// The flood's own address.
const FLOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// A thousand first packets whose senders never speak again.
pub(super) async fn half_open(arena: &mut Arena) -> Result<()> {
    const HALF_OPEN: usize = 1_000;
    // First packets as quinn makes them, caught by a socket that answers none.
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
    let before = arena.fixture.metric("wardline_relay_handshakes_total")?;
    let deaf = UdpSocket::bind((FLOOD, 0)).await?;
    for packet in packets.values() {
        deaf.send_to(packet, arena.way.to).await?;
    }
    // In the middle of it: the bystanders, and a newcomer.
    arena.pair.exchange().await.context("during the flood")?;
    arena.way.join(&arena.fixture.code("Jonas")?, PIN).await.context("a newcomer during the flood")?;
    let begun = arena.fixture.metric("wardline_relay_handshakes_total")? - before;
    let retried = arena.fixture.metric("wardline_relay_handshakes_retried_total")?;
    // The kernel may drop some of a burst; most must have come for this to be a flood.
    ensure!(begun > 500, "only {begun} first packets came");
    ensure!(retried > 0, "{begun} handshakes from one address, and none had to prove its address");
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
