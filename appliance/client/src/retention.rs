//! How long messages are kept, and how much would go if it were otherwise.

use std::future::Future;

use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event::Kind;

/// Hours after which a message that every member has read goes, by kind of conversation: 1 to 87,600, the longest at most 128
/// times the shortest. One that somebody has not read goes after twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Of two people.
    pub direct: u32,
    /// Of groups.
    pub group: u32,
    /// Of channels.
    pub channel: u32,
    /// Of patients' threads.
    pub patient: u32,
}

/// What would go of one kind of conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WouldGo {
    /// Which kind.
    pub kind: Kind,
    /// How many messages.
    pub messages: u64,
    /// In how many conversations.
    pub conversations: u32,
    /// How many more would lose something, but for a legal hold.
    pub held: u32,
}

impl Rules {
    fn from_wire(wire: &proto::RetentionRules) -> Self {
        let proto::RetentionRules { direct, group, channel, patient } = *wire;
        Self { direct, group, channel, patient }
    }

    fn to_wire(self) -> proto::RetentionRules {
        let Self { direct, group, channel, patient } = self;
        proto::RetentionRules { direct, group, channel, patient }
    }
}

/// What can be asked about retention.
pub trait RetentionCalls: Calls {
    /// How long messages are kept, and whether nobody has said so: then it is as the box was configured.
    fn retention(&self) -> impl Future<Output = Result<(Rules, bool), Error>> + Send {
        async move {
            match self.call(Ask::ListRetention(proto::ListRetention {})).await? {
                Answer::RetentionPolicy(proto::RetentionPolicy { rules: Some(rules), standard }) => {
                    Ok((Rules::from_wire(&rules), standard))
                }
                other => odd(other),
            }
        }
    }

    /// How much would go if these rules held now; kinds of which nothing would go are left out. Nothing is changed.
    fn preview_retention(&self, rules: Rules) -> impl Future<Output = Result<Vec<WouldGo>, Error>> + Send {
        let ask = proto::PreviewRetention { rules: Some(rules.to_wire()) };
        async move {
            match self.call(Ask::PreviewRetention(ask)).await? {
                Answer::RetentionPreview(preview) => {
                    let kinds = preview.kinds.into_iter().map(|of| WouldGo {
                        kind: Kind::from_wire(of.kind()),
                        messages: of.messages,
                        conversations: of.conversations,
                        held: of.held,
                    });
                    Ok(kinds.collect())
                }
                other => odd(other),
            }
        }
    }

    /// They hold from now on: what is older goes within minutes, but for what is under legal hold.
    fn set_retention(&self, rules: Rules) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::SetRetention(proto::SetRetention { rules: Some(rules.to_wire()) }))
    }
}

impl<C: Calls> RetentionCalls for C {}
