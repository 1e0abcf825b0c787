//! `wardline availability`: when you want to be disturbed, who covers for you, and where you are called off site.

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use wardline_client::availability::{
    Availability, AvailabilityCalls as _, OwnAvailability, QuietHours, QuietSpan,
};
use wardline_client::event::Person;
use wardline_client::{Calls as _, PersonId};
use wardline_core::limits;

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Whether you, or these people, may be disturbed, until when not, and who covers.
    Show {
        /// Whom; nobody: yourself.
        people: Vec<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Do not disturb: messages come without a sound. A STAT rings all the same.
    Dnd {
        /// For how long: 45m, 2h, 16h at most; off: to be disturbed again.
        time: String,
        /// A colleague of your unit, who is told and may refuse. A STAT for you rings for them at once, too.
        #[arg(long, value_name = "PERSON")]
        cover: Option<String>,
    },
    /// Quiet hours, every week: 22:00-06:00, or mon,tue,wed/22:00-06:00. `off` ends them.
    Quiet {
        /// Up to seven.
        #[arg(required = true)]
        hours: Vec<String>,
        /// Whose clock: a zone as in Europe/Berlin.
        #[arg(long, default_value = "UTC")]
        zone: String,
    },
    /// Where you are called off site: shown to whoever sends you a STAT, or is called by it, while no device of yours is here.
    Number {
        /// A telephone number; none: nowhere.
        #[arg(default_value = "")]
        number: String,
    },
    /// Say that you do not cover for a colleague.
    Refuse {
        /// For whom.
        person: String,
    },
    /// As if you had never said anything.
    Clear,
    /// Whom a STAT rings for where a colleague covers: both, or the cover instead. For an administrator.
    Policy {
        /// Whom.
        whom: Whom,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Whom {
    /// Whoever does not want to be disturbed, and the cover at once.
    Both,
    /// The cover alone.
    Cover,
}

pub(crate) async fn availability(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Show { people, json } => show(access, &people, json).await,
        Act::Dnd { time, cover: Some(_) } if time == "off" => {
            Err(Failure::Usage("Nobody covers for whom may be disturbed: leave --cover out.".to_owned()))
        }
        Act::Dnd { time, .. } if time == "off" => {
            access.disturb_again().await?;
            say::line("You may be disturbed.")
        }
        Act::Dnd { time, cover } => {
            let people = access.people().await?;
            let cover = cover.map(|cover| find::person(&people, &cover)).transpose()?;
            let until = say::now().saturating_add(length(&time)?);
            access.do_not_disturb(until, cover).await?;
            say::line(&format!(
                "You are not disturbed until {}. {}",
                say::time(until),
                covered(&people, cover)
            ))
        }
        Act::Quiet { hours, .. } if hours.len() == 1 && hours[0] == "off" => {
            access.set_quiet_hours(&QuietHours::default()).await?;
            say::line("You have no quiet hours.")
        }
        Act::Quiet { hours, zone } => {
            let spans = hours.iter().map(|text| span(text)).collect::<Result<_, _>>()?;
            let quiet = QuietHours { zone, spans };
            let (before, _) = access.availability(&[access.identity().person]).await?;
            access.set_quiet_hours(&quiet).await?;
            let before = before.first().and_then(|one| one.quiet.as_ref()).filter(|before| **before != quiet);
            let before =
                before.map(|before| format!(", in place of {}", written(before))).unwrap_or_default();
            say::line(&format!("Quiet hours: {}{before}. A STAT rings all the same.", written(&quiet)))
        }
        Act::Number { number }
            if !number.trim().is_empty() && !number.contains(|c: char| c.is_ascii_digit()) =>
        {
            Err(Failure::Usage(format!(
                "{number} is no telephone number. Write it as in +49 30 1234 or 4711."
            )))
        }
        Act::Number { number } => {
            access.set_off_site_number(&number).await?;
            say::line(match number.trim() {
                "" => "You have no off-site number.",
                _ => {
                    "Whoever sends you a STAT, or is called by it, sees the number while no device of yours is here."
                }
            })
        }
        Act::Refuse { person } => {
            let people = access.people().await?;
            let person = find::person(&people, &person)?;
            access.refuse_cover(person).await?;
            say::line(&format!("You do not cover for {}, who has been told.", find::name(&people, person)))
        }
        Act::Clear => {
            access.clear_availability().await?;
            say::line("You may be disturbed, at any hour, and have no off-site number.")
        }
        Act::Policy { whom } => {
            access.set_cover_policy(whom == Whom::Cover).await?;
            say::line(match whom {
                Whom::Both => {
                    "A STAT rings for whoever does not want to be disturbed, and for their cover at once."
                }
                Whom::Cover => {
                    "A STAT rings for the cover instead; where nobody covers, for whoever it is for."
                }
            })
        }
    }
}

fn covered(people: &[Person], cover: Option<PersonId>) -> String {
    match cover {
        Some(cover) => format!("{} covers, and has been told.", find::name(people, cover)),
        None => "Nobody covers.".to_owned(),
    }
}

async fn show(access: &Access, whom: &[String], as_json: bool) -> Result<(), Failure> {
    let people = access.people().await?;
    let me = access.identity().person;
    let asked = whom.iter().map(|who| find::person(&people, who)).collect::<Result<Vec<_>, _>>()?;
    let asked = if asked.is_empty() { vec![me] } else { asked };
    let (known, cover_instead) = access.availability(&asked).await?;
    for one in known {
        if as_json {
            json::print(&json!({
                "event": "availability",
                "person": one.person.to_string(),
                "on_duty": one.on_duty,
                "silent_until": one.silent_until,
                "undisturbed_until": one.undisturbed_until,
                "cover": one.cover.map(|cover| cover.to_string()),
                "quiet": one.quiet.as_ref().map(written),
                "number": one.number,
                "stat_rings_for_cover_instead": cover_instead,
            }))?;
            continue;
        }
        say::line(&line(&people, &one))?;
    }
    Ok(())
}

fn line(people: &[Person], one: &Availability) -> String {
    let duty = if one.on_duty { "on duty" } else { "not on duty" };
    let silence = one
        .silent_until
        .map_or_else(|| "may be disturbed".to_owned(), |until| silence(people, until, one.cover));
    let quiet =
        one.quiet.as_ref().map(|quiet| format!("; quiet hours {}", written(quiet))).unwrap_or_default();
    let number = match one.number.as_str() {
        "" => String::new(),
        number => format!("; off site {}", say::clean_line(number)),
    };
    format!("{}: {duty}; {silence}{quiet}{number}", find::name(people, one.person))
}

/// "does not want to be disturbed until 14:00, cover: Ana".
pub(crate) fn silence(people: &[Person], until: i64, cover: Option<PersonId>) -> String {
    let cover = cover.map(|cover| format!(", cover: {}", find::name(people, cover))).unwrap_or_default();
    format!("does not want to be disturbed until {}{cover}", say::time(until))
}

/// What somebody is told of themselves: that they are not disturbed, and for whom they cover. Nothing, where there is neither.
pub(crate) fn own_line(own: &OwnAvailability, name: impl Fn(PersonId) -> String) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    if let Some(until) = own.undisturbed_until {
        let cover =
            own.cover.map_or_else(|| "nobody covers".to_owned(), |cover| format!("{} covers", name(cover)));
        words.push(format!("you are not disturbed until {}, {cover}", say::time(until)));
    }
    for (person, until) in &own.covering {
        words.push(format!("you cover for {} until {}", name(*person), say::time(*until)));
    }
    (!words.is_empty()).then(|| format!("-- {}", words.join("; ")))
}

