//! A page of an export, with the names of other patients hidden.

use wardline_core::grant::ExportGrant;
use wardline_core::ids::ExportId;
use wardline_core::notice::Notice;
use wardline_core::refusal::Refusal;
use wardline_core::veil::Veil;
use wardline_core::wire::proto;

use crate::catchup::Library;
use crate::store::{Acts, Exported, ExportedPage, StoreError};

/// What hides names in one export; made when its first page is read, and kept with the connection.
pub struct OfExport {
    export: ExportId,
    veil: Veil,
}

/// Reads a page.
pub async fn answer(
    library: &Library,
    grant: &ExportGrant,
    known: &mut Option<OfExport>,
) -> Result<Result<proto::ExportPage, Refusal>, StoreError> {
    let ExportedPage { messages, notices, acts, through, end } = match library.readers.exported(grant).await?
    {
        Exported::Of(page) => page,
        Exported::NotPermitted => return Ok(Err(Refusal::NoSuchExport)),
        Exported::Purged => return Ok(Err(Refusal::Purged)),
    };
    let mut messages = library.messages(messages).await?;
    // Purged while they were opened: some are blank.
    if library.key(grant.conversation).await?.is_none() {
        return Ok(Err(Refusal::Purged));
    }
    let of_export = match known.take().filter(|known| known.export == grant.export) {
        Some(of_export) => of_export,
        None => OfExport { export: grant.export, veil: library.readers.veil(&grant.shown).await? },
    };
    let words = library.readers.veil_of_words(&grant.hidden).await?;
    let mut names_hidden = 0;
    let mut over = |text: &mut String| {
        for veil in [&of_export.veil, &words] {
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
        let mut hidden = false;
        for note in notes(acts) {
            let whole = note.clone();
            over(&mut note.role);
            over(&mut note.name);
            hidden |= *note != whole;
        }
        acts.hidden = hidden;
    }
    let mut title = grant.title.reveal().to_owned();
    over(&mut title);
    *known = Some(of_export);
    let notices = notices.iter().map(Notice::to_wire).collect();
    let conversation = grant.conversation.value();
    let through = through.0;
    Ok(Ok(proto::ExportPage { conversation, messages, notices, title, through, end, names_hidden, acts }))
}

/// The words of call notes: in what was signed, and in how the STAT stands.
fn notes(acts: &mut proto::ExportActs) -> impl Iterator<Item = &mut proto::CallNote> {
    let stands = acts.stat.as_mut().and_then(|stat| stat.note.as_mut());
    let signed = acts.signed.iter_mut().filter_map(|answer| match &mut answer.said {
        Some(proto::signed_answer::Said::CallNote(note)) => Some(note),
        _ => None,
    });
    stands.into_iter().chain(signed)
}
