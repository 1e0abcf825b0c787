//! Orders by text: given in a patient's thread, read back, confirmed, filed. Each is signed by the device that says it.
//!
//! The agent signs what goes out, as it does for answers to a STAT ([`crate::signed`]). Whoever reads an order verifies what was signed about it
//! with the key that stands in it, and with the texts that were read ([`is_verified`]).

use std::future::Future;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::ids::{ConversationId, DeviceId, MessageId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::limits;
use wardline_core::order::signed::{Statement, Words};
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clock;
use crate::error::Error;
use crate::event;
use crate::profile::Profile;
use crate::trust::sha256;

pub use wardline_core::order::signed::{Deed, SignedDeed};

/// What sort of order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Sort {
    /// A new one.
    New,
    /// In place of an earlier one.
    Correction,
    /// An earlier one is not to be done.
    Cancellation,
    /// A word of a later version.
    Other,
}

/// How an order stands between the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stands {
    /// Nobody has read it back.
    Given,
    /// Somebody has.
    ReadBack,
    /// Its author has said that this is right.
    Confirmed,
    /// Or that it is wrong.
    Wrong,
    /// A word of a later version.
    Other,
}

/// An order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Where.
    pub conversation: ConversationId,
    /// The message that says it.
    pub sequence: Sequence,
    /// Who gave it.
    pub author: PersonId,
    /// What sort.
    pub sort: Sort,
    /// The earlier one that it corrects or cancels.
    pub of: Option<Sequence>,
    /// Whom it is for; none: anybody of the care team.
    pub to: Option<PersonId>,
    /// When it was given: milliseconds since 1970.
    pub given: i64,
    /// How it stands.
    pub stands: Stands,
    /// Who has read it back last, by which message.
    pub read_back: Option<(PersonId, Sequence)>,
    /// When it came to stand so.
    pub at: i64,
    /// The later one that corrects or cancels it.
    pub replaced: Option<Sequence>,
    /// When it was marked as filed, and by whom; nobody: a service of the box.
    pub filed: Option<(i64, Option<PersonId>)>,
}

/// Whose orders count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderPolicy {
    /// Where; none: the facility's.
    pub unit: Option<UnitId>,
    /// Whoever holds one of these.
    pub roles: Vec<RoleId>,
}

/// Which orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Of every thread that one is in.
    Mine,
    /// Of one thread.
    Thread(ConversationId),
    /// Of the patients of a unit.
    Unit(UnitId),
}

fn place(sequence: u64) -> Option<Sequence> {
    Some(Sequence(sequence)).filter(|sequence| *sequence > Sequence::NONE)
}

impl Order {
    pub(crate) fn from_wire(wire: &proto::Order) -> Result<Self, Error> {
        Ok(Self {
            conversation: event::conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
            author: event::person(wire.author)?,
            sort: match wire.sort() {
                proto::OrderSort::New => Sort::New,
                proto::OrderSort::Correction => Sort::Correction,
                proto::OrderSort::Cancellation => Sort::Cancellation,
                proto::OrderSort::Unspecified => Sort::Other,
            },
            of: place(wire.of),
            to: PersonId::new(wire.to),
            given: wire.given,
            stands: match wire.state() {
                proto::OrderState::Given => Stands::Given,
                proto::OrderState::ReadBack => Stands::ReadBack,
                proto::OrderState::Confirmed => Stands::Confirmed,
                proto::OrderState::Wrong => Stands::Wrong,
                proto::OrderState::Unspecified => Stands::Other,
            },
            read_back: PersonId::new(wire.read_by).zip(place(wire.read_back)),
            at: wire.at,
            replaced: place(wire.replaced),
            filed: Some((wire.filed, PersonId::new(wire.filed_by))).filter(|(at, _)| *at != 0),
        })
    }
}

/// Whether the device's key signed this, in the facility of this root. `said` is the message that says it, as it was read: its name and its
/// text; none where it was not read, or the deed has no words.
pub fn is_verified(deed: &SignedDeed, root: &CertificateDer<'_>, said: Option<(MessageId, &str)>) -> bool {
    is_verified_in(deed, &sha256(root), said.map(|(message, text)| Words::of(message, text)))
}

/// The same by the SHA-256 of the root, and of the text.
pub(crate) fn is_verified_in(deed: &SignedDeed, facility: &[u8; 32], said: Option<Words>) -> bool {
    let same = deed.words.zip(said).is_none_or(|(signed, said)| signed == said);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, deed.key.as_bytes());
    same && key.verify(&statement(deed, facility), &deed.signature).is_ok()
}

