//! `wardline template`: what a unit writes often; and a message that is filled in.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _, Write as _};

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::event::{Person, Unit};
use wardline_client::templates::{Field, Template, TemplateCalls, TemplateSet, Unfilled, sbar};
use wardline_client::{Calls, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

/// Larger than any file of templates that the box takes.
const FILE_MAX: u64 = 64 * 1024;

/// In a unit's place: what every client has.
const BUILT_IN: &str = "built in";

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Quick replies and templates: the facility's, and those of the units where you work.
    List {
        /// Of this unit alone.
        #[arg(long, value_name = "UNIT")]
        unit: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// The fields of one template, and what belongs in each.
    Show {
        /// A part of its name that fits one alone.
        name: String,
    },
    /// Set what a unit, or the facility, has, from a file. What it had before is gone.
    ///
    /// A file has a line for each thing:  reply On my way  |  template Fall report  |  field Bed  |  field What happened | as the patient tells
    /// it  |  optional Injuries. `wardline template export` writes one.
    Set {
        /// The file; - alone: standard input.
        file: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// What a unit, or the facility, has, as a file.
    Export {
        #[command(flatten)]
        whose: Whose,
    },
    /// Take away what a unit, or the facility, has.
    Clear {
        #[command(flatten)]
        whose: Whose,
    },
}

/// A unit's, by its charge nurse; or the facility's, by an administrator.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// This unit's.
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// The facility's: every unit has them.
    #[arg(long)]
    facility: bool,
}

pub(crate) async fn template(common: &Common, act: Act) -> Result<(), Failure> {
    let set = match &act {
        Act::Set { file, .. } => Some(read(file)?),
        _ => None,
    };
    Access::during(common, async |access: &Access| match act {
        Act::List { unit, json } => list(access, unit.as_deref(), json).await,
        Act::Show { name } => show(access, &name).await,
        Act::Set { whose, .. } => put(access, &whose, &set.unwrap_or_default()).await,
        Act::Clear { whose } => put(access, &whose, &TemplateSet::default()).await,
        Act::Export { whose } => {
            let set = access.templates(of(access, &whose).await?.map(|unit| unit.id)).await?;
            say::line(say::clean(&set.written()).trim_end())
        }
    })
    .await
}

fn read(file: &str) -> Result<TemplateSet, Failure> {
    let mut text = String::new();
    let failed = |error: std::io::Error| Failure::Usage(format!("{file} cannot be read: {error}."));
    let from: Box<dyn std::io::Read> = if file == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    from.take(FILE_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_MAX {
        return Err(Failure::Usage(format!("{file} is larger than any file of templates: 64 kB.")));
    }
    TemplateSet::read(&text)
        .map_err(|misread| Failure::Usage(format!("{file}: {}", say::clean_line(&misread.to_string()))))
}

async fn of(access: &Access, whose: &Whose) -> Result<Option<Unit>, Failure> {
    match &whose.unit {
        Some(text) => unit_called(access, text).await.map(Some),
        None => Ok(None),
    }
}

async fn unit_called(access: &Access, text: &str) -> Result<Unit, Failure> {
    let units = access.units().await?;
    let id = find::unit(&units, text)?;
    Ok(units.into_iter().find(|unit| unit.id == id).unwrap_or(Unit { id, name: id.to_string() }))
}

async fn put(access: &Access, whose: &Whose, set: &TemplateSet) -> Result<(), Failure> {
    let unit = of(access, whose).await?;
    access.set_templates(unit.as_ref().map(|unit| unit.id), set).await?;
    let name = unit.map_or_else(|| "The facility".to_owned(), |unit| say::clean_line(&unit.name));
    let replies = say::count(set.replies.len(), "quick reply", "quick replies");
    let templates = say::count(set.templates.len(), "template", "templates");
    say::line(&format!("{name} has {replies} and {templates} now."))
}

/// What somebody has: of a unit where they work before the facility's, and that before what every client has.
pub(crate) struct Known {
    /// Whose; none: every client's. With a name for people.
    sets: Vec<(Option<UnitId>, String, TemplateSet)>,
}

impl Known {
    pub(crate) async fn of(calls: &impl Calls, me: Option<&Person>) -> Result<Self, Failure> {
        let mut sets = Vec::new();
        let posts = me.map(|me| me.posts.clone()).unwrap_or_default();
        if !posts.is_empty() {
            let units = calls.units().await?;
            for post in posts {
                let unit = units.iter().find(|unit| unit.id == post.unit);
                let name = unit.map_or_else(|| post.unit.to_string(), |unit| say::clean_line(&unit.name));
                sets.push((Some(post.unit), name, calls.templates(Some(post.unit)).await?));
            }
        }
        sets.push((None, "facility".to_owned(), calls.templates(None).await?));
        sets.push((None, BUILT_IN.to_owned(), TemplateSet { replies: vec![], templates: vec![sbar()] }));
        Ok(Self { sets })
    }

    /// The template that is called so: a whole name first, nearer sets before others; else what fits one alone.
    pub(crate) fn template(&self, text: &str) -> Result<Template, Failure> {
        let all = || self.sets.iter().flat_map(|(_, _, set)| &set.templates);
        let wanted = text.trim().to_lowercase();
        if let Some(whole) = all().find(|template| template.name.to_lowercase() == wanted) {
            return Ok(whole.clone());
        }
        let mut fits: Vec<&Template> = Vec::new();
        for template in all().filter(|template| template.name.to_lowercase().contains(&wanted)) {
            if !fits.iter().any(|other| other.name.to_lowercase() == template.name.to_lowercase()) {
                fits.push(template);
            }
        }
        one(
            text,
            fits,
            |template| &template.name,
            "there is no template of this name. See wardline template list.",
        )
        .cloned()
    }

    /// The quick reply that this is a part of.
    pub(crate) fn reply(&self, text: &str) -> Result<String, Failure> {
        let all = || self.distinct().into_iter();
        let wanted = text.trim().to_lowercase();
        if let Some(whole) = all().find(|reply| reply.to_lowercase() == wanted) {
            return Ok(whole.clone());
        }
        let begins: Vec<&String> = all().filter(|reply| reply.to_lowercase().starts_with(&wanted)).collect();
        let fits = match begins[..] {
            [] => all().filter(|reply| reply.to_lowercase().contains(&wanted)).collect(),
            _ => begins,
        };
        one(text, fits, |reply| reply, "there is no quick reply like it. See wardline template list.")
            .cloned()
    }

    /// For `/quick` alone.
    pub(crate) fn replies(&self) -> Vec<String> {
        self.distinct().into_iter().map(|reply| say::clean_line(reply)).collect()
    }

    /// Each once: what unit and facility both have is one.
    fn distinct(&self) -> Vec<&String> {
        let mut seen = BTreeSet::new();
        let all = self.sets.iter().flat_map(|(_, _, set)| &set.replies);
        all.filter(|reply| seen.insert(reply.to_lowercase())).collect()
    }
}

fn one<'a, T>(text: &str, fits: Vec<&'a T>, name: impl Fn(&T) -> &str, none: &str) -> Result<&'a T, Failure> {
    match fits[..] {
        [one] => Ok(one),
        [] => Err(Failure::Usage(format!("{text}: {none}"))),
        _ => {
            let names: Vec<String> = fits.iter().take(8).map(|fits| say::clean_line(name(fits))).collect();
            Err(Failure::Usage(format!("{text} fits several: {}. Write more of it.", names.join(", "))))
        }
    }
}

