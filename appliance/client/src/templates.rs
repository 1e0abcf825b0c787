//! Templates and quick replies: what there is, files of them, and filling one in.
//!
//! A file has a line for each thing:
//!
//! ```text
//! # Lines that begin with # say nothing.
//! reply On my way
//! template Fall report
//! field Bed
//! field What happened | as the patient tells it
//! optional Injuries | where, and how bad
//! ```

use std::fmt;
use std::future::Future;

use wardline_core::ids::UnitId;
use wardline_core::template::{TemplateRefusal, Templates};
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;

/// What a facility, or a unit of it, has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateSet {
    /// Whole messages, in order.
    pub replies: Vec<String>,
    /// In order.
    pub templates: Vec<Template>,
}

/// A message with fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// "SBAR".
    pub name: String,
    /// In order.
    pub fields: Vec<Field>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// "Situation".
    pub name: String,
    /// What belongs in it; may be empty.
    pub hint: String,
    /// It may be left empty.
    pub optional: bool,
}

/// What a file of templates says that it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Which line, from 1.
    pub line: usize,
    /// Why, and what to write.
    pub why: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {}", self.line, self.why)
    }
}

/// Why a template is not filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfilled {
    /// These must be: their names, in order.
    Missing(Vec<String>),
    /// It has no such field.
    Unknown(String),
    /// Given twice.
    Twice(String),
}

/// What every client has: situation, background, assessment, recommendation (Institute for Healthcare Improvement).
pub fn sbar() -> Template {
    let field =
        |name: &str, hint: &str| Field { name: name.to_owned(), hint: hint.to_owned(), optional: false };
    Template {
        name: "SBAR".to_owned(),
        fields: vec![
            field("Situation", "who and where, and what is going on now"),
            field("Background", "what led to it: diagnosis, treatment, allergies"),
            field("Assessment", "what you think it is, and the last vital signs"),
            field("Recommendation", "what you ask for, and by when"),
        ],
    }
}

impl Field {
    /// Whether it is called so, whatever the case.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.trim().to_lowercase()
    }
}

impl Template {
    /// The message: a field in each line, those that are empty left out. Names are as typed, whatever their case.
    pub fn fill(&self, values: &[(String, String)]) -> Result<String, Unfilled> {
        for (at, (name, _)) in values.iter().enumerate() {
            let Some(field) = self.fields.iter().find(|field| field.is_called(name)) else {
                return Err(Unfilled::Unknown(name.clone()));
            };
            if values[..at].iter().any(|(other, _)| field.is_called(other)) {
                return Err(Unfilled::Twice(name.clone()));
            }
        }
        let value = |field: &Field| {
            let given = values.iter().find(|(name, _)| field.is_called(name));
            given.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let missing: Vec<String> = self
            .fields
            .iter()
            .filter(|field| !field.optional && value(field).is_none())
            .map(|field| field.name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(Unfilled::Missing(missing));
        }
        let mut text = format!("**{}**", self.name);
        for field in &self.fields {
            if let Some(value) = value(field) {
                text.push_str(&format!("\n**{}:** {value}", field.name));
            }
        }
        Ok(text)
    }
}

impl TemplateSet {
    /// Out of a file.
    pub fn read(text: &str) -> Result<Self, Misread> {
        let mut set = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            set.line(line).map_err(|why| Misread { line: at + 1, why })?;
            // The box's own rules, at the line that breaks one.
            set.check().map_err(|refusal| Misread { line: at + 1, why: refusal.to_string() })?;
        }
        match set.templates.last() {
            Some(template) if template.fields.is_empty() => {
                let why = format!("{} has no field. Add one: field NAME | what belongs in it", template.name);
                Err(Misread { line: text.lines().count(), why })
            }
            _ => Ok(set),
        }
    }

    /// Whether the box would take it, once the last template has a field.
    fn check(&self) -> Result<(), TemplateRefusal> {
        let mut wire = self.to_wire(None);
        if let Some(begun) = wire.templates.last_mut().filter(|template| template.fields.is_empty()) {
            begun
                .fields
                .push(proto::TemplateField { name: "x".to_owned(), ..proto::TemplateField::default() });
        }
        Templates::from_wire(&wire).map(|_| ())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        if rest.is_empty() {
            return Err(format!("behind {word} nothing stands. Write it as in: {word} {}", example(word)));
        }
        match word.to_lowercase().as_str() {
            "reply" => self.replies.push(rest.to_owned()),
            "template" => {
                if let Some(before) = self.templates.last().filter(|before| before.fields.is_empty()) {
                    return Err(format!("{} has no field. Add one before the next template.", before.name));
                }
                self.templates.push(Template { name: rest.to_owned(), fields: Vec::new() });
            }
            kind @ ("field" | "optional") => {
                let (name, hint) = rest.split_once('|').unwrap_or((rest, ""));
                let (name, hint) = (name.trim().to_owned(), hint.trim().to_owned());
                let template = self.templates.last_mut();
                let template =
                    template.ok_or("a field comes behind its template. Begin one: template NAME")?;
                template.fields.push(Field { name, hint, optional: kind == "optional" });
            }
            _ => return Err(format!("{word} is none of reply, template, field, optional.")),
        }
        Ok(())
    }

    /// As a file, which [`TemplateSet::read`] reads.
    pub fn written(&self) -> String {
        let mut text = String::new();
        for reply in &self.replies {
            text.push_str(&format!("reply {reply}\n"));
        }
        for template in &self.templates {
            text.push_str(&format!("\ntemplate {}\n", template.name));
            for field in &template.fields {
                let word = if field.optional { "optional" } else { "field" };
                let hint = if field.hint.is_empty() { String::new() } else { format!(" | {}", field.hint) };
                text.push_str(&format!("{word} {}{hint}\n", field.name));
            }
        }
        text
    }