/// What the device has signed.
pub(crate) fn statement(deed: &SignedDeed, facility: &[u8; 32]) -> Vec<u8> {
    let SignedDeed { device, words, at, .. } = *deed;
    let conversation = deed.id.conversation;
    Statement { facility, device, conversation, words, deed: deed.deed, at }.to_bytes()
}

/// Signs what is said to a read-back. What is malformed goes unsigned: the box says what is wrong with it.
pub(crate) fn sign_answer(body: &mut Ask, profile: &Profile) -> Result<(), Error> {
    let Ask::AnswerOrder(answer) = body else { return Ok(()) };
    let Some(conversation) = ConversationId::new(answer.conversation) else { return Ok(()) };
    let (of, read_back) = (Sequence(answer.sequence), Sequence(answer.read_back));
    let deed = if answer.right { Deed::Confirm { of, read_back } } else { Deed::Wrong { of, read_back } };
    (answer.at, answer.signature) = sign(profile, conversation, None, deed)?;
    Ok(())
}

/// Signs an order or a read-back on its way out; each retry anew, under the same name.
pub(crate) fn sign_message(
    submit: &mut proto::Submit,
    (message, conversation): (MessageId, ConversationId),
    deed: Option<Deed>,
    profile: &Profile,
) -> Result<(), Error> {
    let (Some(deed), Some(part)) = (deed, submit.order.as_mut()) else { return Ok(()) };
    let words = Words::of(message, &submit.text);
    (part.at, part.signature) = sign(profile, conversation, Some(words), deed)?;
    Ok(())
}

fn sign(
    profile: &Profile,
    conversation: ConversationId,
    words: Option<Words>,
    deed: Deed,
) -> Result<(i64, Vec<u8>), Error> {
    let (facility, device, at) = (sha256(&profile.identity.root), profile.identity.device, clock::now_ms());
    let signed = Statement { facility: &facility, device, conversation, words, deed, at: Wall(at) };
    Ok((at, profile.key.sign(&signed.to_bytes())?))
}

/// What the box has kept of it.
pub(crate) fn signed_from_wire(wire: &proto::SignedOrder) -> Result<SignedDeed, Error> {
    let odd = || Error::Protocol("something signed about an order, of another form");
    let (of, read_back) = (Sequence(wire.of), Sequence(wire.read_back));
    let words = match (wire.message.as_slice(), wire.text_sha256.as_slice()) {
        ([], []) => None,
        (message, text) => Some(Words {
            message: MessageId(message.try_into().map_err(|_| odd())?),
            text: text.try_into().map_err(|_| odd())?,
        }),
    };
    Ok(SignedDeed {
        id: StatId {
            conversation: event::conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
        },
        person: event::person(wire.person)?,
        device: DeviceId::new(wire.device).ok_or_else(odd)?,
        key: PublicKey::parse(&wire.device_key).ok_or_else(odd)?,
        deed: Deed::from_parts(wire.deed(), of, read_back, PersonId::new(wire.to)).ok_or_else(odd)?,
        words,
        said: place(wire.said),
        at: Wall(wire.at),
        taken: Wall(wire.taken),
        signature: wire.signature.as_slice().try_into().map_err(|_| odd())?,
    })
}

/// What can be asked about orders. They are given, and read back, by a message: see [`crate::beside::Beside::order`].
pub trait OrderCalls: Calls {
    /// What the author says to a read-back of their order.
    fn answer_order(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        read_back: Sequence,
        right: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        // It is signed where the device's key is.
        self.done(Ask::AnswerOrder(proto::AnswerOrder {
            conversation: conversation.value(),
            sequence: sequence.0,
            read_back: read_back.0,
            right,
            at: 0,
            signature: Vec::new(),
        }))
    }

    /// Marks an order as filed in the record.
    fn file_order(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (conversation, sequence) = (conversation.value(), sequence.0);
        self.done(Ask::FileOrder(proto::FileOrder { conversation, sequence }))
    }

    /// Orders that are not filed.
    fn orders(&self, whose: Whose) -> impl Future<Output = Result<Vec<Order>, Error>> + Send {
        async move {
            let (conversation, unit) = match whose {
                Whose::Mine => (0, 0),
                Whose::Thread(conversation) => (conversation.value(), 0),
                Whose::Unit(unit) => (0, unit.value()),
            };
            let mut found: Vec<Order> = Vec::new();
            loop {
                let (after_conversation, after_sequence) =
                    found.last().map_or((0, 0), |last| (last.conversation.value(), last.sequence.0));
                let list = proto::ListOrders { conversation, unit, after_conversation, after_sequence };
                let page = match self.call(Ask::ListOrders(list)).await? {
                    Answer::OrderPage(page) => page,
                    other => return odd(other),
                };
                let before = found.len();
                for order in &page.orders {
                    found.push(Order::from_wire(order)?);
                }
                if page.end || found.len() == before || found.len() > limits::ORDERS_MAX {
                    return Ok(found);
                }
            }
        }
    }

