//! Templates and quick replies: how a facility and its units put what they write often.
//!
//! A template is named fields. Whoever fills one in sends an ordinary message: the box never sees which template it was, or what stands
//! in a field. What is kept here is form alone, and a set is set whole, as a file has it.
//!
//! Refuses to be a record: no values, nothing of a patient.

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::access::{self, Operation, Relations};
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::ids::UnitId;
use crate::kept;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::text::{Name, Phrase, Title};
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

/// What a facility, or a unit of it, has: at most [`limits::QUICK_REPLIES_MAX`] replies and [`limits::TEMPLATES_MAX`] templates, and
/// [`limits::TEMPLATES_BYTES_MAX`] bytes of them in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Templates {
    /// Whole messages, in order.
    #[n(0)]
    replies: Vec<Phrase>,
    /// In order; no two of one name.
    #[n(1)]
    templates: Vec<Template>,
}

/// A message with fields.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Template {
    /// "SBAR".
    #[n(0)]
    pub name: Name,
    /// In order: 1 to [`limits::TEMPLATE_FIELDS_MAX`], no two of one name.
    #[n(1)]
    pub fields: Vec<Field>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Field {
    /// "Situation".
    #[n(0)]
    pub name: Name,
    /// What belongs in it; may be empty.
    #[n(1)]
    pub hint: Title,
    /// It may be left empty.
    #[n(2)]
    pub optional: bool,
}

/// What a set of templates cannot be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum TemplateRefusal {
    /// A name, a hint or a reply is empty where it may not be, too long, or has control characters.
    #[error(
        "A name of a template or field has 1 to 64 bytes, a hint up to 80, a quick reply 1 to 200, all on one line."
    )]
    Words,
    /// Two of them.
    #[error("Two templates have one name, or two fields of one template. Rename one.")]
    NameTwice,
    /// A message of nothing.
    #[error("A template has 1 to 12 fields. Add one, or take the template out.")]
    Fields,
    /// [`limits::QUICK_REPLIES_MAX`], [`limits::TEMPLATES_MAX`], [`limits::TEMPLATES_BYTES_MAX`].
    #[error("A unit has at most 32 quick replies and 16 templates, 12 kB in all. Leave some out.")]
    TooMany,
}

/// A request about templates. Every field has been parsed.
pub enum TemplateAsk {
    /// From now on.
    Set {
        /// Whose; none: the facility's.
        unit: Option<UnitId>,
        /// Nothing: as if they had never been set.
        templates: Templates,
    },
    /// What there is.
    List {
        /// Whose; none: the facility's.
        unit: Option<UnitId>,
    },
}

