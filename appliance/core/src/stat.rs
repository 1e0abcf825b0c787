//! What people and time do to a STAT. The form of it: [`crate::escalation`].
//!
//! Every step is a write before anybody rings for it, so a crash repeats no step and skips none. Rings are no writes: they
//! follow from where an escalation stands, and whoever connects is told anew.

use crate::access::{self, Operation, Relation};
use crate::audit::{Act, Actor};
use crate::availability;
use crate::broadcast::BroadcastRefusal;
use crate::conversation::Kind;
use crate::draft::{Draft, actor};
use crate::escalation::policy::EscalationPolicy;
use crate::escalation::signed::{CallNote, ProvenAnswer, Said};
use crate::escalation::{Escalation, Reason, Rung, Stage, StatId};
use crate::grant::PageGrant;
use crate::ids::{Change, Conn, ConversationId, PersonId, RequestId, Sequence, UnitId};
use crate::inbox::InboxRefusal;
use crate::input::Call;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

mod clocks;
pub mod load;
mod passed;
mod policies;
mod prospect;
mod rings;
mod steps;

pub(crate) use clocks::Clocks;
pub(crate) use passed::{follow, follow_all, passed, ringing, rings_by_role};
pub(crate) use policies::{list_policies, set_policy};
pub(crate) use prospect::{prospect, prospective};
pub(crate) use rings::{ring_for, ring_of};
pub(crate) use steps::{due, take_up};

use rings::{hush, hush_screens, ring_out, ring_screens, show, silence, tell, tell_wire};
use steps::{advance, begin_step, go_on, resume};

/// What somebody answers to a STAT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// What its device signed.
    Signed(Box<ProvenAnswer>),
    /// What it ought to have signed, and has not: refused.
    Unsigned(Said),
    /// "I am coming": holds it for a minute. From a locked device too.
    Coming,
    /// Whoever has it cannot after all.
    HandBack,
    /// Done with, or sent in error.
    Close,
}

/// An escalation that may begin.
pub(crate) struct Opening {
    unit: Option<UnitId>,
    policy: EscalationPolicy,
    ring: Vec<PersonId>,
}

/// Looks whether a STAT can be sent here, and for whom it rings. Changes nothing.
pub(crate) fn plan(
    draft: &Draft<'_>,
    sender: PersonId,
    place: ConversationId,
    call: &Call,
) -> Result<Opening, Refusal> {
    let conversation = draft.state.conversations.get(&place).ok_or(Refusal::NoSuchConversation)?;
    // Family would be called.
    if conversation.kind == Kind::Family {
        return Err(Refusal::FamilyNoStat);
    }
    // Whoever looks after a role that nobody holds is no addressee.
    if conversation.kind == Kind::Role {
        return Err(InboxRefusal::NoStat.into());
    }
    if conversation.kind == Kind::Broadcast {
        return Err(BroadcastRefusal::NoStat.into());
    }
    let mut ring = call.ring.clone();
    ring.sort_unstable();
    ring.dedup();
    if ring.iter().any(|person| conversation.member(*person).is_none()) {
        return Err(Refusal::NotAMember);
    }
    if ring.is_empty() {
        ring = conversation.present().map(|(person, _)| person).collect();
    }
    ring.retain(|person| *person != sender && may_be_rung(draft, *person));
    let ring = availability::called(draft.state, ring, sender, |_| false);
    if call.unit.is_some_and(|unit| !draft.state.units.contains_key(&unit)) {
        return Err(Refusal::NoSuchUnit);
    }
    // About a patient: where they lie.
    let bedside = draft.state.clinic.of_thread(place).map(|stay| stay.unit);
    let unit = conversation.unit.or(bedside).or(call.unit).or_else(|| unit_of(draft, sender, &ring));
    // Alone in it: it goes on at once to the unit.
    if ring.is_empty() && unit.is_none() {
        return Err(Refusal::NobodyToRing);
    }
    let policy = draft.state.policy_of(unit);
    Ok(Opening { unit, policy, ring })
}