async fn list(access: &Access, unit: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let sets = match unit {
        Some(text) => {
            let Unit { id, name } = unit_called(access, text).await?;
            vec![(Some(id), say::clean_line(&name), access.templates(Some(id)).await?)]
        }
        None => known(access).await?.sets,
    };
    for (unit, whose, set) in &sets {
        if as_json {
            json::print(&json!({
                "event": "templates",
                "unit": unit.map(|unit| unit.to_string()),
                "built_in": unit.is_none() && whose == BUILT_IN,
                "replies": set.replies,
                "templates": set.templates.iter().map(to_json).collect::<Vec<_>>(),
            }))?;
            continue;
        }
        for reply in &set.replies {
            say::told(&format!("{whose}: {}", say::clean_line(reply)))?;
        }
        for template in &set.templates {
            let fields: Vec<&str> = template.fields.iter().map(|field| field.name.as_str()).collect();
            say::told(&say::clean_line(&format!(
                "{whose}: template {} ({})",
                template.name,
                fields.join(", ")
            )))?;
        }
    }
    Ok(())
}

fn to_json(template: &Template) -> serde_json::Value {
    let field = |field: &Field| json!({ "name": field.name, "hint": field.hint, "optional": field.optional });
    json!({ "name": template.name, "fields": template.fields.iter().map(field).collect::<Vec<_>>() })
}

