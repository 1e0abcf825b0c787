//! Copied profiles, and what a phone sends that nobody has unlocked.

use anyhow::{Context as _, Result, bail, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use prost::Message as _;
use wardline_core::audit::{Act, Actor};
use wardline_core::composing::{self, Lease};
use wardline_core::ids::{DeviceId, MessageId, PersonId};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use super::Arena;
use super::people::{accepted, conversation_with};
use super::support::audit;
use super::support::pair::PIN;
use super::support::raw::{Device, Raw, Way, refused_as, submit};

const REVOKED: u64 = 0x13;
const REFUSED: u64 = 0x14;

/// Signs in with this secret. The answer, and the connection that it came on.
async fn presents(way: &Way, device: &Device, secret: &[u8]) -> Result<(Raw, Answer)> {
    let mut raw = way.connect().await?;
    let challenge = raw.hello(Some(device.id)).await?;
    let proof = raw.proof(device, &challenge)?;
    let proof = proto::Prove { rotates: true, login_secret: secret.to_vec(), ..proof };
    let answer = raw.ask(Ask::Prove(proof)).await?;
    Ok((raw, answer))
}

async fn is_given(way: &Way, device: &Device, secret: &[u8]) -> Result<(Raw, Vec<u8>)> {
    match presents(way, device, secret).await? {
        (raw, Answer::SignedIn(signed_in)) => Ok((raw, signed_in.login_secret)),
        (_, Answer::Refused(refused)) => bail!("not signed in: {}", refused.code().as_str_name()),
        _ => bail!("not signed in"),
    }
}

/// Emil's browser loses answers, which is no harm; then somebody uses a copy of it.
pub(super) async fn copied(arena: &mut Arena) -> Result<()> {
    let (way, emil) = (&arena.way, arena.fixture.person("Emil")?);
    let (mut other, _) = way.join(&arena.fixture.code("Emil")?, PIN).await?;
    let (_, device) = way.join(&arena.fixture.code("Emil")?, PIN).await?;
    let (_, first) = is_given(way, &device, &[]).await?;
    // Whatever was lost: none, the first, the second.
    let (_, _) = is_given(way, &device, &[]).await?;
    let (_, second) = is_given(way, &device, &[]).await?;
    let (_, third) = is_given(way, &device, &second).await?;
    let (mut raw, fourth) = is_given(way, &device, &second).await?;
    ensure!([&first, &second, &third, &fourth].iter().all(|secret| secret.len() == 32), "no secret");
    raw.ask(Ask::ListUnits(proto::ListUnits {})).await?;
    // Asked for something: the second is used up, and was copied.
    let (copy, answer) = presents(way, &device, &second).await?;
    let Answer::Refused(refused) = answer else { bail!("a copy was let in") };
    refused_as(&refused, RefusalCode::DeviceCopied)?;
    copy.closes_with(REFUSED).await?;
    raw.closes_with(REVOKED).await?;
    let told = loop {
        if let Some(Answer::DeviceCopied(told)) = other.frame().await?.body {
            break told;
        }
    };
    let named = told.device.context("no device")?.device;
    ensure!((told.person, named) == (emil, device.id.value()), "told of another device");
    let mut late = way.connect().await?;
    let hello = super::support::raw::hello(Some(device.id));
    refused_as(&late.refused(hello).await?, RefusalCode::DeviceUnknown)?;
    let person = PersonId::new(emil).context("a person")?;
    let act = Act::DeviceCopied(person, device.id);
    let entries = audit::count(&arena.fixture, |by, what| (*by, *what) == (Actor::TheBox, act)).await?;
    ensure!(entries == 1, "{entries} entries of a copy in the audit");
    Ok(())
}

/// As an app does, once for each message.
fn seal(device: DeviceId, lease: &proto::Lease, submit: &proto::Submit) -> Result<Vec<u8>> {
    let message = MessageId(submit.message.as_slice().try_into()?);
    let context = composing::context(device, Lease(lease.number), message);
    let mut key = [0; 32];
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&lease.key);
    let info = [context.as_slice()];
    secret.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).ok().context("no key")?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).ok().context("no key")?);
    let (nonce, mut text) = ([submit.message[0]; 12], submit.encode_to_vec());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&context), &mut text)
        .ok()
        .context("not sealed")?;
    Ok([nonce.as_slice(), &text].concat())
}

async fn until_locked(raw: &mut Raw) -> Result<()> {
    raw.say(Ask::Lock(proto::Lock {})).await?;
    while !matches!(raw.frame().await?.body, Some(Answer::Locked(_))) {}
    Ok(())
}