/// Where the sender works with one of those it rings for; else where one of those does; else where the sender does.
fn unit_of(draft: &Draft<'_>, sender: PersonId, ring: &[PersonId]) -> Option<UnitId> {
    let posts = |person: &PersonId| draft.state.people.get(person).map(|entry| &entry.posts);
    let theirs = || ring.iter().filter_map(posts).flat_map(|posts| posts.keys());
    let mine = posts(&sender);
    theirs()
        .find(|unit| mine.is_some_and(|mine| mine.contains_key(unit)))
        .or_else(|| theirs().next())
        .or_else(|| mine?.keys().next())
        .copied()
}

fn may_be_rung(draft: &Draft<'_>, person: PersonId) -> bool {
    draft.state.colleague(person).is_ok_and(|entry| !entry.suspended && entry.station.is_none())
}

/// The message has its place: it rings.
pub(crate) fn open(draft: &mut Draft<'_>, who: &Ready, id: StatId, opening: Opening) {
    let Opening { unit, policy, ring } = opening;
    make_room(draft);
    let opened = draft.now.wall;
    let rung = Rung { step: 0, declined: None, has_held: false };
    let escalation = Escalation {
        id,
        sender: who.person(),
        unit,
        policy,
        opened,
        stage: Stage::Ringing { step: 0, since: opened },
        rung: ring.into_iter().map(|person| (person, rung)).collect(),
        changed: Change(0),
        note: None,
    };
    let rings = !escalation.rung.is_empty();
    let change = draft.write(Write::EscalationOpened(escalation));
    draft.record(actor(who), Act::StatOpened(id.conversation, id.sequence));
    if rings { begin_step(draft, id, change) } else { advance(draft, id) }
}

/// Answered ones give way to new ones: what is closed can only not be handed back any more.
fn make_room(draft: &mut Draft<'_>) {
    while draft.state.escalations.len() >= limits::ESCALATIONS_MAX {
        let answered = draft.state.escalations.values().filter_map(|escalation| match escalation.stage {
            Stage::Accepted { at, .. } => Some((at, escalation.id)),
            _ => None,
        });
        let Some((_, oldest)) = answered.min() else { return };
        close(draft, oldest, Actor::TheBox);
    }
}

/// Whether there is room for one more that nobody has answered, in the facility and for this sender.
pub(crate) fn has_room(draft: &Draft<'_>, sender: PersonId) -> Result<(), Refusal> {
    let unanswered = || draft.state.escalations.values().filter(|open| open.stage.is_unanswered());
    let of_one = unanswered().filter(|open| open.sender == sender).count();
    let is_full = of_one >= limits::ESCALATIONS_OF_ONE_MAX
        || unanswered().count() >= limits::ESCALATIONS_UNANSWERED_MAX;
    if is_full { Err(Refusal::StatLimit) } else { Ok(()) }
}