    /// How an order stands, filed or not, and what was signed about it, the newest first; none: the message is no order. A look at it is
    /// recorded like any look at history.
    fn order(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
    ) -> impl Future<Output = Result<Option<(Order, Vec<SignedDeed>)>, Error>> + Send {
        let ask = proto::History { conversation: conversation.value(), before: sequence.next().0, limit: 1 };
        async move {
            match self.call(Ask::History(ask)).await? {
                Answer::HistoryPage(page) => {
                    let order = page.order.filter(|order| order.sequence == sequence.0);
                    let Some(order) = order else { return Ok(None) };
                    let signed = page.order_signed.iter().map(signed_from_wire).collect::<Result<_, _>>()?;
                    Ok(Some((Order::from_wire(&order)?, signed)))
                }
                other => odd(other),
            }
        }
    }

    /// Whose orders count.
    fn order_policies(&self) -> impl Future<Output = Result<Vec<OrderPolicy>, Error>> + Send {
        async {
            match self.call(Ask::ListOrderPolicies(proto::ListOrderPolicies {})).await? {
                Answer::OrderPolicies(list) => {
                    let roles = |roles: Vec<u64>| roles.into_iter().filter_map(RoleId::new).collect();
                    let policy = |policy: proto::OrderPolicy| OrderPolicy {
                        unit: UnitId::new(policy.unit),
                        roles: roles(policy.roles),
                    };
                    Ok(list.policies.into_iter().map(policy).collect())
                }
                other => odd(other),
            }
        }
    }

    /// Administration: says whose orders count; no roles: nobody's.
    fn set_order_policy(&self, policy: &OrderPolicy) -> impl Future<Output = Result<(), Error>> + Send {
        let (unit, roles) = (policy.unit.map_or(0, UnitId::value), &policy.roles);
        let roles = roles.iter().map(|role| role.value()).collect();
        self.done(Ask::SetOrderPolicy(proto::SetOrderPolicy { unit, roles, standard: false }))
    }

    /// Administration: as if it had never been said.
    fn forget_order_policy(&self, unit: Option<UnitId>) -> impl Future<Output = Result<(), Error>> + Send {
        let unit = unit.map_or(0, UnitId::value);
        self.done(Ask::SetOrderPolicy(proto::SetOrderPolicy { unit, roles: Vec::new(), standard: true }))
    }
}

impl<C: Calls> OrderCalls for C {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::DeviceKey;

    #[test]
    fn an_order_is_verified_with_the_text_that_was_read_and_with_no_other() {
        let key = DeviceKey::generate().unwrap();
        let root = CertificateDer::from(vec![1, 2, 3]);
        let (device, facility) = (DeviceId::new(7).unwrap(), sha256(&root));
        let id = StatId { conversation: ConversationId::new(9).unwrap(), sequence: Sequence(4) };
        let (message, text) = (MessageId([5; 16]), "Paracetamol 500 mg now");
        let (words, deed, at) =
            (Some(Words::of(message, text)), Deed::Give { to: PersonId::new(2) }, Wall(5));
        let statement =
            Statement { facility: &facility, device, conversation: id.conversation, words, deed, at };
        let signature = key.sign(&statement.to_bytes()).unwrap().as_slice().try_into().unwrap();
        let (person, taken, said) = (PersonId::new(1).unwrap(), Wall(6), Some(Sequence(4)));
        let key = *key.public();
        let kept = SignedDeed { id, person, device, key, deed, words, said, at, taken, signature };
        let read = signed_from_wire(&kept.to_wire()).unwrap();
        assert!(read == kept && is_verified(&read, &root, Some((message, text))));
        assert!(!is_verified(&read, &root, Some((message, "Paracetamol 5000 mg now"))));
        assert!(!is_verified(&read, &root, Some((MessageId([6; 16]), text))));
        assert!(!is_verified(&read, &CertificateDer::from(vec![1]), Some((message, text))));
        let other = SignedDeed { deed: Deed::Give { to: None }, ..kept };
        assert!(!is_verified(&other, &root, Some((message, text))));
    }
}
