//! From a grant to a page of hits.

use std::collections::BTreeMap;

use futures_util::future::try_join;
use wardline_core::grant::SearchGrant;
use wardline_core::ids::Change;
use wardline_core::limits::{ATTACHMENT_WIRE_MAX, PAGE_BYTES_MAX, SEARCH_COUNT_MAX, SEARCH_TEXTS_MAX};
use wardline_core::refusal::Refusal;
use wardline_core::wire::{self, proto};

use super::look::{Found, Hit, Looked};
use crate::catchup::Library;
use crate::store::StoreError;

/// Hits whose messages one connection reads at a time.
const TEXTS_AT_ONCE: usize = 50;

const HOUR_MS: i64 = 3_600_000;

/// What a search is answered with, and what it cost.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// For the wire.
    pub page: proto::SearchPage,
    /// Rows of the index that were read.
    pub rows: usize,
}

/// Looks, reads what was found, and makes a page of it. Everything is asked as it stands now: where the person is a member, from
/// which message on, and, once more, when the messages are read.
pub async fn answer(library: &Library, grant: &SearchGrant) -> Result<Result<Answer, Refusal>, StoreError> {
    // Before the windows: what comes in between is missing in the index, and then said to be.
    let shown = library.search.shown();
    let windows = library.readers.windows(grant).await?;
    let search = grant.search();
    let complete = shown.looker.is_some() && windows.iter().all(|window| window.last_change <= shown.through);
    let wanted = if search.query.has_phrases() { SEARCH_TEXTS_MAX } else { search.limit as usize };
    let looked = match &shown.looker {
        Some(looker) => looker.look(&windows, search, wanted).await,
        None => Ok(Looked::Found(Found::default())),
    };
    let (found, complete) = match looked {
        Ok(Looked::Found(found)) => (found, complete),
        Ok(Looked::TooBroad) => return Ok(Err(Refusal::SearchTooBroad)),
        // It is being thrown away, or will be.
        Err(error) => {
            if !matches!(error, StoreError::Closed) {
                tracing::warn!(%error, "the search index could not be read");
                library.search.broken();
            }
            (Found::default(), false)
        }
    };
    let mut page = read(library, grant, &found).await?;
    page.complete = complete;
    // The newest message in the index may be anybody's: its hour is told, not its moment.
    page.indexed_until = if complete { 0 } else { shown.at.0 - shown.at.0.rem_euclid(HOUR_MS) };
    Ok(Ok(Answer { page, rows: found.rows }))
}

/// Hits until the page is full.
async fn read(
    library: &Library,
    grant: &SearchGrant,
    found: &Found,
) -> Result<proto::SearchPage, StoreError> {
    let search = grant.search();
    let mut page = proto::SearchPage::default();
    let (mut text, mut last) = (0, None::<Hit>);
    'full: for hits in found.hits.chunks(2 * TEXTS_AT_ONCE) {
        // Only where texts have to be looked into is there a second half: then both cores of a small box read and decrypt.
        let (first, second) = hits.split_at(hits.len().min(TEXTS_AT_ONCE));
        let (mut messages, others) =
            try_join(messages(library, grant, first), messages(library, grant, second)).await?;
        messages.extend(others);
        for hit in hits {
            if page.hits.len() >= search.limit as usize || text >= PAGE_BYTES_MAX {
                break 'full;
            }
            last = Some(*hit);
            // What is not there has expired, was purged, or is not this person's any more.
            let Some(message) = messages.remove(&hit.change) else { continue };
            if !message.text.is_empty() && search.query.follow_each_other(&message.text) {
                text += message.text.len() + wire::beside(&message.mentions, &message.reactions);
                text += message.attachments.len() * ATTACHMENT_WIRE_MAX;
                page.hits.push(message);
            }
        }
    }
    let rest = found.more || found.hits.last().copied() != last;
    if let Some(last) = last.filter(|_| rest) {
        page.after = last.behind.to_bytes();
    }
    if search.query.has_phrases() {
        // Only texts tell: what was looked into is what is known.
        page.at_least = page.hits.len() as u64;
        page.more = rest;
    } else {
        page.at_least = found.count.min(SEARCH_COUNT_MAX) as u64;
        page.more = found.count > SEARCH_COUNT_MAX;
    }
    Ok(page)
}

async fn messages(
    library: &Library,
    grant: &SearchGrant,
    hits: &[Hit],
) -> Result<BTreeMap<Change, proto::Message>, StoreError> {
    if hits.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted: Vec<_> = hits.iter().map(|hit| (hit.behind.conversation, hit.change)).collect();
    let mut messages = BTreeMap::new();
    for stored in library.readers.found(grant, &wanted).await? {
        messages.insert(stored.change, library.message(stored).await?);
    }
    Ok(messages)
}
