//! A page of an export, with the names of other patients hidden.

use std::collections::BTreeSet;

use wardline_core::grant::ExportGrant;
use wardline_core::ids::{Change, ExportId};
use wardline_core::notice::Notice;
use wardline_core::refusal::Refusal;
use wardline_core::veil::Veil;
use wardline_core::wire::proto;

use crate::catchup::Library;
use crate::store::{Acts, Exported, ExportedPage, StoreError};

/// What hides names in one export; made when its first page is read and whenever a patient is entered or corrected since, and kept with
/// the connection.
pub struct OfExport {
    export: ExportId,
    as_of: Change,
    veil: Veil,
}

/// Reads a page.
pub async fn answer(
    library: &Library,
    grant: &ExportGrant,
    known: &mut Option<OfExport>,
) -> Result<Result<proto::ExportPage, Refusal>, StoreError> {
    let ExportedPage { messages, notices, acts, said_elsewhere, through, end } =
        match library.readers.exported(grant).await? {
            Exported::Of(page) => page,
            Exported::NotPermitted => return Ok(Err(Refusal::NoSuchExport)),
            Exported::Purged => return Ok(Err(Refusal::Purged)),
        };
    let mut messages = library.messages(messages).await?;
    let said_elsewhere = library.messages(said_elsewhere).await?;
    // Purged while they were opened: some are blank.
    if library.key(grant.conversation).await?.is_none() {
        return Ok(Err(Refusal::Purged));
    }
    // Asked first: who is entered while the veil is made is in it, and has it made once more.
    let (export, as_of) = (grant.export, library.readers.patients_changed().await?);
    let of_export = match known.take().filter(|known| (known.export, known.as_of) == (export, as_of)) {
        Some(of_export) => of_export,
        None => OfExport { export, as_of, veil: library.readers.veil(&grant.shown).await? },
    };
    let words = library.readers.veil_of_words(&grant.hidden).await?;
    let veils = [&of_export.veil, &words];
    let is_named = |text: &str| veils.iter().any(|veil| veil.over(text).1 > 0);
    // Of a message that is not there nobody knows what it says, so it is not among these.
    let said = messages.iter().chain(&said_elsewhere).filter(|message| !is_named(&message.text));
    let nameless: BTreeSet<u64> = said.map(|message| message.sequence).collect();
    let mut names_hidden = 0;
    let mut over = |text: &mut String| {
        for veil in veils {
            let (read, count) = veil.over(text);
            if count > 0 {
                (*text, names_hidden) = (read, names_hidden + count);
            }
        }
    };
    for message in &mut messages {
        over(&mut message.text);
        message.attachments.iter_mut().for_each(|file| over(&mut file.name));
    }
    let mut acts: Vec<proto::ExportActs> = acts.iter().map(Acts::to_wire).collect();
    for acts in &mut acts {
        hide(acts, &nameless, &mut over);
        // Where a patient lies whose record this is not.
        if let Some(stat) = acts.stat.as_mut().filter(|_| !grant.hidden.is_empty()) {
            (stat.unit, stat.dial) = (0, String::new());
        }
    }
    let mut title = grant.title.reveal().to_owned();
    over(&mut title);
    *known = Some(of_export);
    let notices = notices.iter().map(Notice::to_wire).collect();
    let conversation = grant.conversation.value();
    let through = through.0;
    Ok(Ok(proto::ExportPage { conversation, messages, notices, title, through, end, names_hidden, acts }))
}

/// Hides names in what became of a message. What was signed holds the name: whoever has the signature, or the hash of the text, and all but
/// the name could try names until one fits. So where a name is hidden neither goes out.
fn hide(acts: &mut proto::ExportActs, nameless: &BTreeSet<u64>, over: &mut impl FnMut(&mut String)) {
    if let Some(note) = acts.stat.as_mut().and_then(|stat| stat.note.as_mut()) {
        acts.hidden |= is_hidden(note, over);
    }
    for answer in &mut acts.signed {
        if let Some(proto::signed_answer::Said::CallNote(note)) = &mut answer.said
            && is_hidden(note, over)
        {
            answer.signature.clear();
            acts.hidden = true;
        }
    }
    for deed in &mut acts.order_signed {
        if !deed.text_sha256.is_empty() && !nameless.contains(&deed.said) {
            deed.text_sha256.clear();
            deed.signature.clear();
            acts.hidden = true;
        }
    }
}

/// Whether a name had to be hidden in the words of a call note.
fn is_hidden(note: &mut proto::CallNote, over: &mut impl FnMut(&mut String)) -> bool {
    let whole = note.clone();
    over(&mut note.role);
    over(&mut note.name);
    *note != whole
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
