//! Bytes and frames that no client would send.

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use wardline_core::audit::{Act, Actor};
use wardline_core::limits::CLIENT_FRAME_MAX;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use super::Arena;
use super::support::audit;
use super::support::pair::PIN;
use super::support::raw::{Raw, Way, hello, refusal, refused_as, submit};
use super::support::until;

/// `no_application_protocol` as QUIC carries it (RFC 9001, 4.8; RFC 7301, 3.2).
const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
/// Found by the doorway or by the core.
const OUT_OF_TURN: u64 = 0x102;
/// The peer left.
const DONE: u64 = 0x10;

/// Field 99 with nothing in it, in protobuf.
const FIELD_99: [u8; 3] = [0x9a, 0x06, 0];

/// Closed with this code, counted, and logged in these words, whoever found it.
async fn faulted(arena: &Arena, raw: Raw, code: u64, words: &str, before: u64) -> Result<()> {
    raw.closes_with(code).await.with_context(|| words.to_owned())?;
    until(super::support::raw::PATIENCE, "the fault is counted and logged", || {
        let logged = arena.fixture.relay_log()?.contains(words);
        Ok(logged && faults(arena)? > before)
    })
    .await
}

fn faults(arena: &Arena) -> Result<u64> {
    arena.fixture.metric("wardline_relay_peer_faults_total")
}

pub(super) async fn unknown_alpn(arena: &mut Arena) -> Result<()> {
    for alpn in [b"h2".as_slice(), b"wardline/2"] {
        let way = Way { alpn, ..Way::new(&arena.fixture.devbox) };
        let error = match way.connect().await {
            Ok(_) => bail!("a connection under an unknown ALPN"),
            Err(error) => error,
        };
        match error.downcast_ref::<quinn::ConnectionError>() {
            Some(quinn::ConnectionError::ConnectionClosed(close)) => {
                let code = u64::from(close.error_code);
                ensure!(code == NO_APPLICATION_PROTOCOL, "closed with {code:#x}");
            }
            _ => bail!("not refused by TLS: {error:#}"),
        }
    }
    Ok(())
}

pub(super) async fn truncated(arena: &mut Arena) -> Result<()> {
    let before = faults(arena)?;
    for bytes in [[0, 0, 0, 40, 1, 2, 3].as_slice(), &[0, 0], &[]] {
        let mut raw = arena.way.connect().await?;
        raw.bytes(bytes).await?;
        raw.finish()?;
        raw.closes_with(DONE).await?;
    }
    ensure!(faults(arena)? == before, "a lost connection was counted as a fault of the peer");
    Ok(())
}

pub(super) async fn oversize(arena: &mut Arena) -> Result<()> {
    for length in [u32::try_from(CLIENT_FRAME_MAX)? + 1, u32::MAX] {
        let before = faults(arena)?;
        let mut raw = arena.way.connect().await?;
        raw.bytes(&length.to_be_bytes()).await?;
        faulted(arena, raw, 0x101, "oversize frame", before).await?;
    }
    Ok(())
}

pub(super) async fn malformed(arena: &mut Arena) -> Result<()> {
    for bytes in [[0, 0, 0, 1, 0xff].as_slice(), &[0, 0, 0, 0], &[0, 0, 0, 3, 0x12, 0x7f, 0]] {
        let before = faults(arena)?;
        let mut raw = arena.way.connect().await?;
        raw.bytes(bytes).await?;
        faulted(arena, raw, 0x100, "malformed frame", before).await?;
    }
    Ok(())
}

pub(super) async fn unknown_request(arena: &mut Arena) -> Result<()> {
    let (mut raw, _) = arena.way.join(&arena.fixture.code("Emil")?, PIN).await?;
    // Request 70, field 99.
    raw.bytes(&[0, 0, 0, 5, 0x08, 70, FIELD_99[0], FIELD_99[1], FIELD_99[2]]).await?;
    refused_as(&refusal(raw.answer(70).await?)?, RefusalCode::UnknownRequest)?;
    match raw.ask(Ask::ListPeople(proto::ListPeople { after: 0 })).await? {
        Answer::PeoplePage(page) if !page.people.is_empty() => Ok(()),
        _ => bail!("the connection does not go on"),
    }
}

