//! The list: what must be true of every client, in the order of the protocol page. `docs/protocol/conformance.md` has the
//! same in words, and a test that it does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Result;

use super::client::ClientUnderTest;
use super::ward::Stage;
use super::{groups, joining, later, outages, signing, talking};

type Run = fn(Arc<Stage>) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// One entry.
pub(crate) struct Entry {
    /// Short.
    pub(crate) name: &'static str,
    /// What must be true.
    pub(crate) must: &'static str,
    /// Where the protocol page says so.
    pub(crate) section: &'static str,
    /// What may go on beside it.
    pub(crate) how: How,
    /// Holds it.
    pub(crate) run: Run,
}

/// How an entry is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Beside a few others.
    Beside,
    /// Beside any others: it waits for what a clock brings.
    Waits,
    /// Ends the box for a moment, so that nothing else may go on.
    Alone,
}

macro_rules! entry {
    ($name:literal, $section:literal, $must:literal, $run:expr) => {
        entry!($name, $section, $must, $run, Beside)
    };
    ($name:literal, $section:literal, $must:literal, $run:expr, $how:ident) => {
        Entry {
            name: $name,
            section: $section,
            must: $must,
            how: How::$how,
            run: |stage| Box::pin($run(stage)),
        }
    };
}

/// All of them. An entry's number is its place; new ones come at the end.
#[rustfmt::skip]
pub(crate) fn list<C: ClientUnderTest>() -> Vec<Entry> {
    vec![
        entry!("join links", "1", "Links are read as the page has them; every damaged one is refused, and nothing is sent", joining::links::<C>),
        entry!("another root", "1, Trust", "A box under another root than the link's is refused, and does not hear the code", joining::other_root::<C>),
        entry!("another name", "1, Trust", "A box of the facility whose certificate does not bear the name is refused", joining::other_name::<C>),
        entry!("an impostor", "1, Trust", "A box of another facility that answers at a later connection is refused; the own one is found again", joining::impostor::<C>),
        entry!("Retry", "1, Transport", "A first packet that is answered with a Retry is sent again with its token", outages::retry_packet::<C>),
        entry!("stateless reset", "1, Transport", "A stateless reset ends the connection at once; the next one takes up what was under way", outages::reset::<C>, Alone),
        entry!("another address", "1, Streams", "A connection goes on when the client's address changes", outages::roams::<C>),
        entry!("silence", "1, Keeping alive", "A network that swallows everything is noticed; nothing is lost in it", outages::silence::<C>, Waits),
        entry!("a later version's box", "2", "Unknown fields, events, frames, kinds and codes are passed over, and their cursors kept", later::passes_over::<C>),
        entry!("join", "3, Joining", "A code and a PIN make a device; it begins with a snapshot", joining::joins::<C>),
        entry!("join again", "3, Joining", "A join whose answer was lost ends in the same device, with the right PIN alone", joining::joins_again::<C>),
        entry!("a spent code", "3, Joining", "A code that was used is refused, and the person told so", joining::spent_code::<C>),
        entry!("PINs to begin with", "3, PINs", "PINs that are too short, too long or too common are refused before the box is asked", joining::pins::<C>),
        entry!("sign-in", "3", "A device signs in again as itself, and asks for no PIN while its session is open", signing::again::<C>),
        entry!("wrong PIN, right PIN", "3, PINs", "A wrong PIN is told with the tries left; a right one opens the session and gives all tries back", signing::pin::<C>),
        entry!("locked out", "3, PINs", "Ten wrong PINs end the device; it does not try again", signing::locked_out::<C>, Waits),
        entry!("locked", "3, Locked sessions", "A locked session asks for the PIN; what comes and what is written meanwhile waits for it", signing::locks::<C>, Waits),
        entry!("other devices", "3, A person's devices", "The person is told once of every device that they did not know of", signing::other_devices::<C>),
        entry!("superseded", "3", "The connection that gives way to a copy of its profile stays away", signing::superseded::<C>),
        entry!("revoked", "8, 9", "A revoked device ends at once, and is refused when it is opened again", signing::revoked::<C>),
        entry!("suspended", "8, 9", "A suspended person's device ends at once, and works again with the PIN when they are restored", signing::suspended::<C>),
        entry!("talk", "4, 5", "Messages go both ways, word for word, in their places", talking::both_ways::<C>),
        entry!("resume", "4, Cursors", "Who was away is delivered what was missed, in order, once, and no snapshot", outages::resumes::<C>),
        entry!("resume after death", "4, Cursors", "Who died is delivered everything that was not dealt with", outages::dies::<C>),
        entry!("far behind", "4, Snapshots", "Who missed more than the box lists is given a snapshot, told of the gap, and finds the rest in the history", outages::far_behind::<C>),
        entry!("group news", "4, Events", "Who comes and who goes is known to those who were there; only the owner takes others out", groups::news::<C>),
        entry!("gone", "4, Events", "Who is no member any more is told so; what they send there fails", groups::gone::<C>),
        entry!("purged", "4, Events", "A purged conversation is known as such, without its title; sending and reading there fail", groups::purged::<C>),
        entry!("order", "5", "Messages written faster than they are accepted keep their order", talking::order::<C>),
        entry!("8192 bytes", "5, 10", "The largest text goes both ways as it is", talking::large::<C>),
        entry!("too large, empty", "5, 10", "Texts that cannot be sent are refused at once, and nothing is sent", talking::too_large::<C>),
        entry!("retry after death", "5", "A message whose answer was lost with the client is there once", outages::retry_after_death::<C>),
        entry!("retry after a restart", "5", "A message whose answer was lost with the box is there once", outages::retry_after_restart::<C>, Alone),
        entry!("receipts", "6", "Delivered and read reach the sender, and no more than that", talking::receipts::<C>),
        entry!("the last receipt", "6", "The last receipt goes before the farewell", talking::last_receipt::<C>),
        entry!("history", "7", "History is read page by page to its end, newest first", talking::history::<C>),
        entry!("the directory", "7", "Everybody is found, page after page", talking::people::<C>),
        entry!("draining", "9", "A box that restarts in order is found again", outages::drains::<C>, Alone),
        entry!("hostile texts", "Texts are hostile", "A text is kept as it is, and shown without what steers a terminal or passes for another's message", talking::shown::<C>),
        entry!("another past", "4, Cursors", "After a box was restored from a backup, what is new there is delivered, whatever was in those places before", outages::restored::<C>, Alone),
        entry!("a channel", "4, Events", "What was said in a channel before somebody entered it is found in its history; its new title and its end are known, and what is sent there then fails", groups::channel::<C>),
    ]
}
