//! `wardline stat`: a message that rings until somebody answers, and what is said to one.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use wardline_client::availability::AvailabilityCalls as _;
use wardline_client::event::{Person, Unit};
use wardline_client::roles::{Role, RoleCalls as _};
use wardline_client::stat::{
    EscalationPolicy, Priority, Prospect, Prospective, Reach, Reason, Reply, Rings, StatRef, Urgency,
};
use wardline_client::{Calls as _, ConversationId, PersonId, RoleId, Sequence, StatCalls as _, UnitId};
use wardline_core::limits;

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, availability, find, json, load, say, send, signed};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Send a STAT: it rings until somebody says that they have it.
    Send {
        #[command(flatten)]
        to: To,
        /// What to say.
        #[arg(required = true)]
        text: Vec<String>,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Whom a STAT would reach now, and what would follow. Sends nothing.
    Check {
        #[command(flatten)]
        to: To,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// I have it: it is silent everywhere at once.
    Have {
        /// Which: CONVERSATION#NUMBER, as it was shown.
        stat: String,
    },
    /// I am coming: it waits for a minute, and then goes on unless I have it.
    Coming {
        /// Which.
        stat: String,
    },
    /// I cannot: it goes on to the next at once.
    Cannot {
        /// Which.
        stat: String,
        /// Why.
        #[arg(long, value_enum, default_value_t = Why::Other)]
        because: Why,
    },
    /// I had it and cannot after all: it rings again.
    HandBack {
        /// Which.
        stat: String,
    },
    /// Somebody was reached by telephone and has it: it is silent everywhere at once. Say who, or as what.
    Note(signed::Note),
    /// What was answered to it, signed by which device, and whether the signature verifies.
    Answers {
        /// Which.
        stat: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Where to call those for whom it rings and who are not here. Each look is recorded.
    Numbers {
        /// Which.
        stat: String,
    },
    /// It is done with, or was sent in error: by who sent it, or has it.
    Close {
        /// Which.
        stat: String,
    },
    /// Read the message of a STAT that rings for you.
    Read {
        /// Which.
        stat: String,
    },
    /// How the facility and its units escalate.
    Policies {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// How many STATs there were, and how long they took: for a unit's charge nurse, or an administrator. Figures only.
    Load(load::Asked),
    /// Say how a unit escalates: for its charge nurse, or an administrator. The station screens come last by themselves.
    SetPolicy {
        /// Whose; left out: the facility's, for an administrator.
        #[arg(long)]
        unit: Option<String>,
        /// Seconds for whom the sender names, 15 to 3600.
        #[arg(long, default_value_t = 60)]
        first: u32,
        /// Then for these, for so many seconds: charge-nurses:60, unit-staff:120, or PERSON:60. In order.
        #[arg(long = "then", value_name = "WHOM:SECONDS")]
        then: Vec<String>,
        /// The number that the sender is shown when nobody has answered.
        #[arg(long, default_value = "")]
        dial: String,
        /// Seconds, 60 to 3600, until an urgent message that nobody has seen is on the unit's station screens; 0: never. Not given: as
        /// it is.
        #[arg(long)]
        urgent: Option<u32>,
    },
}

#[derive(Args)]
pub(crate) struct To {
    /// A person or conversation.
    to: String,
    /// Rings first for these alone, of those in the conversation.
    #[arg(long = "for", value_name = "PERSON")]
    people: Vec<String>,
    /// Whose escalation it follows; left out: a channel's own unit, or where those it rings for work.
    #[arg(long)]
    unit: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Why {
    /// With another patient.
    Busy,
    /// Not mine to answer.
    NotMine,
    /// Not on duty.
    OffDuty,
    Other,
}

impl Why {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Busy => Reason::Busy,
            Self::NotMine => Reason::NotMine,
            Self::OffDuty => Reason::OffDuty,
            Self::Other => Reason::Other,
        }
    }
}

pub(crate) async fn stat(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    let reply = |stat: &str, reply| Ok::<_, Failure>((reference(stat)?, reply));
    let (stat, reply, said) = match act {
        Act::Send { to, text, json } => return send_stat(access, &to, &text.join(" "), json).await,
        Act::Check { to, json } => {
            let (place, urgency, names) = whom(access, &to).await?;
            let prospect = access.prospect(place, &urgency).await?;
            return if json { json::print(&as_json(&prospect)) } else { show(&prospect, &names) };
        }
        Act::Have { stat } => with(reply(&stat, Reply::Accept)?, "You have it. It is silent everywhere."),
        Act::Coming { stat } => {
            with(reply(&stat, Reply::Coming)?, "Held for 60 seconds. Say 'have' when you have it.")
        }
        Act::Cannot { stat, because } => {
            with(reply(&stat, Reply::Decline(because.reason()))?, "It does not ring for you any more.")
        }
        Act::HandBack { stat } => with(reply(&stat, Reply::HandBack)?, "It rings again."),
        Act::Note(note) => {
            let note_of = note.read(access).await?;
            with(reply(&note.stat, Reply::CallNote(note_of))?, "Noted. It is silent everywhere.")
        }
        Act::Answers { stat, json } => return signed::show(access, reference(&stat)?, json).await,
        Act::Close { stat } => with(reply(&stat, Reply::Close)?, "Closed."),
        Act::Read { stat } => return read(access, &stat).await,
        Act::Numbers { stat } => return numbers(access, &stat).await,
        Act::Policies { json } => return policies(access, json).await,
        Act::Load(asked) => return load::show(access, asked).await,
        Act::SetPolicy { unit, first, then, dial, urgent } => {
            return set_policy(access, unit, first, &then, dial, urgent).await;
        }
    };
    access.answer_stat(stat, reply).await?;
    say::line(said)
}

fn with((stat, reply): (StatRef, Reply), said: &'static str) -> (StatRef, Reply, &'static str) {
    (stat, reply, said)
}

/// "CONVERSATION#NUMBER", as it is shown.
pub(crate) fn name(stat: StatRef) -> String {
    format!("{}#{}", stat.conversation, stat.sequence.0)
}

pub(crate) fn reference(text: &str) -> Result<StatRef, Failure> {
    let parts = text.split_once('#');
    let conversation = parts.and_then(|(place, _)| find::identifier(place).and_then(ConversationId::new));
    let sequence = parts.and_then(|(_, number)| number.parse().ok());
    match (conversation, sequence) {
        (Some(conversation), Some(sequence)) => Ok(StatRef { conversation, sequence: Sequence(sequence) }),
        _ => Err(Failure::Usage(format!(
            "{text} names no STAT. It is shown where it rings, as in 00f1a2b3c4d5e6f7#12."
        ))),
    }
}

/// Names, for showing what was answered.
struct Names {
    people: Vec<Person>,
    units: Vec<Unit>,
    roles: Vec<Role>,
}

impl Names {
    fn unit(&self, unit: Option<UnitId>) -> String {
        let known = self.units.iter().find(|known| Some(known.id) == unit);
        known.map_or_else(|| "the facility".to_owned(), |unit| say::clean_line(&unit.name))
    }

    async fn read(access: &Access) -> Result<Self, Failure> {
        let (people, units) = (access.people().await?, access.units().await?);
        Ok(Self { people, units, roles: access.roles(None).await? })
    }

    fn role(&self, role: RoleId) -> String {
        let known = self.roles.iter().find(|known| known.id == role);
        known
            .map_or_else(|| "a role".to_owned(), |role| format!("whoever is {}", say::clean_line(&role.name)))
    }

    fn rings(&self, rings: &Rings) -> String {
        match rings {
            Rings::ChargeNurses => "the charge nurses".to_owned(),
            Rings::UnitStaff => "everybody in the unit".to_owned(),
            Rings::Person(person) => find::name(&self.people, *person),
            Rings::Role(role) => self.role(*role),
            _ => "somebody".to_owned(),
        }
    }
}

async fn whom(access: &Access, to: &To) -> Result<(ConversationId, Urgency, Names), Failure> {
    let place = send::online(access, &to.to).await?;
    let names = Names::read(access).await?;
    let people = to.people.iter().map(|who| find::person(&names.people, who)).collect::<Result<_, _>>()?;
    let unit = to.unit.as_ref().map(|unit| find::unit(&names.units, unit)).transpose()?;
    Ok((place, Urgency { priority: Priority::Stat, people, unit }, names))
}

async fn send_stat(access: &Access, to: &To, text: &str, as_json_too: bool) -> Result<(), Failure> {
    let (place, urgency, names) = whom(access, to).await?;
    if !as_json_too {
        show(&access.prospect(place, &urgency).await?, &names)?;
    }
    let mut sent = access.send_urgent(place, text, urgency).await?;
    let accepted = say::patiently("Waiting for the box to take it …", sent.outcome()).await?;
    if as_json_too {
        return json::print(&json::accepted(&accepted));
    }
    let stat = StatRef { conversation: accepted.conversation, sequence: accepted.sequence };
    say::line(&format!("It rings: {}", name(stat)))
}

fn reach(reach: Reach, heard_ago: Option<u64>) -> String {
    let heard = match heard_ago {
        Some(ago) if ago < 60_000 => format!("last heard {} s ago", ago / 1_000),
        Some(ago) => format!("last heard {} min ago", ago / 60_000),
        None => "not heard in the last hour".to_owned(),
    };
    match reach {
        Reach::AppOpen => format!("app open, {heard}"),
        Reach::BellOnly => format!("bell only, {heard}"),
        _ => format!("unreachable, {heard}"),
    }
}

fn show(prospect: &Prospect, names: &Names) -> Result<(), Failure> {
    for called in &prospect.called {
        let name = find::name(&names.people, called.person);
        let reach = reach(called.reach, called.heard_ago);
        say::line(&format!("  {name}: {reach}{}", besides(&names.people, called)))?;
    }
    let rest = prospect.called_count as usize - prospect.called.len().min(prospect.called_count as usize);
    if rest > 0 {
        say::line(&format!("  and {rest} more"))?;
    }
    let mut after = prospect.first_wait;
    for (rings, wait, people, reachable) in &prospect.steps {
        let whom = names.rings(rings);
        say::line(&format!("  after {after} s: {whom} ({reachable} of {people} can be reached)"))?;
        after += wait;
    }
    let (screens, answering) = prospect.stations;
    let unit = names.unit(prospect.unit);
    let dial = match prospect.dial.as_str() {
        "" => "no number to call is set".to_owned(),
        dial => format!("call {}", say::clean_line(dial)),
    };
    say::line(&format!(
        "  after {after} s: the station screens of {unit} ({answering} of {screens} answer); {dial}"
    ))
}

fn besides(people: &[Person], called: &Prospective) -> String {
    let mut words = if called.on_duty { "; on duty".to_owned() } else { String::new() };
    if let Some(until) = called.silent_until {
        words.push_str(&format!("; {}", availability::silence(people, until, called.cover)));
    }
    if !called.off_site.is_empty() {
        words.push_str(&format!("; off site: call {}", say::clean_line(&called.off_site)));
    }
    words
}

fn as_json(prospect: &Prospect) -> Value {
    let reach = |reach: &Reach| match reach {
        Reach::AppOpen => "app_open",
        Reach::BellOnly => "bell_only",
        _ => "unreachable",
    };
    let called = prospect.called.iter().map(|called| {
        json!({
            "person": called.person.to_string(),
            "reach": reach(&called.reach),
            "heard_ago_ms": called.heard_ago,
            "silent_until": called.silent_until,
            "cover": called.cover.map(|cover| cover.to_string()),
            "off_site": called.off_site,
            "on_duty": called.on_duty,
        })
    });
    let steps = prospect.steps.iter().map(|(rings, wait, people, reachable)| {
        json!({ "rings": rings_json(rings), "wait_s": wait, "people": people, "reachable": reachable })
    });
    json!({
        "event": "prospect",
        "called": called.collect::<Vec<_>>(),
        "called_count": prospect.called_count,
        "first_wait_s": prospect.first_wait,
        "steps": steps.collect::<Vec<_>>(),
        "stations": prospect.stations.0,
        "stations_reachable": prospect.stations.1,
        "dial": prospect.dial,
        "unit": prospect.unit.map(|unit| unit.to_string()),
    })
}

fn rings_json(rings: &Rings) -> Value {
    match rings {
        Rings::ChargeNurses => json!("charge_nurses"),
        Rings::UnitStaff => json!("unit_staff"),
        Rings::Person(person) => json!(person.to_string()),
        Rings::Role(role) => json!({ "role": role.to_string() }),
        _ => Value::Null,
    }
}

async fn read(access: &Access, stat: &str) -> Result<(), Failure> {
    let message = access.read_stat(reference(stat)?).await?;
    let Some(message) = message else {
        return Err(Failure::Usage("The message is gone.".to_owned()));
    };
    let people = access.people().await?;
    let name = find::name(&people, message.sender);
    say::told(&say::spoken(&format!("{} STAT {name}", say::time(message.at)), &message.text))
}

async fn numbers(access: &Access, stat: &str) -> Result<(), Failure> {
    let numbers = access.off_site_numbers(reference(stat)?).await?;
    let people = access.people().await?;
    if numbers.is_empty() {
        return say::line("Of those for whom it rings nobody is off site with a number.");
    }
    for (person, number) in numbers {
        say::line(&format!("{}: call {}", find::name(&people, person), say::clean_line(&number)))?;
    }
    Ok(())
}

async fn policies(access: &Access, as_json: bool) -> Result<(), Failure> {
    let names = Names::read(access).await?;
    for policy in access.escalation_policies().await? {
        if as_json {
            let steps = policy
                .steps
                .iter()
                .map(|(rings, wait)| json!({ "rings": rings_json(rings), "wait_s": wait }));
            json::print(&json!({
                "event": "escalation_policy",
                "unit": policy.unit.map(|unit| unit.to_string()),
                "first_wait_s": policy.first_wait,
                "steps": steps.collect::<Vec<_>>(),
                "dial": policy.dial,
                "urgent_wait_s": policy.urgent_wait,
            }))?;
            continue;
        }
        let mut line = format!("{}: whom the sender names, {} s", names.unit(policy.unit), policy.first_wait);
        for (rings, wait) in &policy.steps {
            line.push_str(&format!("; {}, {wait} s", names.rings(rings)));
        }
        line.push_str("; then the station screens");
        if !policy.dial.is_empty() {
            line.push_str(&format!("; call {}", say::clean_line(&policy.dial)));
        }
        match policy.urgent_wait {
            0 => line.push_str("; urgent messages are not shown there"),
            wait => line
                .push_str(&format!("; urgent messages that nobody has seen are shown there after {wait} s")),
        }
        say::line(&line)?;
    }
    Ok(())
}

async fn set_policy(
    access: &Access,
    unit: Option<String>,
    first_wait: u32,
    then: &[String],
    dial: String,
    urgent_wait: Option<u32>,
) -> Result<(), Failure> {
    let names = Names::read(access).await?;
    let unit = unit.map(|unit| find::unit(&names.units, &unit)).transpose()?;
    let steps = then.iter().map(|step| self::step(&names, step)).collect::<Result<_, _>>()?;
    let urgent_wait = match urgent_wait {
        Some(wait) => wait,
        // As it is: who sets steps says nothing of it.
        None => {
            let held = access.escalation_policies().await?;
            let own = held.iter().find(|policy| policy.unit == unit);
            let of_all = || held.iter().find(|policy| policy.unit.is_none());
            own.or_else(of_all).map_or(limits::URGENT_WAIT_STANDARD_S.into(), |policy| policy.urgent_wait)
        }
    };
    access.set_escalation(&EscalationPolicy { unit, first_wait, steps, dial, urgent_wait }).await?;
    say::line(&format!(
        "{} escalates so from now on. STATs that are open go on as they began.",
        names.unit(unit)
    ))
}

fn step(names: &Names, text: &str) -> Result<(Rings, u32), Failure> {
    let parts = text.rsplit_once(':').and_then(|(whom, wait)| Some((whom, wait.parse().ok()?)));
    let Some((whom, wait)) = parts else {
        return Err(Failure::Usage(format!("{text} is no step. Write it as in charge-nurses:60.")));
    };
    let rings = match whom {
        "charge-nurses" => Rings::ChargeNurses,
        "unit-staff" => Rings::UnitStaff,
        whom => match whom.strip_prefix("role:") {
            Some(role) => Rings::Role(find::role(&names.roles, role)?.id),
            None => Rings::Person(find::person(&names.people, whom)?),
        },
    };
    Ok((rings, wait))
}

/// What is said where it rings.
pub(crate) fn ring_line(ring: &wardline_client::stat::Ring) -> String {
    use wardline_client::stat::Stands;
    let from = match ring.sender_title.as_str() {
        "" => String::new(),
        title => format!(" from {}", say::clean_line(title)),
    };
    let how = match ring.stands {
        Stands::Held => "STAT held, somebody is coming",
        Stands::Accepted => "STAT: you have it",
        _ => "STAT RINGS",
    };
    let at = say::time(ring.opened);
    let call = match ring.dial.as_str() {
        "" => String::new(),
        number => format!(". Call {}", say::clean_line(number)),
    };
    format!("!! {how}{from}, since {at}: {}{call}", name(ring.stat))
}

/// How it stands, for those in its conversation.
pub(crate) fn stands_line(
    stat: &wardline_client::stat::Escalation,
    who: impl Fn(PersonId) -> String,
) -> String {
    use wardline_client::stat::Stands;
    let by = stat.by.map(&who).unwrap_or_else(|| "somebody".to_owned());
    let what = match stat.stands {
        Stands::Held => format!("{by} is coming"),
        Stands::Accepted => match (stat.noted_by, &stat.note) {
            (Some(noted_by), Some(note)) => {
                format!("answered by call note of {}: {}", who(noted_by), signed::words(note, &who))
            }
            (Some(noted_by), None) => {
                format!("answered by call note of {}: {by} was reached by telephone", who(noted_by))
            }
            (None, _) => format!("{by} has it"),
        },
        Stands::Closed => "closed".to_owned(),
        _ if stat.step >= stat.steps && !stat.dial.is_empty() => {
            format!("nobody has answered, the station screens ring. Call {}", say::clean_line(&stat.dial))
        }
        _ if stat.step >= stat.steps => "nobody has answered, the station screens ring".to_owned(),
        _ => format!("rings, step {} of {}", stat.step + 1, stat.steps + 1),
    };
    format!("-- STAT {}: {what}", name(stat.stat))
}