/// Somebody answers.
pub(crate) fn answer(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    who: &Ready,
    id: StatId,
    answer: Answer,
) -> Result<(), Refusal> {
    let person = who.person();
    let open = known(draft, person, id)?;
    let is = access::to_stat(draft.state, person, open);
    let stage = open.stage;
    let may = |operation| access::permit(operation, is, actor(who)).map(|permit| permit.by());
    match answer {
        Answer::Coming => coming(draft, person, id, may(Operation::AnswerStat)?)?,
        Answer::Signed(proven) => {
            let by = may(operation(proven.words()))?;
            let said = is_theirs(draft, &proven, id, who)?.clone();
            signed(draft, who, (id, stage), said, by, &proven)?;
        }
        // Who may not say it at all is told that first, as of a signed one.
        Answer::Unsigned(said) => {
            may(operation(&said))?;
            return Err(Refusal::StatUnsigned);
        }
        Answer::HandBack => {
            let by = may(Operation::HandBackStat)?;
            draft.record(by, Act::StatHandedBack(id.conversation, id.sequence));
            let had_it = match stage {
                Stage::Accepted { by, .. } => by,
                _ => None,
            };
            if let Some(person) = had_it {
                let reason = Reason::HandedBack;
                draft.write(Write::EscalationDeclined { id, person, reason, step: step_of(stage) });
                hush(draft, id, person);
            }
            resume(draft, id);
        }
        Answer::Close => {
            let by = may(Operation::CloseStat)?;
            close(draft, id, by);
        }
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

fn operation(said: &Said) -> Operation {
    match said {
        Said::Accept => Operation::AnswerStat,
        Said::Decline(_) => Operation::DeclineStat,
        Said::Note(_) => Operation::NoteCall,
    }
}

/// What was signed, if it is of the device that says it now, about this STAT.
fn is_theirs<'p>(
    draft: &Draft<'_>,
    proven: &'p ProvenAnswer,
    id: StatId,
    who: &Ready,
) -> Result<&'p Said, Refusal> {
    let device = draft.state.devices.get(&who.device());
    device.and_then(|device| proven.said(id, device.id, &device.key)).ok_or(Refusal::StatUnsigned)
}

/// What is done by a signed answer, the signature kept beside it.
fn signed(
    draft: &mut Draft<'_>,
    who: &Ready,
    (id, stage): (StatId, Stage),
    said: Said,
    by: Actor,
    proven: &ProvenAnswer,
) -> Result<(), Refusal> {
    let person = who.person();
    let kept = proven.keep(person, draft.now.wall);
    let keep = |draft: &mut Draft<'_>| {
        draft.write(Write::StatAnswered(Box::new(kept)));
    };
    match said {
        Said::Accept => match stage {
            Stage::Accepted { by: Some(has_it), noted_by, .. } if has_it == person => {
                // What somebody said of them, they say themselves now.
                if noted_by.is_some() {
                    keep(draft);
                    accept(
                        draft,
                        id,
                        Some(person),
                        None,
                        by,
                        Act::StatAccepted(id.conversation, id.sequence),
                    );
                }
            }
            Stage::Accepted { .. } => return Err(Refusal::StatTaken),
            _ => {
                keep(draft);
                accept(draft, id, Some(person), None, by, Act::StatAccepted(id.conversation, id.sequence));
            }
        },
        Said::Decline(reason) => {
            if !stage.is_unanswered() {
                return Err(Refusal::StatTaken);
            }
            keep(draft);
            decline(draft, person, id, reason, by);
        }
        Said::Note(note) => {
            let CallNote { reached, read_back, .. } = note;
            if reached.is_some_and(|reached| !may_be_rung(draft, reached)) {
                return Err(Refusal::NoSuchPerson);
            }
            if !stage.is_unanswered() {
                return Err(Refusal::StatTaken);
            }
            let opened = draft.state.escalations.get(&id).map(|open| open.opened);
            if !opened.is_some_and(|opened| note.is_of(opened, draft.now.wall)) {
                return Err(Refusal::CallNoteWhen);
            }
            let act = Act::StatNoted(id.conversation, id.sequence, reached, u32::from(read_back));
            keep(draft);
            accept(draft, id, reached, Some(person), by, act);
        }
    }
    Ok(())
}

/// An open escalation, for somebody who may know of it.
fn known<'d>(draft: &'d Draft<'_>, person: PersonId, id: StatId) -> Result<&'d Escalation, Refusal> {
    let open = draft.state.escalations.get(&id);
    let conversation = draft.state.conversations.get(&id.conversation);
    let member = conversation.is_some_and(|place| place.member(person).is_some());
    let is_rung = open.is_some_and(|open| open.has_rung(person));
    if !member && !is_rung {
        return Err(Refusal::NoSuchConversation);
    }
    open.ok_or(Refusal::NoSuchStat)
}

