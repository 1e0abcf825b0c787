//! The page to read and to print: one file, no scripts, nothing fetched from anywhere, light or dark as the reader's system is.
//!
//! Everything that somebody wrote is hostile: it goes in as text, with what turns the reading direction shown as `�`.

mod became;

use std::fmt::Write as _;

use wardline_core::ids::{PersonId, UnitId};

use super::acts::Acts;
use super::record::{Count, Header, Place, kind, priority, sex, time};
use crate::event::{Kind, Message};
use crate::notice::{self, Notice};
use crate::stat::Priority;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a; --line: #d0d7de; --loud: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #3d444d; --loud: #ff9492; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; border-top: 1px solid var(--line); padding-top: 1.25rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt, .soft, time { color: var(--soft); } dd { margin: 0; }
article { margin: .9rem 0; break-inside: avoid; } article p { margin: .1rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.notice { margin: .5rem 0; color: var(--soft); font-style: italic; } .loud { color: var(--loud); font-weight: 600; }
ul { margin: .2rem 0 0; padding-left: 1.2rem; }
@media print {
  :root { --ink: #000; --paper: #fff; --soft: #444; --line: #888; --loud: #000; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; } a { color: inherit; }
}
";

pub(super) const PLACE_ENDS: &str = "</section>\n";

/// As text of a page, or in the quotes of an attribute.
fn text(of: &str) -> String {
    let mut clean = String::with_capacity(of.len());
    for character in of.chars() {
        match character {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '"' => clean.push_str("&quot;"),
            '\'' => clean.push_str("&#39;"),
            '\n' | '\t' => clean.push(character),
            '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{61c}'
            | '\u{2028}'
            | '\u{2029}' => clean.push('\u{fffd}'),
            control if control.is_control() => clean.push('\u{fffd}'),
            plain => clean.push(plain),
        }
    }
    clean
}

/// "2026-11-27 02:14:09 UTC".
fn shown(milliseconds: i64) -> String {
    let at = time(milliseconds);
    let short = at.get(..19).unwrap_or(&at).replace('T', " ");
    format!("<time datetime=\"{at}\">{short} UTC</time>")
}

fn rows(rows: &[(&str, String)]) -> String {
    let mut list = String::from("<dl>\n");
    for (what, is) in rows.iter().filter(|(_, is)| !is.is_empty()) {
        let _ = writeln!(list, "<dt>{what}</dt><dd>{is}</dd>");
    }
    list.push_str("</dl>\n");
    list
}

pub(super) fn begins(header: &Header) -> String {
    let mut about = Vec::new();
    let whose = match (&header.patient, header.person) {
        (Some(patient), _) => {
            let told = &patient.particulars;
            about.push(("Record number", text(&told.record_number)));
            about.push(("Merged records", text(&patient.merged_records.join(", "))));
            about.push(("Born", text(&told.birth_date)));
            about.push(("Sex", sex(told.sex)));
            text(&told.name)
        }
        (None, Some(person)) => {
            let title = header.people.get(&person).map_or_else(String::new, |whom| text(&whom.title));
            about.push(("Title", title));
            about.push(("Identifier", person.to_string()));
            text(&header.name(person, None))
        }
        (None, None) => String::new(),
    };
    about.push(("Facility", text(&header.facility)));
    about.push(("Exported", shown(header.at)));
    about.push(("By", text(&header.name(header.by, None))));
    about.push(("Export", header.export.to_string()));
    let note = if header.patient.is_some() {
        "Names of other patients in what people wrote are shown as [#]."
    } else {
        "Patients are numbered here, and their names in what people wrote are shown as [#]. Files of their threads are not included."
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>Record of {whose}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>Record of {whose}</h1>\n{}<p class=\"soft\">{note}</p>\n",
        rows(&about)
    )
}

pub(super) fn place(header: &Header, place: &Place, title: &str) -> String {
    let pair = || place.pair.iter().map(|person| header.name(*person, Some(place))).collect::<Vec<_>>();
    let called = match (place.patient_number, place.kind) {
        (Some(number), Kind::Family) => format!("Patient {number}, family thread"),
        (Some(number), _) => format!("Patient {number}, patient thread"),
        (None, Kind::Patient) => "Patient thread".to_owned(),
        (None, Kind::Family) if title.is_empty() => "The patient's own thread".to_owned(),
        (None, Kind::Family) => format!("Family thread: {title}"),
        (None, Kind::Direct) => pair().join(" and "),
        (None, other) if title.is_empty() => kind(other).to_owned(),
        (None, _) => title.to_owned(),
    };
    let mut about = vec![("Conversation", format!("{} ({})", place.id, kind(place.kind)))];
    if let Some((stay, admitted)) = &place.stay {
        let unit = UnitId::new(stay.unit).and_then(|unit| header.units.get(&unit));
        about.push(("Bed", text(&format!("{}, {}", unit.map_or("", String::as_str), stay.bed))));
        about.push(("Admitted", shown(*admitted)));
        if stay.discharged_at != 0 {
            about.push(("Discharged", shown(stay.discharged_at)));
        }
        if let Some(attending) = PersonId::new(stay.attending) {
            about.push(("Attending", text(&header.name(attending, Some(place)))));
        }
    }
    if place.only_theirs {
        about.push(("Contains", "what this person wrote, who has left it".to_owned()));
    }
    format!("<section>\n<h2>{}</h2>\n{}", text(&called), rows(&about))
}

pub(super) fn message(
    header: &Header,
    place: &Place,
    message: &Message,
    (files, acts): (&[Option<String>], Option<&Acts>),
) -> String {
    let name = |person| text(&header.name(person, Some(place)));
    let mut marks = String::new();
    if message.priority != Priority::Routine {
        let _ = write!(marks, " <span class=\"loud\">{}</span>", priority(message.priority).to_uppercase());
    }
    if let Some(to) = message.reply_to {
        let _ = write!(marks, " <span class=\"soft\">answers #{}</span>", to.0);
    }
    if let Some(at) = message.edited_at {
        let _ = write!(marks, " <span class=\"soft\">edited {}</span>", shown(at));
    }
    let body = match message.recalled_at {
        Some(at) => format!("<p class=\"soft\">recalled {}</p>", shown(at)),
        None => format!("<p dir=\"auto\">{}</p>", text(&message.text)),
    };
    let mut attached = String::new();
    for (at, file) in message.attachments.iter().enumerate() {
        let is = file.media.map_or("file", wardline_core::attachment::Media::mime);
        let about = format!("{}, {is}, {} bytes", text(&file.name), file.length);
        let _ = match files.get(at).and_then(Option::as_ref) {
            Some(path) => write!(attached, "<li><a href=\"{}\">{about}</a></li>", text(path)),
            None => write!(attached, "<li>{about} <span class=\"soft\">(not included)</span></li>"),
        };
    }
    if !attached.is_empty() {
        attached = format!("<ul>{attached}</ul>");
    }
    let mut reactions = String::new();
    for reacted in &message.reactions {
        let people: Vec<String> = reacted.people.iter().map(|person| name(*person)).collect();
        let word = format!("{:?}", reacted.reaction).to_lowercase();
        let _ = write!(reactions, "<div class=\"soft\">{word}: {}</div>", people.join(", "));
    }
    let became: String = acts
        .map(|acts| became::lines(header, place, acts))
        .into_iter()
        .flatten()
        .map(|line| format!("<div>{line}</div>"))
        .collect();
    format!(
        "<article><span class=\"soft\">#{}</span> {} <strong>{}</strong>{marks}{body}{attached}{reactions}{became}</article>\n",
        message.sequence.0,
        shown(message.at),
        name(message.sender),
    )
}

pub(super) fn notice(header: &Header, place: &Place, told: &Notice) -> String {
    let words = notice::words(
        told,
        |person| header.name(person, Some(place)),
        |unit| header.units.get(&unit).cloned().unwrap_or_default(),
        |at| time(at.0).get(..16).unwrap_or_default().replace('T', " "),
    );
    format!("<div class=\"notice\">{} {}</div>\n", shown(told.at.0), text(&words))
}

pub(super) fn ends(count: &Count) -> String {
    format!(
        "<footer><h2>End of the record</h2>\n{}</footer>\n</body>\n</html>\n",
        rows(&[
            ("Conversations", count.conversations.to_string()),
            ("Messages", count.messages.to_string()),
            ("Notices", count.notices.to_string()),
            ("STATs", count.stats.to_string()),
            ("Orders by text", count.orders.to_string()),
            ("Tasks", count.tasks.to_string()),
            ("Signed", count.signed.to_string()),
            ("Signatures that are wrong", count.unverified.to_string()),
            ("Files", count.files.to_string()),
            ("Not included", count.files_withheld.to_string()),
            ("Names hidden", count.names_hidden.to_string()),
        ])
    )
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_somebody_wrote_stays_text() {
        let hostile = "</p><script>alert('x')</script>\u{202e}\u{7} & \"quoted\"\nnext";
        let shown = text(hostile);
        assert!(!shown.contains(['<', '>', '"', '\'', '\u{202e}', '\u{7}']), "{shown}");
        assert!(shown.contains("&amp; &quot;quoted&quot;\nnext"), "{shown}");
    }
}
