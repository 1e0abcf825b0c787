//! `wardline family`: a patient's family, in threads of their own with the care team.

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::event::{Conversation, Kind, Person};
use wardline_client::family::{FamilyCalls as _, LetIn, Page, Request, Thread, Visitor};
use wardline_client::link::{Address, Code};
use wardline_client::{Calls as _, ConversationId, DeviceId, EncounterId, JoinLink, PersonId, Purpose};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

const DAY_MS: i64 = 86_400_000;
/// How far ahead the box takes the end of a visit. Days.
const DAYS_MAX: i64 = 30;

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Consent, block list, bedside code, who waits and who was let in. The look is recorded.
    Show {
        /// The patient: a part of the name, or the stay's identifier.
        patient: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Record that the patient lets family write, or does so no more.
    Consent {
        /// The patient.
        patient: String,
        /// Who said so, and how: "The patient herself, at the bedside". It stays on record.
        #[arg(required_unless_present = "withdraw", num_args = 1.., conflicts_with = "withdraw")]
        words: Vec<String>,
        /// No more: every visitor is out at once, and every family thread of the stay ends.
        #[arg(long)]
        withdraw: bool,
    },
    /// Say who is not to be let in, over all stays. Whoever of this name is in is out at once.
    Block {
        /// The patient.
        patient: String,
        /// The name: whoever's has all its words is blocked, in whatever order.
        #[arg(required = true, num_args = 1..)]
        name: Vec<String>,
    },
    /// Take a name off the block list.
    Unblock {
        /// The patient.
        patient: String,
        /// The name, as wardline family show prints it.
        #[arg(required = true, num_args = 1..)]
        name: Vec<String>,
    },
    /// A code to hang at the patient's bed: it names nobody and opens nothing. The one before is worth nothing, and a move to another
    /// bed ends it.
    Code {
        /// The patient.
        patient: String,
        /// None from now on.
        #[arg(long)]
        end: bool,
        /// Where visitors' phones find the box, if not where this one does: another name, or another port of the guest network.
        #[arg(long, value_name = "HOST:PORT", conflicts_with = "end")]
        address: Option<Address>,
    },
    /// Who waits at the bed to be let in.
    Requests {
        /// The patient.
        patient: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody who waits in. Make sure who they are first: the box knows only what they typed.
    Approve {
        /// What wardline family requests printed.
        request: String,
        #[command(flatten)]
        into: Into,
        /// For how many days: 30 at most, and 14 when nothing is said.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=DAYS_MAX))]
        days: Option<i64>,
    },
    /// Do not let somebody in who waits.
    Decline {
        /// What wardline family requests printed.
        request: String,
    },
    /// Let a visitor stay for so many days from now.
    Extend {
        /// The visitor: what wardline family show printed.
        visitor: String,
        /// 30 at most.
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(i64).range(1..=DAYS_MAX))]
        days: i64,
    },
    /// End a visitor's time, or a whole family thread. They are out at once, with every device.
    End {
        /// The visitor, by what wardline family show printed; or the family thread, by title or identifier.
        visitor: String,
    },
}

/// Where to.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Into {
    /// Into a new thread of this title, which its visitors see: "The daughters".
    #[arg(long, value_name = "TITLE")]
    new: Option<String>,
    /// Into a family thread that is there: they read what is said from now on.
    #[arg(long, value_name = "THREAD")]
    thread: Option<String>,
    /// It is the patient, who gets a thread of their own with the team.
    #[arg(long)]
    patient: bool,
    /// It is another device of a visitor who was let in before.
    #[arg(long, value_name = "VISITOR")]
    same_as: Option<String>,
}

