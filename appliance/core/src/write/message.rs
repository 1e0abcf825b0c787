//! A message as it is written down.

use minicbor::{Decode, Encode};

use crate::escalation::Priority;
use crate::ids::{ConversationId, DeviceId, MessageId, Number, PersonId, Sequence};
use crate::mention::Mention;
use crate::text::Sealed;
use crate::time::Wall;

/// A message in its place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Message {
    /// Where.
    #[n(0)]
    pub conversation: ConversationId,
    /// Its place there.
    #[n(1)]
    pub sequence: Sequence,
    /// Its name.
    #[n(2)]
    pub id: MessageId,
    /// Its author.
    #[n(3)]
    pub sender: PersonId,
    /// The device that sent it.
    #[n(4)]
    pub device: DeviceId,
    /// The device's number for it.
    #[n(5)]
    pub number: Number,
    /// When the box took it, for people to read. See [`crate::mailbox`] on clocks that step back.
    #[n(6)]
    pub at: Wall,
    /// Its text under the conversation's key.
    #[n(7)]
    pub body: Sealed,
    /// How urgent it is.
    #[cbor(n(8), with = "crate::optional", has_nil)]
    pub priority: Priority,
    /// What it is in reply to, in the same conversation.
    #[n(9)]
    pub reply_to: Option<Sequence>,
    /// Whom it names, as they were found when it was taken.
    #[cbor(n(10), with = "crate::optional", has_nil)]
    pub mentions: Vec<Mention>,
}