/// The same, for a charge nurse of its unit too: who was reached by telephone she may note.
pub(crate) fn known_to_noter<'d>(
    draft: &'d Draft<'_>,
    person: PersonId,
    id: StatId,
) -> Result<&'d Escalation, Refusal> {
    let open = draft.state.escalations.get(&id);
    let leads = open.filter(|open| access::to_stat(draft.state, person, open).has(Relation::ChargeNurse));
    leads.map_or_else(|| known(draft, person, id), Ok)
}

/// "Coming": also from a locked device, whose person is who its key says.
pub(crate) fn coming_from_locked(
    draft: &mut Draft<'_>,
    person: PersonId,
    by: Actor,
    id: StatId,
) -> Result<(), Refusal> {
    let open = known(draft, person, id)?;
    let permit = access::permit(Operation::AnswerStat, access::to_stat(draft.state, person, open), by)?;
    coming(draft, person, id, permit.by())
}

fn coming(draft: &mut Draft<'_>, person: PersonId, id: StatId, by: Actor) -> Result<(), Refusal> {
    let Some(open) = draft.state.escalations.get(&id) else { return Err(Refusal::NoSuchStat) };
    let step = match open.stage {
        Stage::Ringing { step, .. } => step,
        Stage::Held { by, .. } if by == person => return Ok(()),
        Stage::Held { .. } => return Err(Refusal::StatHeld),
        Stage::Accepted { .. } | Stage::Closed { .. } => return Err(Refusal::StatTaken),
    };
    if open.rung.get(&person).is_some_and(|rung| rung.has_held) {
        return Err(Refusal::HeldBefore);
    }
    let whole = open.step(step).map_or(0, |step| step.wait_ms());
    // By the steady clock while the box runs; a step without an end passes no time.
    let passed_ms = match draft.clocks.left_ms(id, draft.now.mono) {
        Some(left) => whole.saturating_sub(left),
        None => 0,
    };
    let stage = Stage::Held { step, since: draft.now.wall, by: person, passed_ms };
    let change = draft.write(Write::EscalationMoved { id, stage, rang: Vec::new() });
    draft.record(by, Act::StatHeld(id.conversation, id.sequence));
    draft.clocks.end_in(id, draft.now.mono, limits::STAT_HELD_MS);
    ring_out(draft, id);
    tell(draft, id, change);
    Ok(())
}

fn accept(
    draft: &mut Draft<'_>,
    id: StatId,
    person: Option<PersonId>,
    noted_by: Option<PersonId>,
    by: Actor,
    act: Act,
) {
    let Some(step) = draft.state.escalations.get(&id).and_then(|open| open.stage.step()) else { return };
    let stage = Stage::Accepted { step, at: draft.now.wall, by: person, noted_by };
    let change = draft.write(Write::EscalationMoved { id, stage, rang: Vec::new() });
    draft.record(by, act);
    draft.clocks.stop(id);
    silence(draft, id);
    // Who is said to have it hears of it at once: a name may have been picked wrongly.
    if let Some(person) = person.filter(|_| noted_by.is_some()) {
        show(draft, id, person);
    }
    tell(draft, id, change);
}

fn decline(draft: &mut Draft<'_>, person: PersonId, id: StatId, reason: Reason, by: Actor) {
    let Some(step) = draft.state.escalations.get(&id).map(|open| step_of(open.stage)) else { return };
    let change = draft.write(Write::EscalationDeclined { id, person, reason, step });
    draft.record(by, Act::StatDeclined(id.conversation, id.sequence, reason.number()));
    hush(draft, id, person);
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let is_left = open.callable_at(step).next().is_some() || step >= open.last_step();
    match open.stage {
        Stage::Held { by, .. } if by != person => tell(draft, id, change),
        Stage::Held { .. } if is_left => go_on(draft, id),
        _ if is_left => tell(draft, id, change),
        _ => advance(draft, id),
    }
}