pub(crate) async fn family(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Show { patient, json: as_json } => {
            let page = access.family(stay(access, &patient).await?).await?;
            let people = access.people().await?;
            if as_json { print(&page) } else { show(&page, &people) }
        }
        Act::Requests { patient, json: as_json } => {
            let page = access.family(stay(access, &patient).await?).await?;
            if page.requests.is_empty() && !as_json {
                say::note("Nobody waits.");
            }
            let one = |request: &Request| if as_json { json::print(&asked(request)) } else { waits(request) };
            page.requests.iter().try_for_each(one)
        }
        Act::Consent { patient, words, withdraw } => {
            let stay = stay(access, &patient).await?;
            if withdraw {
                access.end_family_consent(stay).await?;
                return say::line("Withdrawn. No visitor is in, and none can ask.");
            }
            access.give_family_consent(stay, &words.join(" ")).await?;
            say::line("On record.")?;
            say::note("Next: wardline family code, and hang it at the bed.");
            Ok(())
        }
        Act::Block { patient, name } => {
            let stay = stay(access, &patient).await?;
            access.set_family_block(stay, &name.join(" "), true).await?;
            say::line("On the block list. Whoever of this name was in is out.")
        }
        Act::Unblock { patient, name } => {
            let stay = stay(access, &patient).await?;
            access.set_family_block(stay, &name.join(" "), false).await?;
            say::line("Off the block list. Whoever was put out asks anew.")
        }
        Act::Code { patient, end, address } => code(access, &patient, end, address).await,
        Act::Approve { request, into, days } => approve(access, &request, into, days).await,
        Act::Decline { request } => {
            access.decline_visit(device(&request)?).await?;
            say::line("Declined. Their phone says so, and sends them to the nurse at the bedside.")
        }
        Act::Extend { visitor, days } => {
            let until = say::now() + days * DAY_MS;
            access.prolong_visit(visitor_of(&visitor)?, until).await?;
            say::line(&format!("In until {}.", say::time(until)))
        }
        Act::End { visitor } => end(access, &visitor).await,
    }
}

async fn stay(access: &Access, text: &str) -> Result<EncounterId, Failure> {
    let (_, conversations) = access.look().await?;
    let mine: Vec<_> = conversations.into_iter().filter_map(|c| c.about.map(|about| *about)).collect();
    find::patient(&mine, text)
}

fn device(text: &str) -> Result<DeviceId, Failure> {
    let id = find::identifier(text).and_then(DeviceId::new);
    id.ok_or_else(|| {
        Failure::Usage(format!("{text} names no request. Give its 16 digits: wardline family requests."))
    })
}

fn visitor_of(text: &str) -> Result<PersonId, Failure> {
    let id = find::identifier(text).and_then(PersonId::new);
    id.ok_or_else(|| {
        Failure::Usage(format!("{text} names no visitor. Give the 16 digits: wardline family show."))
    })
}

/// A family thread among those that one is in.
async fn thread_of(access: &Access, text: &str) -> Result<ConversationId, Failure> {
    let (_, conversations) = access.look().await?;
    let mine: Vec<Conversation> = conversations.into_iter().filter(|c| c.kind == Kind::Family).collect();
    find::family_thread(&mine, text)
}

async fn code(access: &Access, patient: &str, end: bool, address: Option<Address>) -> Result<(), Failure> {
    let stay = stay(access, patient).await?;
    if end {
        access.end_bedside_code(stay).await?;
        return say::line("No code is worth anything at this bed now.");
    }
    let made = access.bedside_code(stay).await?;
    let code = Code::parse(&made.code)?;
    let (left, right) = code.reveal().split_at(code.reveal().len() / 2);
    say::line(&format!("{left}-{right}  until {}", say::time(made.expires)))?;
    let identity = access.identity();
    let link = JoinLink {
        address: address.unwrap_or_else(|| identity.address.clone()),
        server_name: identity.server_name.clone(),
        root: wardline_client::trust::sha256(&identity.root),
        code,
        purpose: Purpose::Visit,
    };
    say::line(&link.to_string())?;
    say::note(
        "On the visitor's phone: wardline join, the link in quotes, and --name. It opens nothing until you approve.",
    );
    Ok(())
}

async fn approve(access: &Access, request: &str, into: Into, days: Option<i64>) -> Result<(), Failure> {
    let device = device(request)?;
    let until = days.map(|days| say::now() + days * DAY_MS);
    let thread = match &into.thread {
        Some(text) => Some(thread_of(access, text).await?),
        None => None,
    };
    let let_in = match (&into.new, thread, into.patient, &into.same_as) {
        (Some(title), ..) => LetIn::New(title),
        (None, Some(thread), ..) => LetIn::Thread(thread),
        (None, None, true, _) => LetIn::Own,
        (None, None, false, Some(visitor)) => LetIn::As(visitor_of(visitor)?),
        (None, None, false, None) => {
            return Err(Failure::Usage("Say where to: --new, --thread, --patient or --same-as.".to_owned()));
        }
    };
    let visit = access.let_in(device, let_in, until).await?;
    say::line(&format!("Let in as {} until {}.", visit.person, say::time(visit.until)))?;
    say::note(&format!("They read and write in {}, and nowhere else.", visit.conversation));
    Ok(())
}