impl Templates {
    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.templates.is_empty()
    }

    /// Whole messages, in order.
    pub fn replies(&self) -> &[Phrase] {
        &self.replies
    }

    /// In order.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// A set, if it is one.
    pub fn new(replies: Vec<Phrase>, templates: Vec<Template>) -> Result<Self, TemplateRefusal> {
        if replies.len() > limits::QUICK_REPLIES_MAX || templates.len() > limits::TEMPLATES_MAX {
            return Err(TemplateRefusal::TooMany);
        }
        for template in &templates {
            if !(1..=limits::TEMPLATE_FIELDS_MAX).contains(&template.fields.len()) {
                return Err(TemplateRefusal::Fields);
            }
            if !each_once(template.fields.iter().map(|field| &field.name)) {
                return Err(TemplateRefusal::NameTwice);
            }
        }
        if !each_once(templates.iter().map(|template| &template.name)) {
            return Err(TemplateRefusal::NameTwice);
        }
        let set = Self { replies, templates };
        if set.bytes() > limits::TEMPLATES_BYTES_MAX {
            return Err(TemplateRefusal::TooMany);
        }
        Ok(set)
    }

    /// Bytes of all words in it.
    fn bytes(&self) -> usize {
        let replies: usize = self.replies.iter().map(|reply| reply.reveal().len()).sum();
        let field = |field: &Field| field.name.reveal().len() + field.hint.reveal().len();
        let template = |template: &Template| {
            template.name.reveal().len() + template.fields.iter().map(field).sum::<usize>()
        };
        replies + self.templates.iter().map(template).sum::<usize>()
    }

    /// As a store keeps them.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// Out of what a store keeps. Bytes that are not the canonical form of a set are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        let set: Self = minicbor::decode(bytes)?;
        let damaged = || minicbor::decode::Error::message("not the canonical form");
        let whole = Self::new(set.replies, set.templates).map_err(|_| damaged())?;
        if whole.to_bytes() == bytes { Ok(whole) } else { Err(damaged()) }
    }

    /// Out of the wire.
    pub fn from_wire(wire: &proto::TemplateSet) -> Result<Self, TemplateRefusal> {
        // Before anything is made of it.
        if wire.replies.len() > limits::QUICK_REPLIES_MAX || wire.templates.len() > limits::TEMPLATES_MAX {
            return Err(TemplateRefusal::TooMany);
        }
        let words = |_| TemplateRefusal::Words;
        let reply = |text: &String| Phrase::parse(text).map_err(words);
        let field = |field: &proto::TemplateField| {
            let hint = if field.hint.is_empty() { Ok(Title::default()) } else { Title::parse(&field.hint) };
            Ok(Field {
                name: Name::parse(&field.name).map_err(words)?,
                hint: hint.map_err(words)?,
                optional: field.optional,
            })
        };
        let template = |template: &proto::Template| {
            if template.fields.len() > limits::TEMPLATE_FIELDS_MAX {
                return Err(TemplateRefusal::Fields);
            }
            let fields = template.fields.iter().map(field).collect::<Result<_, _>>()?;
            Ok(Template { name: Name::parse(&template.name).map_err(words)?, fields })
        };
        let replies = wire.replies.iter().map(reply).collect::<Result<_, _>>()?;
        Self::new(replies, wire.templates.iter().map(template).collect::<Result<_, _>>()?)
    }

    /// As clients see them; no unit: the facility's.
    pub fn to_wire(&self, unit: Option<UnitId>) -> proto::TemplateSet {
        let field = |field: &Field| proto::TemplateField {
            name: field.name.reveal().to_owned(),
            hint: field.hint.reveal().to_owned(),
            optional: field.optional,
        };
        let template = |template: &Template| proto::Template {
            name: template.name.reveal().to_owned(),
            fields: template.fields.iter().map(field).collect(),
        };
        proto::TemplateSet {
            unit: unit.map_or(0, UnitId::value),
            replies: self.replies.iter().map(|reply| reply.reveal().to_owned()).collect(),
            templates: self.templates.iter().map(template).collect(),
        }
    }
}

/// Whoever types a name does not mind its case.
fn each_once<'a>(names: impl Iterator<Item = &'a Name>) -> bool {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        let name = name.reveal().to_lowercase();
        if seen.contains(&name) {
            return false;
        }
        seen.push(name);
    }
    true
}

pub(crate) fn parse(body: client_frame::Body) -> Result<TemplateAsk, Refusal> {
    let of = |unit: u64| if unit == 0 { Ok(None) } else { crate::wire::unit(unit).map(Some) };
    match body {
        client_frame::Body::SetTemplates(set) => {
            let set = set.set.unwrap_or_default();
            let templates = Templates::from_wire(&set).map_err(Refusal::Templates)?;
            Ok(TemplateAsk::Set { unit: of(set.unit)?, templates })
        }
        client_frame::Body::ListTemplates(list) => Ok(TemplateAsk::List { unit: of(list.unit)? }),
        _ => Err(Refusal::UnknownRequest),
    }
}