/// Ends it: nothing of it rings or is shown any more, and nobody is called by it again.
pub(crate) fn close(draft: &mut Draft<'_>, id: StatId, by: Actor) {
    if !draft.state.escalations.contains_key(&id) {
        return;
    }
    silence(draft, id);
    draft.clocks.stop(id);
    let wire = draft.state.escalations.get(&id).map(Escalation::to_wire);
    let stage = Stage::Closed { at: draft.now.wall };
    let change = draft.write(Write::EscalationMoved { id, stage, rang: Vec::new() });
    draft.record(by, Act::StatClosed(id.conversation, id.sequence));
    if let Some(mut wire) = wire {
        (wire.state, wire.since) = (proto::EscalationState::Closed.into(), draft.now.wall.0);
        tell_wire(draft, id, change, wire);
    }
}

/// Somebody may not sign in any more: what they had, somebody else must have. As at the end of a shift, what they dealt with long
/// before is closed where it is time that put them out.
pub(crate) fn give_up(draft: &mut Draft<'_>, person: PersonId, by: Actor) {
    let ids: Vec<StatId> = draft.state.escalations.keys().copied().collect();
    let rests = |id: &StatId| draft.state.escalations.get(id).is_some_and(|open| rests_with(open, person));
    for id in ids.into_iter().filter(rests).collect::<Vec<_>>() {
        if by == Actor::TheBox && was_dealt_with(draft, id) {
            close(draft, id, by);
        } else {
            take_from(draft, person, id, Reason::OffDuty);
        }
    }
}

/// Somebody is out of the conversation: it does not ring for them any more, and they do not read it.
pub(crate) fn left(draft: &mut Draft<'_>, person: PersonId, place: ConversationId, by: Actor) {
    let rings = |open: &&Escalation| open.callable().any(|called| called == person);
    let ids: Vec<StatId> = open_in(draft, place).filter(rings).map(|open| open.id).collect();
    for id in ids {
        let is_theirs = has(draft, person, id);
        if is_theirs && by == Actor::TheBox && was_dealt_with(draft, id) {
            close(draft, id, by);
        } else if is_theirs {
            take_from(draft, person, id, Reason::Left);
        } else if draft.state.escalations.get(&id).is_some_and(|open| open.stage.is_unanswered()) {
            decline(draft, person, id, Reason::Left, by);
        }
    }
}

/// Somebody came into a patient's thread while it rings: it rings for them as for the rest of the care team.
pub(crate) fn joined(draft: &mut Draft<'_>, people: &[PersonId], place: ConversationId) {
    if draft.state.conversations.get(&place).is_none_or(|place| place.kind != Kind::Patient) {
        return;
    }
    let unanswered = open_in(draft, place).filter(|open| open.stage.is_unanswered());
    let open: Vec<(StatId, Stage)> = unanswered.map(|open| (open.id, open.stage)).collect();
    for (id, stage) in open {
        let Some(open) = draft.state.escalations.get(&id) else { continue };
        let new = |person: &PersonId| {
            *person != open.sender
                && may_be_rung(draft, *person)
                && !open.callable().any(|called| called == *person)
        };
        let rang: Vec<PersonId> = people.iter().copied().filter(new).collect();
        if !rang.is_empty() {
            let change = draft.write(Write::EscalationMoved { id, stage, rang: rang.clone() });
            rang.into_iter().for_each(|person| show(draft, id, person));
            tell(draft, id, change);
        }
    }
}

/// The patient lies in another unit: it goes on to that unit's people and screens.
pub(crate) fn transferred(draft: &mut Draft<'_>, place: ConversationId, unit: UnitId) {
    let elsewhere = open_in(draft, place).filter(|open| open.unit != Some(unit));
    for id in elsewhere.map(|open| open.id).collect::<Vec<_>>() {
        let unanswered = draft.state.escalations.get(&id).is_some_and(|open| open.stage.is_unanswered());
        if unanswered {
            hush_screens(draft, id);
        }
        let change = draft.write(Write::EscalationUnitSet { id, unit });
        if unanswered {
            ring_screens(draft, id);
        }
        tell(draft, id, change);
    }
}