pub(super) async fn unknown_fields(arena: &mut Arena) -> Result<()> {
    let mut raw = arena.way.connect().await?;
    let frame = proto::ClientFrame { request: 1, body: Some(hello(None)) };
    let bytes = [frame.encode_to_vec().as_slice(), &FIELD_99].concat();
    raw.bytes(&u32::try_from(bytes.len())?.to_be_bytes()).await?;
    raw.bytes(&bytes).await?;
    match raw.answer(1).await? {
        Answer::Welcome(_) => Ok(()),
        _ => bail!("no welcome to a hello with one field more"),
    }
}

pub(super) async fn out_of_turn(arena: &mut Arena) -> Result<()> {
    let prove = || Ask::Prove(proto::Prove { device: 7, signature: vec![0; 64], ..proto::Prove::default() });
    let unlock = || Ask::Unlock(proto::Unlock { pin: PIN.to_owned() });
    let early = [submit(1, 1, 7, "early"), Ask::Sync(proto::Sync::default()), prove(), unlock()];
    for (at, body) in early.into_iter().enumerate() {
        // Before hello, and before a proof.
        for welcomed in [false, true] {
            let before = faults(arena)?;
            let mut raw = arena.way.connect().await?;
            if welcomed {
                raw.hello(None).await?;
            }
            raw.say(body.clone()).await?;
            let outcome = faulted(arena, raw, OUT_OF_TURN, "frame out of turn", before).await;
            outcome.with_context(|| format!("early frame {at}, welcomed: {welcomed}"))?;
        }
    }
    let (raw, _) = arena.way.join(&arena.fixture.code("Emil")?, PIN).await?;
    late(arena, raw, hello(None)).await.context("a second hello")?;
    let (raw, _) = arena.way.join(&arena.fixture.code("Emil")?, PIN).await?;
    late(arena, raw, unlock()).await.context("an unlock where nothing is locked")
}

async fn late(arena: &Arena, mut raw: Raw, body: Ask) -> Result<()> {
    let before = faults(arena)?;
    raw.say(body).await?;
    faulted(arena, raw, OUT_OF_TURN, "frame out of turn", before).await
}

pub(super) async fn forged(arena: &mut Arena) -> Result<()> {
    let (first, device) = arena.way.join(&arena.fixture.code("Fatima")?, PIN).await?;
    // A bit of the signature.
    let before = faults(arena)?;
    let mut raw = arena.way.connect().await?;
    let challenge = raw.hello(Some(device.id)).await?;
    let mut proof = raw.proof(&device, &challenge)?;
    proof.signature[33] ^= 1;
    raw.say(Ask::Prove(proof)).await?;
    faulted(arena, raw, 0x103, "forged signature", before).await?;
    // A good proof, carried to another connection.
    let before = faults(arena)?;
    let (mut from, mut to) = (arena.way.connect().await?, arena.way.connect().await?);
    let challenge = from.hello(Some(device.id)).await?;
    let proof = from.proof(&device, &challenge)?;
    to.hello(Some(device.id)).await?;
    to.say(Ask::Prove(proof)).await?;
    faulted(arena, to, 0x103, "forged signature", before).await?;
    // Another device's name under a good signature.
    let before = faults(arena)?;
    let mut raw = arena.way.connect().await?;
    let challenge = raw.hello(Some(device.id)).await?;
    let mut proof = raw.proof(&device, &challenge)?;
    proof.device ^= 1;
    raw.say(Ask::Prove(proof)).await?;
    faulted(arena, raw, OUT_OF_TURN, "frame out of turn", before).await?;
    // A join whose signature is over something else; the code is not spent by it.
    let before = faults(arena)?;
    let code = arena.fixture.code("Fatima")?;
    let mut raw = arena.way.connect().await?;
    ensure!(raw.join(&code, PIN, true).await.is_err(), "a forged join was answered");
    faulted(arena, raw, 0x103, "forged signature", before).await?;
    arena.way.join(&code, PIN).await.context("the code after a forged join")?;
    // Two proofs failed under the device's name, and the audit has both; a join has no name to record yet.
    let forged =
        |actor: &Actor, act: &Act| (*actor, *act) == (Actor::Unproven, Act::PeerFault(device.id, 0x103));
    let recorded = audit::count(&arena.fixture, forged).await?;
    ensure!(recorded == 2, "{recorded} forged signatures in the audit");
    // None of it ended the device's own connection.
    ensure!(first.quic.close_reason().is_none(), "the device lost its connection to a forger");
    Ok(())
}
