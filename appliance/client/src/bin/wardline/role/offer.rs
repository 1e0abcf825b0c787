//! Handing a role over: offered, with what is open, and accepted or not.

use serde_json::json;
use wardline_client::event::{Person, Unit};
use wardline_client::offers::{Fate, Offer, OfferAnswer, OfferCalls as _, OpenOffer, OpenShift, OpenStat};
use wardline_client::roles::{Role, RoleCalls as _};
use wardline_client::stat::Stands;
use wardline_client::tasks::OpenTask;
use wardline_client::{Calls as _, OfferId, PersonId};

use crate::access::Access;
use crate::exit::Failure;
use crate::role::{gap_line, unit_name};
use crate::until::{self, Until};
use crate::{find, json, say, stat};

pub(super) async fn make(
    access: &Access,
    role: &Role,
    person: PersonId,
    (until, from): (&Until, Option<&str>),
    place: u32,
) -> Result<(), Failure> {
    let from = from.map(until::next_here).transpose()?;
    let until = until.instant_after(from)?;
    let (offer, expires) = access.offer_role(role.id, place, person, (from, until)).await?;
    say::line(&offer.to_string())?;
    let people = access.people().await?;
    let name = find::name(&people, person);
    let when = from.map_or(String::new(), |from| format!(", from {} on", say::time(from)));
    say::note(&format!(
        "{name} can accept it{when} until {}; whoever holds it now holds it until then.",
        say::time(expires)
    ));
    let open = access.offers().await?;
    if let Some(open) = open.iter().find(|open| open.offer.id == offer) {
        let units = access.units().await?;
        opened(open, &people, &units).iter().for_each(|line| say::note(line));
    }
    Ok(())
}

pub(super) async fn list(access: &Access, as_json: bool) -> Result<(), Failure> {
    let offers = access.offers().await?;
    let (roles, people, units) = (access.roles(None).await?, access.people().await?, access.units().await?);
    if offers.is_empty() && !as_json {
        say::note("No role is offered.");
    }
    for open in &offers {
        if as_json {
            print(open)?;
            continue;
        }
        let Offer { id, role, giver, taker, from, until, expires, .. } = open.offer;
        let (giver, taker) = (find::name(&people, giver), find::name(&people, taker));
        let name = role_name(&roles, role);
        let from = if from > say::now() { format!("from {} on, ", say::time(from)) } else { String::new() };
        let (until, expires) = (say::time(until), say::time(expires));
        say::line(&format!(
            "{name}: {giver} to {taker} until {until}; to be accepted {from}before {expires} ({id})"
        ))?;
        opened(open, &people, &units).iter().try_for_each(|line| say::line(line))?;
    }
    Ok(())
}

pub(super) async fn answer(access: &Access, named: Option<&str>, answer: OfferAnswer) -> Result<(), Failure> {
    let (me, offers, roles) = (access.identity().person, access.offers().await?, access.roles(None).await?);
    let withdraws = answer == OfferAnswer::Withdraw;
    // A charge nurse takes back what is others' by its identifier alone, unless there is nothing else.
    let theirs = |open: &&OpenOffer| if withdraws { open.offer.taker != me } else { open.offer.taker == me };
    let offers: Vec<&OpenOffer> = offers.iter().filter(theirs).collect();
    let offer = one(&offers, &roles, named)?;
    access.answer_offer(offer.id, answer).await?;
    let name = role_name(&roles, offer.role);
    say::line(&match answer {
        OfferAnswer::Accept => format!("{name} is yours until {}.", say::time(offer.until)),
        OfferAnswer::Decline => format!("Declined. {name} stays with whoever holds it."),
        OfferAnswer::Withdraw => format!("Withdrawn. {name} stays with whoever holds it."),
    })
}

/// The one that is meant.
fn one(offers: &[&OpenOffer], roles: &[Role], named: Option<&str>) -> Result<Offer, Failure> {
    let none = || Failure::Usage("No such offer waits. See wardline role offers.".to_owned());
    let id = named.and_then(find::identifier).and_then(OfferId::new);
    if let Some(open) = offers.iter().find(|open| Some(open.offer.id) == id) {
        return Ok(open.offer);
    }
    // An identifier of neither is one of an offer that is over.
    let is_over = id.is_some_and(|id| !roles.iter().any(|role| role.id.value() == id.value()));
    if is_over {
        return Err(none());
    }
    let role = named.map(|named| find::role(roles, named)).transpose()?;
    let of_role = offers.iter().filter(|open| role.as_ref().is_none_or(|role| role.id == open.offer.role));
    let of_role: Vec<Offer> = of_role.map(|open| open.offer).collect();
    match &of_role[..] {
        [one] => Ok(*one),
        [] => Err(none()),
        _ => Err(Failure::Usage(
            "Several wait. Say which: wardline role offers has their identifiers.".to_owned(),
        )),
    }
}