async fn end(access: &Access, text: &str) -> Result<(), Failure> {
    let (_, conversations) = access.look().await?;
    let threads: Vec<Conversation> = conversations.into_iter().filter(|c| c.kind == Kind::Family).collect();
    let is_thread = |id: u64| threads.iter().any(|thread| thread.id.value() == id);
    if let Some(id) = find::identifier(text).filter(|id| !is_thread(*id)) {
        let person = PersonId::new(id).ok_or_else(|| Failure::Usage(format!("{text} is no identifier.")))?;
        access.end_visit(person).await?;
        return say::line("Out, with every device.");
    }
    access.end_family_thread(find::family_thread(&threads, text)?).await?;
    say::line("Ended. Its visitors are out, and it can be read by the team.")
}

fn show(page: &Page, people: &[Person]) -> Result<(), Failure> {
    match &page.consent {
        Some((by, at, words)) => {
            let (by, at) = (find::name(people, *by), say::time(*at));
            say::line(&format!("consent   {}, recorded by {by}, {at}", say::clean_line(words)))?;
        }
        None => say::line("consent   none on record: nobody can be let in")?,
    }
    match page.code_expires {
        Some(at) => say::line(&format!("code      hangs at the bed until {}", say::time(at)))?,
        None => say::line("code      none")?,
    }
    for name in &page.blocked {
        say::line(&format!("blocked   {}", say::clean_line(name)))?;
    }
    for thread in &page.threads {
        let (id, title) = (thread.conversation, thread_title(thread));
        let ended = if thread.ended { "  (ended)" } else { "" };
        say::line(&format!("thread    {id}  {title}{ended}"))?;
        for visitor in page.visitors.iter().filter(|visitor| visitor.conversation == id) {
            let devices = say::count(visitor.devices as usize, "device", "devices");
            let who = named(&visitor.name, &visitor.relation);
            let (until, by) = (say::time(visitor.until), find::name(people, visitor.by));
            say::line(&format!(
                "  in      {}  {who}, {devices}, until {until}, let in by {by}",
                visitor.person
            ))?;
        }
    }
    page.requests.iter().try_for_each(waits)
}

fn thread_title(thread: &Thread) -> String {
    if thread.own { "the patient's own".to_owned() } else { say::clean_line(&thread.title) }
}

fn waits(request: &Request) -> Result<(), Failure> {
    let who = named(&request.name, &request.relation);
    let blocked = if request.blocked { "  ON THE BLOCK LIST" } else { "" };
    let (at, device) = (say::time(request.at), say::clean_line(&request.device_name));
    say::line(&format!("waits     {}  {who}, on “{device}”, asked {at}{blocked}", request.device))
}

/// "Maria Lopez (daughter)".
pub(crate) fn named(name: &str, relation: &str) -> String {
    let relation = if relation.is_empty() { String::new() } else { format!(" ({relation})") };
    say::clean_line(&format!("{name}{relation}"))
}

/// Who of the family reads a conversation, in words; nothing of another one.
pub(crate) fn readers(conversation: &Conversation) -> Option<String> {
    let family = conversation.family.as_ref()?;
    let is_in = |who| conversation.members.iter().any(|member| member.person == who);
    let visitors = family.people.iter().filter(|person| person.visitor && is_in(person.person));
    let visitors: Vec<String> = visitors.map(|person| named(&person.name, &person.title)).collect();
    Some(if visitors.is_empty() { "nobody of the family just now".to_owned() } else { visitors.join(", ") })
}

fn asked(request: &Request) -> serde_json::Value {
    json!({
        "event": "visit_request",
        "request": request.device.to_string(),
        "name": request.name,
        "relation": request.relation,
        "device_name": request.device_name,
        "at": request.at,
        "until": request.until,
        "blocked": request.blocked,
    })
}

fn print(page: &Page) -> Result<(), Failure> {
    let consent = page
        .consent
        .as_ref()
        .map(|(by, at, words)| json!({ "by": by.to_string(), "at": at, "words": words }));
    json::print(&json!({
        "event": "family",
        "consent": consent,
        "blocked": page.blocked,
        "code_expires": page.code_expires,
    }))?;
    for thread in &page.threads {
        json::print(&json!({
            "event": "family_thread",
            "conversation": thread.conversation.to_string(),
            "title": thread.title,
            "own": thread.own,
            "ended": thread.ended,
        }))?;
    }
    let visitor = |visitor: &Visitor| {
        json::print(&json!({
            "event": "visitor",
            "visitor": visitor.person.to_string(),
            "name": visitor.name,
            "relation": visitor.relation,
            "conversation": visitor.conversation.to_string(),
            "since": visitor.since,
            "until": visitor.until,
            "by": visitor.by.to_string(),
            "devices": visitor.devices,
        }))
    };
    page.visitors.iter().try_for_each(visitor)?;
    page.requests.iter().try_for_each(|request| json::print(&asked(request)))
}
