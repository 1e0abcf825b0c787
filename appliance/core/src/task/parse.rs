//! Requests about tasks out of frames.

use crate::escalation::{Reason, StatId};
use crate::ids::{RoleId, Sequence};
use crate::refusal::Refusal;
use crate::task::{Answer, Assignee, Giving, TaskAsk};
use crate::time::Wall;
use crate::wire::proto::{self, client_frame};
use crate::wire::{conversation, person, stat};

/// For one person, or one role.
fn assignee(of: u64, role: u64) -> Result<Assignee, Refusal> {
    match (of, role) {
        (0, 0) => Err(Refusal::Invalid),
        (of, 0) => person(of).map(Assignee::Person),
        (0, role) => RoleId::new(role).map(Assignee::Role).ok_or(Refusal::NoSuchRole),
        _ => Err(Refusal::Invalid),
    }
}

/// 0: none.
fn due(at: i64) -> Option<Wall> {
    Some(Wall(at)).filter(|at| at.0 != 0)
}

pub(crate) fn give(give: &proto::GiveTask) -> Result<Giving, Refusal> {
    Ok(Giving {
        message: stat(give.conversation, give.sequence)?,
        to: assignee(give.person, give.role)?,
        due: due(give.due),
    })
}

fn answer(answer: &proto::AnswerTask) -> Result<Answer, Refusal> {
    Ok(match answer.answer() {
        proto::TaskAnswer::Take => Answer::Take,
        proto::TaskAnswer::Done => Answer::Done,
        proto::TaskAnswer::Withdraw => Answer::Withdraw,
        proto::TaskAnswer::Decline => {
            Answer::Decline(Reason::parse(answer.reason()).ok_or(Refusal::Invalid)?)
        }
        proto::TaskAnswer::Unspecified => return Err(Refusal::Invalid),
    })
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body) -> Result<TaskAsk, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::AnswerTask(said) => {
            TaskAsk::Answer { task: stat(said.conversation, said.sequence)?, answer: answer(&said)? }
        }
        Body::ReassignTask(pass) => TaskAsk::Reassign {
            task: stat(pass.conversation, pass.sequence)?,
            to: assignee(pass.person, pass.role)?,
            due: due(pass.due),
        },
        Body::ListTasks(list) => TaskAsk::List {
            conversation: if list.conversation == 0 { None } else { Some(conversation(list.conversation)?) },
            after: match list.after_conversation {
                0 => None,
                after => Some(StatId {
                    conversation: conversation(after)?,
                    sequence: Sequence(list.after_sequence),
                }),
            },
        },
        _ => return Err(Refusal::UnknownRequest),
    })
}