/// Emil composes, locks, and it is sent all the same; and nothing else is.
pub(super) async fn from_a_locked_phone(arena: &mut Arena) -> Result<()> {
    let way = &arena.way;
    let (_, device) = way.join(&arena.fixture.code("Emil")?, PIN).await?;
    let (mut raw, signed_in) = way.sign_in(&device).await?;
    let lease = signed_in.lease.context("no lease")?;
    ensure!(lease.key.len() == 32, "a key of another length");
    let conversation = conversation_with(&mut raw, arena.fixture.person("Hugo")?).await?;
    let compose = |number: u64, lease: &proto::Lease| -> Result<proto::SubmitSealed> {
        let name = u8::try_from(number)?;
        let Ask::Submit(plain) = submit(number, name, conversation, "composed") else { bail!("no message") };
        let sealed = seal(device.id, lease, &plain)?;
        Ok(proto::SubmitSealed { number, lease: lease.number, message: vec![name; 16], sealed })
    };
    let (first, second) = (compose(1, &lease)?, compose(2, &lease)?);
    until_locked(&mut raw).await?;
    // What is no message of this device under this lease is none at all.
    let mut damaged = first.clone();
    *damaged.sealed.last_mut().context("empty")? ^= 1;
    let stranger = seal(
        DeviceId::new(device.id.value() ^ 1).context("a device")?,
        &lease,
        &proto::Submit { message: vec![1; 16], ..Default::default() },
    )?;
    for wrong in [
        damaged,
        proto::SubmitSealed { lease: first.lease + 1, ..first.clone() },
        proto::SubmitSealed { message: vec![9; 16], ..first.clone() },
        proto::SubmitSealed { sealed: stranger, ..first.clone() },
        proto::SubmitSealed { sealed: vec![0; 27], ..first.clone() },
        proto::SubmitSealed { sealed: vec![0; 12_000], ..first.clone() },
    ] {
        refused_as(&raw.refused(Ask::SubmitSealed(wrong)).await?, RefusalCode::SealedOtherwise)?;
    }
    let other_number = proto::SubmitSealed { number: 5, ..first.clone() };
    refused_as(&raw.refused(Ask::SubmitSealed(other_number)).await?, RefusalCode::Locked)?;
    refused_as(&raw.refused(submit(6, 6, conversation, "typed now")).await?, RefusalCode::Locked)?;
    let sent = accepted(raw.ask(Ask::SubmitSealed(first.clone())).await?)?;
    ensure!(sent.cursor.is_empty(), "a cursor for who may not read");
    let again = accepted(raw.ask(Ask::SubmitSealed(first.clone())).await?)?;
    ensure!(sent.sequence == again.sequence, "a retry took a place");
    // Before the proof it is out of turn; after it, nobody need have unlocked.
    let mut early = way.connect().await?;
    early.hello(Some(device.id)).await?;
    early.say(Ask::SubmitSealed(second.clone())).await?;
    early.closes_with(0x102).await?;
    let mut raw = way.connect().await?;
    let challenge = raw.hello(Some(device.id)).await?;
    let proof = raw.proof(&device, &challenge)?;
    ensure!(matches!(raw.ask(Ask::Prove(proof)).await?, Answer::PinNeeded(_)), "no PIN is asked for");
    let next = accepted(raw.ask(Ask::SubmitSealed(second)).await?)?;
    ensure!(next.sequence == sent.sequence + 1, "the second took another place");
    // Once its author is here it goes under any number, and by an old key.
    let third = compose(3, &lease)?;
    let unlocked = raw.ask(Ask::Unlock(proto::Unlock { pin: PIN.to_owned() })).await?;
    let Answer::SignedIn(signed_in) = unlocked else { bail!("not unlocked") };
    let fresh = signed_in.lease.context("no lease")?;
    ensure!(fresh != lease, "the same lease once more");
    let third = proto::SubmitSealed { number: 8, ..third };
    let last = accepted(raw.ask(Ask::SubmitSealed(third)).await?)?;
    ensure!((last.number, last.sequence) == (8, next.sequence + 1), "the third went elsewhere");
    let history = Ask::History(proto::History { conversation, before: 0, limit: 3 });
    let Answer::HistoryPage(page) = raw.ask(history).await? else { bail!("no history") };
    ensure!(page.messages.iter().all(|message| message.text == "composed"), "another text");
    ensure!(page.messages.len() == 3, "{} messages", page.messages.len());
    Ok(())
}
