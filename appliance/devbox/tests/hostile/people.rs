//! Devices and people who want what is not theirs.

use anyhow::{Context as _, Result, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use wardline_core::audit::{Act, Actor};
use wardline_core::escalation::StatId;
use wardline_core::escalation::signed::{CallNote, Said, Statement};
use wardline_core::ids::{ConversationId, PersonId, Sequence};
use wardline_core::limits::PIN_TRIES_MAX;
use wardline_core::time::Wall;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use super::Arena;
use super::support::audit;
use super::support::pair::PIN;
use super::support::raw::{Device, Raw, Way, hello, refusal, refused_as, submit};
use super::support::until;

/// The refusal just sent was final.
const REFUSED: u64 = 0x14;

/// The place that a message got.
pub(super) fn accepted(answer: Answer) -> Result<proto::Accepted> {
    match answer {
        Answer::Accepted(accepted) => Ok(accepted),
        Answer::Refused(refused) => bail!("not accepted: {}", refused.code().as_str_name()),
        _ => bail!("not accepted"),
    }
}

/// A direct conversation with somebody.
pub(super) async fn conversation_with(raw: &mut Raw, person: u64) -> Result<u64> {
    match raw.ask(Ask::OpenDirect(proto::OpenDirect { person })).await? {
        Answer::Opened(opened) => Ok(opened.conversation.context("opened nothing")?.conversation),
        _ => bail!("no conversation was opened"),
    }
}

pub(super) async fn numbers(arena: &mut Arena) -> Result<()> {
    let (mut raw, _) = arena.way.join(&arena.fixture.code("Grace")?, PIN).await?;
    let conversation = conversation_with(&mut raw, arena.fixture.person("Hugo")?).await?;
    let first = accepted(raw.ask(submit(5, 5, conversation, "five")).await?)?;
    // The same again is answered the same, and takes no second place.
    let again = accepted(raw.ask(submit(5, 5, conversation, "five")).await?)?;
    ensure!((first.sequence, first.at) == (again.sequence, again.at), "a retry was answered otherwise");
    let next = accepted(raw.ask(submit(6, 6, conversation, "six")).await?)?;
    ensure!(next.sequence == first.sequence + 1, "a retry took a place in the conversation");
    // A number that was skipped has passed; the connection goes on.
    refused_as(&raw.refused(submit(3, 3, conversation, "three")).await?, RefusalCode::NumberPassed)?;
    for number in [0, u64::MAX] {
        refused_as(&raw.refused(submit(number, 9, conversation, "x")).await?, RefusalCode::Invalid)?;
    }
    // A conversation of others looks like none.
    let others = arena.pair.conversation.value();
    refused_as(&raw.refused(submit(7, 7, others, "hello")).await?, RefusalCode::NoSuchConversation)?;
    let history = Ask::History(proto::History { conversation: others, before: 0, limit: 10 });
    refused_as(&raw.refused(history).await?, RefusalCode::NoSuchConversation)?;
    // What administrators may do, others may not.
    let purge = Ask::PurgeConversation(proto::PurgeConversation { conversation: others });
    refused_as(&raw.refused(purge).await?, RefusalCode::NotAdministrator)?;
    let before = arena.fixture.metric("wardline_relay_peer_faults_total")?;
    raw.say(submit(5, 55, conversation, "another under five")).await?;
    raw.closes_with(0x104).await?;
    let after = arena.fixture.metric("wardline_relay_peer_faults_total")?;
    ensure!(after == before + 1, "the fault was not counted");
    Ok(())
}

/// Emil calls Hugo, and notes that Hugo was reached: signed by nobody, by another key, in another facility, about another STAT; and at
/// last as it is to be.
pub(super) async fn unsigned(arena: &mut Arena) -> Result<()> {
    let (mut raw, device) = arena.way.join(&arena.fixture.code("Emil")?, PIN).await?;
    let hugo = arena.fixture.person("Hugo")?;
    let conversation = conversation_with(&mut raw, hugo).await?;
    let Ask::Submit(stat) = submit(1, 1, conversation, "Bed 4") else { bail!("no message") };
    let (priority, call) = (proto::Priority::Stat.into(), Some(proto::Call { people: vec![hugo], unit: 0 }));
    let sent = accepted(raw.ask(Ask::Submit(proto::Submit { priority, call, ..stat })).await?)?;
    let note = proto::CallNote { reached: hugo, read_back: true, called: sent.at, ..Default::default() };
    let said = Said::Note(CallNote::parse(&note)?);
    let conversation_id = ConversationId::new(conversation).context("a conversation")?;
    let bytes = |facility, sequence| {
        let stat = StatId { conversation: conversation_id, sequence: Sequence(sequence) };
        Statement { facility, device: device.id, stat, at: Wall(7), said: &said }.to_bytes()
    };
    let sign = |key: &EcdsaKeyPair, bytes: &[u8]| {
        anyhow::Ok(key.sign(&SystemRandom::new(), bytes)?.as_ref().to_vec())
    };
    let ask = |signature: Vec<u8>| {
        let answer = Some(proto::answer_stat::Answer::CallNote(note.clone()));
        let sequence = sent.sequence;
        Ask::AnswerStat(proto::AnswerStat { conversation, sequence, answer, at: 7, signature })
    };
    let right = bytes(&arena.way.root, sent.sequence);
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    for signature in [
        Vec::new(),
        vec![1; 64],
        sign(&stranger, &right)?,
        sign(&device.key, &bytes(&[0; 32], sent.sequence))?,
        sign(&device.key, &bytes(&arena.way.root, sent.sequence + 1))?,
    ] {
        refused_as(&raw.refused(ask(signature)).await?, RefusalCode::StatUnsigned)?;
    }
    match raw.ask(ask(sign(&device.key, &right)?)).await? {
        Answer::Done(_) => Ok(()),
        _ => bail!("what the device signed was refused"),
    }
}

pub(super) async fn join_codes(arena: &mut Arena) -> Result<()> {
    let invalid = async |code: &str| {
        let mut raw = arena.way.connect().await?;
        let (answer, _) = raw.join(code, PIN, false).await?;
        refused_as(&refusal(answer)?, RefusalCode::JoinCodeInvalid)?;
        raw.closes_with(REFUSED).await
    };
    for code in ["0000000000", "0000\u{e9}0000"] {
        invalid(code).await.with_context(|| format!("the code {code:?}"))?;
    }
    // What cannot be a code is refused before it is looked up; the connection may try again.
    for code in ["", "00000", "000000000000"] {
        let (answer, _) = arena.way.connect().await?.join(code, PIN, false).await?;
        refused_as(&refusal(answer)?, RefusalCode::JoinCodeInvalid)?;
    }
    let code = arena.fixture.code("Ines")?;
    invalid(&code.to_lowercase()).await.context("a code in lower case, which no client sends")?;
    arena.way.join(&code, PIN).await.context("a good code")?;
    invalid(&code).await.context("a code used twice")?;
    // Weak PINs do not spend a code.
    let code = arena.fixture.code("Ines")?;
    for (pin, refused) in [("123456", RefusalCode::PinTooCommon), ("73915", RefusalCode::PinTooShort)] {
        let mut raw = arena.way.connect().await?;
        let (answer, _) = raw.join(&code, pin, false).await?;
        refused_as(&refusal(answer)?, refused)?;
    }
    let (_, device) = arena.way.join(&code, PIN).await.context("a good code after weak PINs")?;
    // The audit has the codes and the devices, and who was let in twice by neither.
    let ines = PersonId::new(arena.fixture.person("Ines")?).context("Ines has no identifier")?;
    let issued = audit::count(&arena.fixture, |_, act| *act == Act::JoinCodeIssued(ines)).await?;
    let joined = |act: &Act| matches!(act, Act::DeviceJoined(person, ..) if *person == ines);
    let joins = audit::count(&arena.fixture, |_, act| joined(act)).await?;
    ensure!((issued, joins) == (2, 2), "{issued} codes and {joins} devices in the audit");
    let by = Actor::Person { person: ines, device: device.id };
    let last = audit::count(&arena.fixture, |actor, act| *actor == by && joined(act)).await?;
    ensure!(last == 1, "the last device has joined {last} times");
    Ok(())
}

pub(super) async fn guest(arena: &mut Arena) -> Result<()> {
    let way = Way { from: [127, 0, 0, 2].into(), ..Way::new(&arena.fixture.devbox) };
    // Whoever visits a patient may ask from there; a code of the staff's is worth nothing.
    let mut raw = way.connect().await?;
    let (answer, _) = raw.join(&arena.fixture.code("Luis")?, PIN, false).await?;
    let Answer::Refused(refused) = answer else {
        bail!("a member of the staff joins from the guest network")
    };
    refused_as(&refused, RefusalCode::Zone)?;
    raw.closes_with(REFUSED).await?;
    let (_, device) = arena.way.join(&arena.fixture.code("Luis")?, PIN).await?;
    let mut raw = way.connect().await?;
    refused_as(&raw.refused(hello(Some(device.id))).await?, RefusalCode::Zone)?;
    raw.closes_with(REFUSED).await
}

/// Where a session was begun bounds what it may do: whoever names an address of the administrators' as the sender of a
/// packet is not there yet, and who walks there connects anew.
pub(super) async fn roams(arena: &mut Arena) -> Result<()> {
    const WARD: [u8; 4] = [127, 0, 0, 4];
    const ADMIN: [u8; 4] = [127, 0, 0, 1];
    let from = |address: [u8; 4]| Way { from: address.into(), ..Way::new(&arena.fixture.devbox) };
    let person = arena.fixture.person("Hugo")?;
    let act = || Ask::IssueJoinCode(proto::IssueJoinCode { person });
    let (mut raw, device) = from(WARD).join(&arena.fixture.code("Jonas")?, PIN).await?;
    refused_as(&raw.refused(act()).await?, RefusalCode::NotPermitted).context("in the ward")?;
    raw.roam(ADMIN.into())?;
    refused_as(&raw.refused(act()).await?, RefusalCode::NotPermitted).context("from the ward")?;
    drop(raw);
    let (mut raw, _) = from(ADMIN).sign_in(&device).await?;
    ensure!(matches!(raw.ask(act()).await?, Answer::JoinCode(_)), "no code where one may be issued");
    raw.roam(WARD.into())?;
    refused_as(&raw.refused(act()).await?, RefusalCode::NotPermitted).context("gone to the ward")
}

/// A device whose session is left to lock.
pub(super) async fn thief(arena: &Arena) -> Result<(Raw, Device)> {
    arena.way.join(&arena.fixture.code("Keiko")?, PIN).await
}

/// Ten seconds after its join at the latest, and most of them are over.
async fn locks(raw: &mut Raw) -> Result<()> {
    loop {
        if let Some(Answer::Locked(locked)) = raw.frame().await.context("the session did not lock")?.body {
            ensure!(locked.tries_left == PIN_TRIES_MAX, "{} tries left", locked.tries_left);
            return Ok(());
        }
    }
}

/// A thief has one device; the person has another, and wants to work.
pub(super) async fn wrong_pins(
    arena: &mut Arena,
    (mut raw, device): (Raw, Device),
    (mut own, _): (Raw, Device),
) -> Result<()> {
    locks(&mut raw).await?;
    locks(&mut own).await?;
    let list = Ask::ListPeople(proto::ListPeople { after: 0 });
    refused_as(&raw.refused(list).await?, RefusalCode::Locked)?;
    let unlock = |pin: String| Ask::Unlock(proto::Unlock { pin });
    for wrong in 1..PIN_TRIES_MAX {
        // Half on this connection, half on others: tries count by device.
        if wrong == 5 {
            raw = arena.way.connect().await?;
            let challenge = raw.hello(Some(device.id)).await?;
            let proof = raw.proof(&device, &challenge)?;
            match raw.ask(Ask::Prove(proof)).await? {
                Answer::PinNeeded(needed) => {
                    ensure!(needed.tries_left == PIN_TRIES_MAX - 4, "tries forgotten")
                }
                _ => bail!("a locked session was opened without its PIN"),
            }
        }
        let refused = raw.refused(unlock(format!("wrong {wrong}"))).await?;
        refused_as(&refused, RefusalCode::PinWrong)?;
        ensure!(refused.tries_left == PIN_TRIES_MAX - wrong, "{} tries left", refused.tries_left);
    }
    refused_as(&raw.refused(unlock("wrong at last".to_owned())).await?, RefusalCode::PinLockedOut)?;
    raw.closes_with(REFUSED).await?;
    // The right PIN comes too late.
    let mut raw = arena.way.connect().await?;
    let challenge = raw.hello(Some(device.id)).await?;
    let proof = raw.proof(&device, &challenge)?;
    refused_as(&raw.refused(Ask::Prove(proof)).await?, RefusalCode::PinLockedOut)?;
    raw.closes_with(REFUSED).await?;
    // The administrator sees it.
    let keiko = arena.fixture.person("Keiko")?;
    until(super::support::raw::PATIENCE, "the device is shown as locked out", || {
        let answer =
            arena.fixture.devbox.console()?.ask(Ask::ListDevices(proto::ListDevices { person: keiko }))?;
        let Answer::DeviceList(list) = answer else { bail!("no list of devices") };
        Ok(list.devices.iter().any(|d| d.device == device.id.value() && d.pin_locked_out))
    })
    .await?;
    // So does the audit: each try by its number, and the end.
    let person = PersonId::new(keiko).context("Keiko has no identifier")?;
    let by = Actor::Person { person, device: device.id };
    let entries = audit::read(&arena.fixture).await?;
    let of_the_device = entries.iter().filter(|entry| entry.actor == by);
    let tries: Vec<Act> = of_the_device
        .map(|e| e.act)
        .filter(|act| matches!(act, Act::PinWrong(_) | Act::PinLockedOut))
        .collect();
    let due: Vec<Act> = (1..=PIN_TRIES_MAX).map(Act::PinWrong).chain([Act::PinLockedOut]).collect();
    ensure!(tries == due, "the audit of ten wrong PINs: {tries:?}");
    // The person's own device is theirs still.
    match own.ask(unlock(PIN.to_owned())).await? {
        Answer::SignedIn(_) => Ok(()),
        Answer::Refused(refused) => bail!("the person's own device: {}", refused.advice),
        _ => bail!("the person's own device does not unlock"),
    }
}
