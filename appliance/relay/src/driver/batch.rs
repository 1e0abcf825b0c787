//! What one turn of the loop decided, until it is committed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use wardline_core::alarm;
use wardline_core::ids::{Change, ConversationId};
use wardline_core::mention;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::{self, proto};
use wardline_core::write::{Message, Numbered, Write};

use super::Said;
use crate::lane::UnderWay;

/// One commit's worth of decisions.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) writes: Vec<Numbered>,
    pub(super) sends: Vec<Send>,
    /// Accepted and edited messages as events, by change: encoded once, sent to everybody connected.
    pub(super) events: BTreeMap<Change, Bytes>,
    /// Conversations that it purges: nobody is sent any more what was said there.
    pub(super) purged: BTreeSet<ConversationId>,
    /// The requests in here; let go with the batch, so once their answers are on the lanes.
    pub(super) under_way: Vec<UnderWay>,
    /// The turn of the one answer in here to a look for old messages.
    pub(super) aged: Option<OwnedSemaphorePermit>,
}

impl Batch {
    /// Adds what one input made the core decide; `said` is what a submission or an edit said.
    pub(super) fn add(&mut self, turn: Turn, said: Option<Said>) {
        for numbered in &turn.writes {
            if let Write::KeyDestroyed { conversation } = &numbered.write {
                self.purged.insert(*conversation);
            }
        }
        if let Some(Said { text, names, attachments }) = said {
            let mut names = names.iter().map(|name| name.reveal().to_owned());
            for numbered in &turn.writes {
                if let Write::MessageAccepted(message) = &numbered.write {
                    let kind = proto::event::Kind::Message(proto::Message {
                        reply_to: message.reply_to.unwrap_or_default().0,
                        mentions: mention::to_wire(&message.mentions),
                        attachments: sent_with(&turn, numbered.change, &mut names),
                        ..as_said(message, text.reveal())
                    });
                    self.events.insert(numbered.change, Bytes::from(wire::encode_event(kind)));
                }
            }
            for send in &turn.sends {
                if let Send::Fanout { change, event: Event::Edited(message), .. } = send {
                    let text = text.reveal().to_owned();
                    let attachments = attachments.clone();
                    let message = proto::Message { text, attachments, ..(**message).clone() };
                    let kind = proto::event::Kind::MessageChanged(message);
                    self.events.insert(*change, Bytes::from(wire::encode_event(kind)));
                }
            }
        }
        for numbered in &turn.writes {
            if let Write::MessageAccepted(message) = &numbered.write
                && let Some(said) = alarm::Said::of_body(&message.body)
            {
                let alarm = Some(said.to_wire());
                let kind =
                    proto::event::Kind::Message(proto::Message { alarm, ..as_said(message, said.words()) });
                self.events.insert(numbered.change, Bytes::from(wire::encode_event(kind)));
            }
        }
        self.writes.extend(turn.writes);
        self.sends.extend(turn.sends);
    }
}

/// What every message has, and what it says.
fn as_said(message: &Message, text: &str) -> proto::Message {
    proto::Message {
        conversation: message.conversation.value(),
        sequence: message.sequence.0,
        message: message.id.0.to_vec(),
        sender: message.sender.value(),
        at: message.at.0,
        text: text.to_owned(),
        priority: message.priority.to_wire().into(),
        ..proto::Message::default()
    }
}

/// The files that this turn gave to this message, with what they are called.
fn sent_with(
    turn: &Turn,
    accepted: Change,
    names: &mut impl Iterator<Item = String>,
) -> Vec<proto::Attachment> {
    let files = turn.writes.iter().find_map(|numbered| match &numbered.write {
        Write::AttachmentsSent { message, files, .. } if *message == accepted => Some(files),
        _ => None,
    });
    files.into_iter().flatten().zip(names).map(|(file, name)| file.to_wire(name)).collect()
}