/// What is open, each on a line.
fn opened(open: &OpenOffer, people: &[Person], units: &[Unit]) -> Vec<String> {
    let giver = find::name(people, open.offer.giver);
    let mut lines: Vec<String> = open.stats.iter().map(|stat| stat_line(stat, &giver, units)).collect();
    if usize::try_from(open.stats_count).is_ok_and(|count| count > open.stats.len()) {
        lines.push(format!("  and older STATs: {} in all are open", open.stats_count));
    }
    lines.extend(open.tasks.iter().map(task_line));
    if usize::try_from(open.tasks_count).is_ok_and(|count| count > open.tasks.len()) {
        lines.push(format!("  and more tasks: {} in all are open", open.tasks_count));
    }
    lines.extend(open.gaps.iter().map(|gap| format!("  ! {}", gap_line(*gap))));
    let shift = |shift: &OpenShift| {
        let beds = match shift.beds {
            0 => "every bed".to_owned(),
            beds => say::count(beds as usize, "bed", "beds"),
        };
        let patients = say::count(shift.patients as usize, "patient", "patients");
        format!(
            "  {giver} has {beds} with {patients} until {}: not handed over with it",
            say::time(shift.until)
        )
    };
    lines.extend(open.shifts.iter().map(shift));
    lines
}

fn stat_line(open: &OpenStat, giver: &str, units: &[Unit]) -> String {
    let which = open.stat.map_or_else(|| "STAT".to_owned(), |which| format!("STAT {}", stat::name(which)));
    let place = open.unit.map_or(String::new(), |unit| format!(" in {}", unit_name(units, unit)));
    let by = say::clean_line(&open.sender_title);
    let by = if by.is_empty() { String::new() } else { format!(", sent by {by}") };
    let stands = match (open.stays, open.stands) {
        (true, Stands::Held) => format!("{giver} is coming: it stays theirs"),
        (true, _) => format!("{giver} has it: it stays theirs until they hand it back"),
        (false, _) => "rings, and then for whoever accepts".to_owned(),
    };
    format!("  {which}{place} of {}{by}: {stands}", say::time(open.opened))
}

fn task_line(task: &OpenTask) -> String {
    let which = task.about.map_or_else(
        || "a task where you are not".to_owned(),
        |(place, sequence)| format!("task {place}#{}", sequence.0),
    );
    let due = task.due.map_or(String::new(), |due| format!(", due {}", say::time(due)));
    format!("  {which}{due}{}", if task.overdue { ", overdue" } else { "" })
}

fn print(open: &OpenOffer) -> Result<(), Failure> {
    let mut value = json!({
        "event": "open_offer",
        "stats_count": open.stats_count,
        "tasks_count": open.tasks_count,
        "stats": open.stats.iter().map(|open| json!({
            "stat": open.stat.map(stat::name),
            "unit": open.unit.map(|unit| unit.to_string()),
            "sender_title": open.sender_title,
            "opened": open.opened,
            "stays": open.stays,
        })).collect::<Vec<_>>(),
        "gaps": open.gaps.iter().map(|(start, end)| json!({ "start": start, "end": end })).collect::<Vec<_>>(),
        "shifts": open.shifts.iter().map(|shift| json!({
            "assignment": shift.assignment.to_string(),
            "until": shift.until,
            "beds": shift.beds,
            "patients": shift.patients,
        })).collect::<Vec<_>>(),
    });
    json::about_offer(&mut value, &open.offer);
    json::print(&value)
}

fn role_name(roles: &[Role], role: wardline_client::RoleId) -> String {
    let known = roles.iter().find(|known| known.id == role);
    known.map_or_else(|| role.to_string(), |known| say::clean_line(&known.name))
}

/// What became of an offer, to whom it concerns.
pub(crate) fn news_line(
    offer: &Offer,
    fate: Fate,
    me: PersonId,
    name: impl Fn(PersonId) -> String,
) -> String {
    let mine = offer.taker == me;
    let (giver, taker) = (name(offer.giver), name(offer.taker));
    let what = match fate {
        Fate::Made if mine => {
            format!(
                "{giver} hands a role over to you: wardline role offers, wardline role accept {}",
                offer.id
            )
        }
        Fate::Made => format!("your role is offered to {taker}"),
        Fate::Accepted if mine => format!("the role is yours until {}", say::time(offer.until)),
        Fate::Accepted => format!("{taker} has taken your role over"),
        Fate::Declined => format!("{taker} does not take the role over: {giver} holds it"),
        Fate::Withdrawn => format!("the role is not offered to {taker} any more"),
        Fate::Expired => format!("{taker} has not taken the role over in time: {giver} holds it"),
        Fate::Superseded => {
            "an offer of a role is over: there is a newer one, or somebody else holds it".to_owned()
        }
        Fate::Ended => {
            "an offer of a role is over: one of you two is suspended or has left the unit".to_owned()
        }
    };
    format!("-- {what}")
}