/// Which of these do not want to be disturbed, in words: for whoever writes to them. What cannot be asked is not said, and of more people
/// than the box answers for nobody is asked: in so large a group that is as good as said.
pub(crate) async fn note(access: &Access, people: &[Person], whom: &[PersonId]) {
    if whom.is_empty() || whom.len() > limits::AVAILABILITY_ASKED_MAX {
        return;
    }
    let Ok((known, _)) = access.availability(whom).await else { return };
    for (one, until) in known.iter().filter_map(|one| Some((one, one.silent_until?))) {
        let name = find::name(people, one.person);
        say::note(&format!("{name} {}.", silence(people, until, one.cover)));
    }
}

/// "45m" or "2h", in milliseconds.
fn length(text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::Usage(format!("{text} is no length of time. Write it as in 45m or 2h."));
    let split = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    match unit {
        "m" => Ok(i64::from(number) * 60_000),
        "h" => Ok(i64::from(number) * 3_600_000),
        _ => Err(wrong()),
    }
}

/// "22:00-06:00", or "mon,tue/22:00-06:00".
fn span(text: &str) -> Result<QuietSpan, Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "{text} are no quiet hours. Write them as in 22:00-06:00 or sat,sun/22:00-08:00."
        ))
    };
    let (days, hours) = text.split_once('/').unwrap_or(("", text));
    let day = |name: &str| DAYS.iter().position(|day| *day == name.to_lowercase()).ok_or_else(wrong);
    let days = match days {
        "" => 127,
        days => days.split(',').try_fold(0_u8, |days, name| Ok::<_, Failure>(days | 1 << day(name)?))?,
    };
    let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = minute(from).zip(minute(to)).ok_or_else(wrong)?;
    Ok(QuietSpan { days, from, to })
}

fn written(quiet: &QuietHours) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let span = |span: &QuietSpan| {
        let named = DAYS.iter().enumerate().filter(|(at, _)| span.days & 1 << at != 0).map(|(_, day)| *day);
        let days = if span.days == 127 {
            String::new()
        } else {
            format!("{}/", named.collect::<Vec<_>>().join(","))
        };
        format!("{days}{}-{}", clock(span.from), clock(span.to))
    };
    let spans: Vec<String> = quiet.spans.iter().map(span).collect();
    format!("{} ({})", spans.join(" "), say::clean_line(&quiet.zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_read_and_written_alike() {
        for text in ["22:00-06:00", "sat,sun/22:00-08:30"] {
            let quiet = QuietHours { zone: "UTC".to_owned(), spans: vec![span(text).unwrap()] };
            assert_eq!(written(&quiet), format!("{text} (UTC)"));
        }
        // One that is named twice is one day.
        assert_eq!(span("mon,mon/01:00-02:00").unwrap().days, 1);
        for wrong in ["22-06", "24:00-06:00", "someday/22:00-06:00", "22:60-06:00", "", "mon,mon,/1:00-2:00"]
        {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(length("45m").unwrap(), 45 * 60_000);
        assert!(length("2 days").is_err() && length("").is_err() && length("é").is_err());
    }
}