/// Decides a request of a signed-in person or a service of the box. `is`: what they are to the unit, too.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: TemplateAsk,
) -> Result<Body, Refusal> {
    match ask {
        TemplateAsk::Set { unit, templates } => {
            let operation =
                if unit.is_some() { Operation::SetTemplates } else { Operation::SetFacilityTemplates };
            is_there(draft, unit)?;
            let permit = access::permit(operation, is, by)?;
            let now = draft.state.templates.get(&unit).cloned().unwrap_or_default();
            if now != templates {
                if draft.room == Room::Scarce {
                    return Err(Refusal::DiskLow);
                }
                draft.write(Write::TemplatesSet { unit, templates });
                draft.record(permit.by(), Act::TemplatesSet(unit));
            }
            Ok(Body::Done(proto::Done {}))
        }
        TemplateAsk::List { unit } => {
            is_there(draft, unit)?;
            access::permit(Operation::ListTemplates, is, by)?;
            let set = draft.state.templates.get(&unit).map(|set| set.to_wire(unit));
            Ok(Body::TemplateSet(set.unwrap_or_else(|| Templates::default().to_wire(unit))))
        }
    }
}

fn is_there(draft: &Draft<'_>, unit: Option<UnitId>) -> Result<(), Refusal> {
    match unit {
        Some(unit) if !draft.state.units.contains_key(&unit) => Err(Refusal::NoSuchUnit),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> proto::TemplateField {
        proto::TemplateField { name: name.to_owned(), hint: String::new(), optional: false }
    }

    fn set(replies: &[&str], templates: &[(&str, &[&str])]) -> proto::TemplateSet {
        let template = |(name, fields): &(&str, &[&str])| proto::Template {
            name: (*name).to_owned(),
            fields: fields.iter().map(|name| field(name)).collect(),
        };
        proto::TemplateSet {
            unit: 0,
            replies: replies.iter().map(|reply| (*reply).to_owned()).collect(),
            templates: templates.iter().map(template).collect(),
        }
    }

    #[test]
    fn what_cannot_be_a_set_is_refused() {
        let refused = |wire: proto::TemplateSet| Templates::from_wire(&wire).expect_err("refused");
        assert_eq!(refused(set(&[" "], &[])), TemplateRefusal::Words);
        assert_eq!(refused(set(&["a\nb"], &[])), TemplateRefusal::Words);
        assert_eq!(refused(set(&[&"x".repeat(201)], &[])), TemplateRefusal::Words);
        assert_eq!(refused(set(&[], &[("", &["a"])])), TemplateRefusal::Words);
        assert_eq!(refused(set(&[], &[("Fall", &[])])), TemplateRefusal::Fields);
        assert_eq!(refused(set(&[], &[("Fall", &["a"; 13])])), TemplateRefusal::Fields);
        assert_eq!(refused(set(&[], &[("Fall", &["Bed", "bed"])])), TemplateRefusal::NameTwice);
        assert_eq!(refused(set(&[], &[("Fall", &["a"]), ("FALL", &["a"])])), TemplateRefusal::NameTwice);
        assert_eq!(refused(set(&["a"; 33], &[])), TemplateRefusal::TooMany);
        let long = "x".repeat(60);
        let names: Vec<String> = (0..12).map(|at| format!("{long}{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hints = |mut wire: proto::TemplateSet| {
            wire.templates.iter_mut().flat_map(|t| &mut t.fields).for_each(|f| f.hint = "x".repeat(80));
            wire
        };
        let many: Vec<String> = (0..16).map(|at| format!("T{at}")).collect();
        let many: Vec<(&str, &[&str])> = many.iter().map(|name| (name.as_str(), &names[..])).collect();
        assert_eq!(refused(hints(set(&[], &many))), TemplateRefusal::TooMany, "too many bytes");
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let wire = set(&["On my way"], &[("Fall", &["Bed", "What happened"]), ("Pain", &["Score"])]);
        let whole = Templates::from_wire(&wire).expect("a set");
        assert!(whole.to_wire(None) == wire);
        let bytes = whole.to_bytes();
        assert_eq!(Templates::from_bytes(&bytes).expect("as it was written"), whole);
        for end in 0..bytes.len() {
            assert!(Templates::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        assert!(Templates::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
