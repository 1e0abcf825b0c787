//! `wardline order`: orders by text, their read-backs, and what becomes of them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wardline_client::beside::Beside;
use wardline_client::clinical::{Bedside, ClinicalCalls as _};
use wardline_client::orders::{
    Deed, Order, OrderCalls as _, OrderPolicy, SignedDeed, Sort, Stands, Whose, is_verified,
};
use wardline_client::roles::RoleCalls as _;
use wardline_client::{Calls as _, ConversationId, MessageId, PersonId, Sequence};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, alter, find, json, pin, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Give an order in a patient's thread. Your device signs it. It cannot be edited or recalled: correct or cancel it by another.
    Give {
        /// The patient's thread.
        place: String,
        /// What is to be done.
        #[arg(required = true)]
        words: Vec<String>,
        /// Whom it is for; left out: whoever of the care team reads it back.
        #[arg(long = "for", value_name = "PERSON")]
        to: Option<String>,
        /// In place of the order of this number.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
        corrects: Option<u64>,
        /// The order of this number is not to be done: say why.
        #[arg(long, value_name = "NUMBER", conflicts_with = "corrects", value_parser = clap::value_parser!(u64).range(1..))]
        cancels: Option<u64>,
        /// Say which number it has as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Read an order back: say in full what you are going to do. Whoever gave it says whether that is right. Do nothing before that.
    ReadBack {
        #[command(flatten)]
        which: Which,
        /// What you have understood.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// The read-back is right: by whoever gave the order. Shows both, and asks.
    Confirm {
        #[command(flatten)]
        which: Which,
        /// Of a script, which does not answer questions: the number of the read-back that was looked at.
        #[arg(long, value_name = "NUMBER")]
        read_back: Option<u64>,
    },
    /// The read-back is wrong: it may be read back again, or give another order in its place.
    Wrong(Which),
    /// The order is in the record. Until then it is kept whatever retention says.
    File(Which),
    /// Orders that are not filed: of your threads, of one, or of a unit that you lead.
    List {
        /// Of this thread.
        place: Option<String>,
        /// Of the patients of this unit: for its charge nurse. No text.
        #[arg(long, conflicts_with = "place")]
        unit: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What an order says, how it stands, and who signed what, each signature verified here.
    Show {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Whose orders by text count.
    Policy {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say whose orders by text count: for an administrator. None do until then.
    SetPolicy(SetPolicy),
}

#[derive(Args)]
pub(crate) struct Which {
    /// The patient's thread.
    place: String,
    /// The number of the order: wardline order list shows it.
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
}

#[derive(Args)]
pub(crate) struct SetPolicy {
    /// Of this unit, in place of the facility's; left out: the facility's.
    #[arg(long)]
    unit: Option<String>,
    /// Whoever holds this role. As often as needed.
    #[arg(long = "role", value_name = "ROLE", required_unless_present_any = ["off", "standard"])]
    roles: Vec<String>,
    /// Nobody's.
    #[arg(long, conflicts_with_all = ["roles", "standard"])]
    off: bool,
    /// As if it had never been said: a unit follows the facility, the facility has none.
    #[arg(long, conflicts_with = "roles")]
    standard: bool,
}

type Place = (ConversationId, Sequence);

pub(crate) async fn order(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access: &Access| match act {
        Act::Give { place, words, to, corrects, cancels, json } => {
            give(access, (&place, &words.join(" ")), to.as_deref(), (corrects, cancels), json).await
        }
        Act::ReadBack { which, words } => read_back(access, &which, &words.join(" ")).await,
        Act::Confirm { which, read_back } => confirm(access, &which, read_back).await,
        Act::Wrong(which) => wrong(access, &which).await,
        Act::File(which) => {
            access.file_order(about(access, &which).await?).await?;
            say::line(&format!("#{} is marked as filed.", which.number))
        }
        Act::List { place, unit, json } => list(access, place.as_deref(), unit.as_deref(), json).await,
        Act::Show { which, json } => show(access, &which, json).await,
        Act::Policy { json } => policies(access, json).await,
        Act::SetPolicy(set) => set_policy(access, &set).await,
    })
    .await
}

async fn about(access: &Access, which: &Which) -> Result<Place, Failure> {
    Ok((alter::place(access, &which.place).await?, Sequence(which.number)))
}

async fn say_it(
    access: &Access,
    place: ConversationId,
    words: &str,
    deed: Deed,
) -> Result<Sequence, Failure> {
    let beside = Beside { order: Some(deed), ..Beside::default() };
    let mut sent = access.send(place, words, beside).await?;
    Ok(say::patiently("Waiting for the box to take it …", sent.outcome()).await?.sequence)
}

async fn give(
    access: &Access,
    (place, words): (&str, &str),
    to: Option<&str>,
    (corrects, cancels): (Option<u64>, Option<u64>),
    as_json: bool,
) -> Result<(), Failure> {
    let place = alter::place(access, place).await?;
    let people = access.people().await?;
    let to = to.map(|who| find::person(&people, who)).transpose()?;
    let (deed, what) = match (corrects.map(Sequence), cancels.map(Sequence)) {
        (Some(of), _) => (Deed::Correct { of, to }, format!(" in place of #{}", of.0)),
        (None, Some(of)) => (Deed::Cancel { of, to }, format!(", which cancels #{}", of.0)),
        (None, None) => (Deed::Give { to }, String::new()),
    };
    let sequence = say_it(access, place, words, deed).await?;
    if as_json {
        return json::print(&json!({
            "event": "order_given",
            "conversation": place.to_string(),
            "sequence": sequence.0,
        }));
    }
    let whom = to.map_or_else(|| "the care team".to_owned(), |to| find::name(&people, to));
    say::line(&format!("Order #{}{what}, for {whom}. Wait for the read-back.", sequence.0))
}

async fn read_back(access: &Access, which: &Which, words: &str) -> Result<(), Failure> {
    let (place, of) = about(access, which).await?;
    let sequence = say_it(access, place, words, Deed::ReadBack { of }).await?;
    say::line(&format!("Read back as #{}. Wait until it is confirmed.", sequence.0))
}

/// The order and its read-back, one below the other; and which message the read-back is.
async fn shown(access: &Access, which: &Which) -> Result<(Place, Sequence), Failure> {
    let about = about(access, which).await?;
    let number = which.number;
    let Some((order, _)) = access.order(about).await? else {
        return Err(Failure::Usage(format!(
            "#{number} is no order. wardline order list {} shows those that are.",
            which.place
        )));
    };
    let Some((reader, message)) = order.read_back else {
        return Err(Failure::Usage(format!("Nobody has read #{number} back yet. Wait for it, or call.")));
    };
    let people = access.people().await?;
    for (verb, sequence, person) in [("ordered", about.1, order.author), ("read back", message, reader)] {
        let text = text(access, (about.0, sequence)).await?.map(|(_, text)| text).unwrap_or_default();
        let head = format!("#{} {} {verb}", sequence.0, find::name(&people, person));
        say::told(&say::spoken(&head, &text))?;
    }
    Ok((about, message))
}

/// Nothing is confirmed that was not on the screen before.
async fn confirm(access: &Access, which: &Which, seen: Option<u64>) -> Result<(), Failure> {
    let (about, message) = shown(access, which).await?;
    match seen {
        Some(seen) if seen == message.0 => {}
        Some(seen) => {
            let how =
                format!("#{seen} is not its last read-back: that is #{}. Nothing was confirmed.", message.0);
            return Err(Failure::Usage(how));
        }
        None if !pin::has_terminal() => {
            let how =
                format!("Nothing was confirmed: there is no terminal to ask at. --read-back {}", message.0);
            return Err(Failure::Usage(how));
        }
        None if tokio::task::block_in_place(is_right)? => {}
        None => {
            let how = format!(
                "Nothing was confirmed. If it is wrong: wardline order wrong {} {}",
                which.place, which.number
            );
            return Err(Failure::Usage(how));
        }
    }
    access.answer_order(about, message, true).await?;
    say::line("Confirmed.")
}

/// Whoever gave it says so, letter by letter: Enter alone confirms nothing.
fn is_right() -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::Machine(format!("The terminal cannot be read: {error}."));
    say::note("Is that right? Type yes, or Enter for no.");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

async fn wrong(access: &Access, which: &Which) -> Result<(), Failure> {
    let (about, message) = shown(access, which).await?;
    access.answer_order(about, message, false).await?;
    say::line("That is wrong, you said. It may be read back again; or give another order in its place.")
}

async fn list(
    access: &Access,
    place: Option<&str>,
    unit: Option<&str>,
    as_json: bool,
) -> Result<(), Failure> {
    let whose = match (place, unit) {
        (Some(place), _) => Whose::Thread(alter::place(access, place).await?),
        (None, Some(unit)) => Whose::Unit(find::unit(&access.units().await?, unit)?),
        (None, None) => Whose::Mine,
    };
    let orders = access.orders(whose).await?;
    if as_json {
        return orders.iter().try_for_each(|order| json::print(&to_json(order)));
    }
    if orders.is_empty() {
        say::note("No order waits to be filed.");
        return Ok(());
    }
    let (people, conversations) = access.look().await?;
    let me = access.identity().person;
    let beds = match whose {
        Whose::Unit(unit) => access.patients(unit).await?,
        _ => Vec::new(),
    };
    for order in &orders {
        let known = conversations.iter().find(|known| known.id == order.conversation);
        let bed = || beds.iter().find(|known| known.encounter.conversation == order.conversation);
        let title = match known {
            Some(known) => find::title(me, &people, known),
            None => bed().map_or_else(|| order.conversation.to_string(), bed_and_name),
        };
        let head =
            format!("#{} [{title}] {}", order.sequence.0, line(order, me, |id| find::name(&people, id)));
        // Whoever looks at a unit's may be in none of the threads.
        match whose {
            Whose::Unit(_) => say::line(&head)?,
            _ => {
                let text = text(access, (order.conversation, order.sequence)).await?;
                say::told(&say::spoken(&head, &text.map(|(_, text)| text).unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}

/// Where the patient lies, and who they are to a charge nurse.
fn bed_and_name(bedside: &Bedside) -> String {
    say::clean_line(&format!("{} {}", bedside.encounter.bed, bedside.patient.particulars.name))
}

/// A look at one message, which is recorded.
async fn text(access: &Access, (place, sequence): Place) -> Result<Option<(MessageId, String)>, Failure> {
    let page = access.history(place, sequence.next(), 1).await?;
    let message = page.messages.into_iter().find(|message| message.sequence == sequence);
    Ok(message.map(|message| (message.id, message.text)))
}

async fn show(access: &Access, which: &Which, as_json: bool) -> Result<(), Failure> {
    let about = about(access, which).await?;
    let Some((order, signed)) = access.order(about).await? else {
        return Err(Failure::Usage(format!(
            "#{} is no order. wardline order list {} shows those that are.",
            which.number, which.place
        )));
    };
    let people = access.people().await?;
    let name = |id| find::name(&people, id);
    if as_json {
        json::print(&to_json(&order))?;
    } else {
        say::line(&format!("#{} {}", which.number, line(&order, access.identity().person, name)))?;
    }
    for deed in signed.iter().rev() {
        let said = match deed.said {
            Some(said) => text(access, (about.0, said)).await?,
            None => None,
        };
        let words = said.as_ref().map(|(message, text)| (*message, text.as_str()));
        // What it says must be there to be verified.
        let verified =
            is_verified(deed, &access.identity().root, words) && deed.said.is_some() == words.is_some();
        if as_json {
            json::print(&signed_json(deed, verified))?;
            continue;
        }
        let head = format!("{} {} {}", say::time(deed.at.0), name(deed.person), verb(deed.deed));
        match &words {
            Some((_, text)) => say::told(&say::spoken(&head, text))?,
            None => say::line(&head)?,
        }
        say::line(&if verified {
            format!("   signed by their device {}, verified", deed.device)
        } else {
            format!("   NOT VERIFIED: this is not what their device {} signed", deed.device)
        })?;
    }
    Ok(())
}

fn verb(deed: Deed) -> String {
    match deed {
        Deed::Give { .. } => "ordered".to_owned(),
        Deed::Correct { of, .. } => format!("ordered, in place of #{}", of.0),
        Deed::Cancel { of, .. } => format!("cancelled #{}", of.0),
        Deed::ReadBack { .. } => "read back".to_owned(),
        Deed::Confirm { read_back, .. } => format!("said that #{} is right", read_back.0),
        Deed::Wrong { read_back, .. } => format!("said that #{} is wrong", read_back.0),
    }
}

/// How an order stands, without what is to be done.
pub(crate) fn line(order: &Order, me: PersonId, name: impl Fn(PersonId) -> String) -> String {
    let who = |person: PersonId| if person == me { "you".to_owned() } else { name(person) };
    let sort = match (order.sort, order.of) {
        (Sort::Correction, Some(of)) => format!("order in place of #{}", of.0),
        (Sort::Cancellation, Some(of)) => format!("order that cancels #{}", of.0),
        _ => "order".to_owned(),
    };
    let to = order.to.map_or_else(|| "the care team".to_owned(), who);
    let read = |what: &str| {
        let read = order.read_back.map(|(by, message)| format!("{what} by {} in #{}", who(by), message.0));
        read.unwrap_or_default()
    };
    let mut stands = match order.stands {
        Stands::Given => "not read back".to_owned(),
        Stands::ReadBack => read("read back"),
        Stands::Confirmed => format!("{}, confirmed", read("read back")),
        Stands::Wrong => format!("{}, which is WRONG", read("read back")),
        _ => "stands otherwise".to_owned(),
    };
    if let Some(replaced) = order.replaced {
        stands.push_str(&format!(", NOT TO BE DONE: see #{}", replaced.0));
    }
    if let Some((at, by)) = order.filed {
        let by = by.map_or_else(|| "the box".to_owned(), who);
        stands.push_str(&format!(", filed by {by} at {}", say::time(at)));
    }
    format!("{sort} for {to}, from {}, {stands}", who(order.author))
}

async fn policies(access: &Access, as_json: bool) -> Result<(), Failure> {
    let policies = access.order_policies().await?;
    if policies.is_empty() && !as_json {
        say::note("Orders by text are off.");
        return Ok(());
    }
    let (units, roles) = (access.units().await?, access.roles(None).await?);
    for policy in policies {
        if as_json {
            json::print(&json!({
                "event": "order_policy",
                "unit": policy.unit.map(|unit| unit.to_string()),
                "roles": policy.roles.iter().map(|role| role.to_string()).collect::<Vec<_>>(),
            }))?;
            continue;
        }
        let unit = units.iter().find(|unit| Some(unit.id) == policy.unit);
        let unit = unit.map_or_else(|| "the facility".to_owned(), |unit| say::clean_line(&unit.name));
        let name = |id| roles.iter().find(|role| role.id == id).map(|role| say::clean_line(&role.name));
        let names: Vec<String> = policy.roles.iter().filter_map(|role| name(*role)).collect();
        let names = if names.is_empty() { "nobody's: off".to_owned() } else { names.join(", ") };
        say::line(&format!("{unit}: {names}"))?;
    }
    Ok(())
}

async fn set_policy(access: &Access, set: &SetPolicy) -> Result<(), Failure> {
    let unit = match &set.unit {
        Some(unit) => Some(find::unit(&access.units().await?, unit)?),
        None => None,
    };
    if set.standard {
        access.forget_order_policy(unit).await?;
        return say::line("As if it had never been said.");
    }
    let known = if set.roles.is_empty() { Vec::new() } else { access.roles(None).await? };
    let roles =
        set.roles.iter().map(|role| Ok(find::role(&known, role)?.id)).collect::<Result<_, Failure>>()?;
    access.set_order_policy(&OrderPolicy { unit, roles }).await?;
    say::line(if set.off {
        "Orders by text are off there. Those that were given stand."
    } else {
        "Orders by text of whoever holds these roles count from now on."
    })
}

pub(crate) fn to_json(order: &Order) -> Value {
    let sort = match order.sort {
        Sort::New => "new",
        Sort::Correction => "correction",
        Sort::Cancellation => "cancellation",
        _ => "other",
    };
    let stands = match order.stands {
        Stands::Given => "given",
        Stands::ReadBack => "read_back",
        Stands::Confirmed => "confirmed",
        Stands::Wrong => "wrong",
        _ => "other",
    };
    let number = |sequence: Option<Sequence>| sequence.map(|sequence| sequence.0);
    json!({
        "event": "order",
        "conversation": order.conversation.to_string(),
        "sequence": order.sequence.0,
        "author": order.author.to_string(),
        "sort": sort,
        "of": number(order.of),
        "to": order.to.map(|to| to.to_string()),
        "given": order.given,
        "stands": stands,
        "read_by": order.read_back.map(|(by, _)| by.to_string()),
        "read_back": number(order.read_back.map(|(_, message)| message)),
        "at": order.at,
        "replaced": number(order.replaced),
        "filed": order.filed.map(|(at, _)| at),
        "filed_by": order.filed.and_then(|(_, by)| by).map(|by| by.to_string()),
    })
}

fn signed_json(deed: &SignedDeed, verified: bool) -> Value {
    let said = match deed.deed {
        Deed::Give { .. } => "give",
        Deed::Correct { .. } => "correct",
        Deed::Cancel { .. } => "cancel",
        Deed::ReadBack { .. } => "read_back",
        Deed::Confirm { .. } => "confirm",
        Deed::Wrong { .. } => "wrong",
    };
    json!({
        "event": "signed_order",
        "person": deed.person.to_string(),
        "device": deed.device.to_string(),
        "said": said,
        "message": deed.said.map(|said| said.0),
        "at": deed.at.0,
        "taken": deed.taken.0,
        "verified": verified,
    })
}