/// Answered so long ago that whoever has it has done what there was to do.
fn was_dealt_with(draft: &Draft<'_>, id: StatId) -> bool {
    draft.state.escalations.get(&id).is_some_and(|open| match open.stage {
        Stage::Accepted { at, .. } => at.after(limits::STAT_FRESH_MS) <= draft.now.wall,
        _ => false,
    })
}

/// Whether nobody has it once this person is gone: they have it, by their own word or by a call note; or they alone know who does.
pub(crate) fn rests_with(open: &Escalation, person: PersonId) -> bool {
    match open.stage {
        Stage::Accepted { by, noted_by, .. } => by.or(noted_by) == Some(person),
        Stage::Held { by, .. } => by == person,
        _ => false,
    }
}

/// Whether it waits for this person.
pub(crate) fn has(draft: &Draft<'_>, person: PersonId, id: StatId) -> bool {
    draft.state.escalations.get(&id).is_some_and(|open| match open.stage {
        Stage::Accepted { by, noted_by, .. } => by == Some(person) && noted_by.is_none(),
        Stage::Held { by, .. } => by == person,
        _ => false,
    })
}

fn take_from(draft: &mut Draft<'_>, person: PersonId, id: StatId, reason: Reason) {
    let Some(step) = draft.state.escalations.get(&id).map(|open| step_of(open.stage)) else { return };
    draft.record(Actor::TheBox, Act::StatResumed(id.conversation, id.sequence));
    draft.write(Write::EscalationDeclined { id, person, reason, step });
    hush(draft, id, person);
    resume(draft, id);
}

/// A closed one has none, and nothing is asked of it.
fn step_of(stage: Stage) -> u8 {
    stage.step().unwrap_or_default()
}

/// Those of one conversation, by place.
pub(crate) fn open_in<'d>(
    draft: &'d Draft<'_>,
    place: ConversationId,
) -> impl Iterator<Item = &'d Escalation> {
    let from = StatId { conversation: place, sequence: Sequence::NONE };
    let open = draft.state.escalations.range(from..).map(|(_, open)| open);
    open.take_while(move |open| open.id.conversation == place)
}

/// Everything in this conversation ends: it is purged.
pub(crate) fn close_all(draft: &mut Draft<'_>, place: ConversationId, by: Actor) {
    let ids: Vec<StatId> = open_in(draft, place).map(|open| open.id).collect();
    for id in ids {
        close(draft, id, by);
    }
}

/// Answered a day ago: nobody hands it back any more.
pub(crate) fn close_old(draft: &mut Draft<'_>) {
    let now = draft.now.wall;
    let is_old = |open: &&Escalation| match open.stage {
        Stage::Accepted { at, .. } => at.after(limits::STAT_ANSWERED_KEPT_MS) <= now,
        _ => false,
    };
    let old: Vec<StatId> = draft.state.escalations.values().filter(is_old).map(|open| open.id).collect();
    for id in old {
        close(draft, id, Actor::TheBox);
    }
}

/// The first place in this conversation that must not expire: a STAT is open about it.
pub(crate) fn first_open(draft: &Draft<'_>, place: ConversationId) -> Option<Sequence> {
    open_in(draft, place).next().map(|open| open.id.sequence)
}

/// The one message that rings, for whoever it rings for without being in the conversation.
pub(crate) fn read(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    who: &Ready,
    id: StatId,
) -> Result<(), Refusal> {
    let open = known(draft, who.person(), id)?;
    let permit =
        access::permit(Operation::ReadStat, access::to_stat(draft.state, who.person(), open), actor(who))?;
    if !open.callable().any(|called| called == who.person()) {
        return Err(Refusal::NotPermitted(Operation::ReadStat));
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let grant = PageGrant::of_stat(who.person(), id);
    draft.record(permit.by(), Act::StatRead(id.conversation, id.sequence));
    draft.send(Send::ReadPage { conn, request, grant });
    Ok(())
}