    fn to_wire(&self, unit: Option<UnitId>) -> proto::TemplateSet {
        let field = |field: &Field| proto::TemplateField {
            name: field.name.clone(),
            hint: field.hint.clone(),
            optional: field.optional,
        };
        let template = |template: &Template| proto::Template {
            name: template.name.clone(),
            fields: template.fields.iter().map(field).collect(),
        };
        proto::TemplateSet {
            unit: unit.map_or(0, UnitId::value),
            replies: self.replies.clone(),
            templates: self.templates.iter().map(template).collect(),
        }
    }

    fn from_wire(wire: proto::TemplateSet) -> Self {
        let field = |field: proto::TemplateField| Field {
            name: field.name,
            hint: field.hint,
            optional: field.optional,
        };
        let template = |template: proto::Template| Template {
            name: template.name,
            fields: template.fields.into_iter().map(field).collect(),
        };
        Self { replies: wire.replies, templates: wire.templates.into_iter().map(template).collect() }
    }
}

fn example(word: &str) -> &'static str {
    match word.to_lowercase().as_str() {
        "reply" => "On my way",
        "template" => "Fall report",
        _ => "What happened | as the patient tells it",
    }
}

/// Asking for templates, and setting them.
pub trait TemplateCalls: Calls {
    /// What a unit has; no unit: the facility.
    fn templates(&self, unit: Option<UnitId>) -> impl Future<Output = Result<TemplateSet, Error>> + Send {
        let ask = proto::ListTemplates { unit: unit.map_or(0, UnitId::value) };
        async move {
            match self.call(Ask::ListTemplates(ask)).await? {
                Answer::TemplateSet(set) => Ok(TemplateSet::from_wire(set)),
                other => odd(other),
            }
        }
    }

    /// What a unit, or the facility, has from now on: all of it.
    fn set_templates(
        &self,
        unit: Option<UnitId>,
        set: &TemplateSet,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let ask = proto::SetTemplates { set: Some(set.to_wire(unit)) };
        self.persistently(Ask::SetTemplates(ask))
    }
}

impl<C: Calls> TemplateCalls for C {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Hall A\nreply On my way\nreply Seen, #1 too\n\ntemplate Fall report\nfield Bed\n\
                        field What happened | as the patient tells it\noptional Injuries | where\n";

    fn misread(text: &str) -> (usize, String) {
        let Err(Misread { line, why }) = TemplateSet::read(text) else { panic!("read: {text}") };
        (line, why)
    }

    #[test]
    fn a_file_is_read_and_written_back() {
        let set = TemplateSet::read(FILE).unwrap();
        assert_eq!(set.replies, ["On my way", "Seen, #1 too"]);
        assert_eq!(set.templates[0].fields[1].hint, "as the patient tells it");
        assert!(set.templates[0].fields[2].optional && !set.templates[0].fields[0].optional);
        assert_eq!(TemplateSet::read(&set.written()).unwrap(), set);
        assert_eq!(TemplateSet::read("# nothing\n\n").unwrap(), TemplateSet::default());
    }

    #[test]
    fn what_cannot_be_is_told_with_its_line() {
        for (text, line, why) in [
            ("replies On my way", 1, "replies is none of reply, template, field, optional."),
            ("reply a\nreply", 2, "behind reply nothing stands. Write it as in: reply On my way"),
            ("\nfield Bed", 2, "a field comes behind its template. Begin one: template NAME"),
            ("template A\ntemplate B", 2, "A has no field."),
            ("template A\nfield x\n\ntemplate B", 4, "B has no field. Add one: field NAME"),
            ("template A\nfield x\nfield X", 3, "two fields of one template"),
            ("template A\nfield x\ntemplate a", 3, "Two templates have one name"),
        ] {
            let found = misread(text);
            assert!(found.0 == line && found.1.contains(why), "{text:?}: {found:?}");
        }
        let long = format!("reply ok\nreply {}", "x".repeat(201));
        assert!(misread(&long).0 == 2 && misread(&long).1.contains("a quick reply 1 to 200"));
        let many = "reply a\n".repeat(33);
        assert!(misread(&many).0 == 33 && misread(&many).1.contains("at most 32 quick replies"));
        let fields =
            format!("template A\n{}", (0..13).map(|at| format!("field F{at}\n")).collect::<String>());
        assert!(misread(&fields).0 == 14 && misread(&fields).1.contains("1 to 12 fields"));
    }

    #[test]
    fn a_template_is_filled_in_or_says_what_is_missing() {
        let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fall = TemplateSet::read(FILE).unwrap().templates.remove(0);
        let filled = fall.fill(&[value("what happened", "slipped"), value("BED", " 12 ")]);
        assert_eq!(filled.unwrap(), "**Fall report**\n**Bed:** 12\n**What happened:** slipped");
        assert_eq!(
            fall.fill(&[value("Injuries", "none"), value("Bed", " ")]),
            Err(Unfilled::Missing(vec!["Bed".to_owned(), "What happened".to_owned()]))
        );
        assert_eq!(fall.fill(&[value("Beds", "1")]), Err(Unfilled::Unknown("Beds".to_owned())));
        assert_eq!(
            fall.fill(&[value("Bed", "1"), value("bed", "2")]),
            Err(Unfilled::Twice("bed".to_owned()))
        );
        assert_eq!(sbar().fields.len(), 4);
        assert!(
            Templates::from_wire(&TemplateSet { replies: vec![], templates: vec![sbar()] }.to_wire(None))
                .is_ok()
        );
    }
}