async fn known(access: &Access) -> Result<Known, Failure> {
    let people = access.people().await?;
    let me = people.iter().find(|person| person.id == access.identity().person);
    Known::of(access, me).await
}

async fn show(access: &Access, name: &str) -> Result<(), Failure> {
    let template = known(access).await?.template(name)?;
    say::line(&say::clean_line(&template.name))?;
    for field in &template.fields {
        say::told(&format!("   {}", asked(field)))?;
    }
    let first = template.fields.first().map(|field| say::clean_line(&field.name)).unwrap_or_default();
    say::note(&format!(
        "To send it: wardline send TO --template \"{}\" --field \"{first}=…\" …",
        say::clean_line(&template.name)
    ));
    Ok(())
}

/// A field in words.
fn asked(field: &Field) -> String {
    let optional = if field.optional { " (optional)" } else { "" };
    let hint = if field.hint.is_empty() { String::new() } else { format!(": {}", field.hint) };
    say::clean_line(&format!("{}{optional}{hint}", field.name))
}

/// What `wardline send` says by a template or a quick reply.
pub(crate) struct Filling {
    pub(crate) template: Option<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) quick: Option<String>,
}

impl Filling {
    pub(crate) fn is_wanted(&self) -> bool {
        self.template.is_some() || self.quick.is_some()
    }

    /// The text. What is missing is asked for at a terminal.
    pub(crate) async fn text(&self, access: &Access) -> Result<String, Failure> {
        let known = known(access).await?;
        if let Some(quick) = &self.quick {
            return known.reply(quick);
        }
        let template = known.template(self.template.as_deref().unwrap_or_default())?;
        let mut values = Vec::new();
        for field in &self.fields {
            let (name, value) = field.split_once('=').ok_or_else(|| {
                Failure::Usage(format!(
                    "{field} is no field. Write it as in --field \"Situation=bed 4 fell\""
                ))
            })?;
            values.push((name.to_owned(), value.to_owned()));
        }
        match template.fill(&values) {
            Ok(text) => Ok(text),
            Err(Unfilled::Missing(_)) if std::io::stdin().is_terminal() => {
                let values = ask(&template, values)?;
                template.fill(&values).map_err(|why| unfilled(&template, why))
            }
            Err(why) => Err(unfilled(&template, why)),
        }
    }
}

fn unfilled(template: &Template, why: Unfilled) -> Failure {
    let name = say::clean_line(&template.name);
    let listed = |names: Vec<String>| say::clean_line(&names.join(", "));
    Failure::Usage(match why {
        Unfilled::Missing(missing) => {
            let first = missing.first().cloned().unwrap_or_default();
            format!(
                "{name} wants {}. Give each as in --field \"{}=…\"; wardline template show \"{name}\" says what belongs in it.",
                listed(missing),
                say::clean_line(&first)
            )
        }
        Unfilled::Unknown(field) => {
            let all = template.fields.iter().map(|field| field.name.clone()).collect();
            format!("{name} has no field {}. Its fields are {}.", say::clean_line(&field), listed(all))
        }
        Unfilled::Twice(field) => format!("The field {} is given twice.", say::clean_line(&field)),
    })
}

/// Field by field, those that are not given yet.
fn ask(template: &Template, mut values: Vec<(String, String)>) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: std::io::Error| Failure::Machine(format!("The terminal cannot be read: {error}."));
    for field in &template.fields {
        if values.iter().any(|(name, _)| field.is_called(name)) {
            continue;
        }
        say::note(&asked(field));
        let mut line = String::new();
        std::io::stderr().flush().map_err(failed)?;
        if std::io::stdin().read_line(&mut line).map_err(failed)? == 0 {
            break;
        }
        values.push((field.name.clone(), line.trim().to_owned()));
    }
    Ok(values)
}
