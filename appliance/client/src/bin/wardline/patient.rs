//! `wardline patient`: who is here, in which bed, and who is in their care team by hand.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::clinical::{Bedside, ClinicalCalls, Coming, Particulars, Sex, Standing};
use wardline_client::event::{Person, Unit};
use wardline_client::{Calls, Error, LocalBox};
use wardline_core::wire::proto::RefusalCode;

use crate::access::{Access, Parting};
use crate::exit::Failure;
use crate::{Common, find, json, records, say};

#[derive(Args)]
pub(crate) struct Patient {
    /// On the box itself: its local socket.
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// A patient comes, and their thread opens. Prints the stay's identifier.
    ///
    /// Who was here before needs the record number alone; a new patient, --name, --born and --sex too.
    Admit {
        /// The number of their record: no spaces.
        record: String,
        /// Where they lie: a part of the unit's name that fits one alone, or its identifier.
        unit: String,
        /// In which bed, as you call it: B-12.
        bed: String,
        /// As the staff know them.
        #[arg(long, requires_all = ["born", "sex"])]
        name: Option<String>,
        /// The day they were born: 1947-03-09.
        #[arg(long, requires = "name", value_name = "YYYY-MM-DD", value_parser = day)]
        born: Option<String>,
        /// As in HL7: F female, M male, O other, U unknown, A ambiguous, N not applicable.
        #[arg(long, requires = "name", value_parser = sex)]
        sex: Option<Sex>,
        /// The physician who answers for the stay, who is in the thread from then on.
        #[arg(long, value_name = "PERSON")]
        attending: Option<String>,
    },
    /// A patient lies in another bed from now on. Whoever holds that bed is in the thread at once.
    Transfer {
        /// A part of their name that fits one alone, or the stay's identifier.
        patient: String,
        /// Where to.
        unit: String,
        /// Into which bed.
        bed: String,
    },
    /// A patient is away for a time: bed and thread stay theirs, and the thread does not ring.
    Leave {
        /// Who.
        patient: String,
    },
    /// A patient is back from leave.
    Back {
        /// Who.
        patient: String,
    },
    /// A patient goes. The bed is free at once; the thread takes messages for another day.
    Discharge {
        /// Who.
        patient: String,
    },
    /// Correct a patient's name, day of birth or sex, or say who answers for the stay. What is not given stays as it is.
    ///
    /// Whoever is in the thread sees it at once. By whoever works in the unit; of a patient whose thread you are not in, its
    /// charge nurse, by the stay's identifier.
    Update(Update),
    /// A unit's patients by name, for its charge nurse. The look is recorded.
    List {
        /// Where.
        unit: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Only people whom you name see who a patient is; everybody else is out at once and sees an alias. Or name others later.
    ///
    /// For a charge nurse of the unit and the attending. A bed brings nobody in; breaking the glass takes two.
    Restrict {
        /// A part of their name that fits one alone, or the stay's identifier.
        patient: String,
        /// Named from now on: parts of names that fit one alone, or identifiers.
        people: Vec<String>,
        /// What everybody else sees: no name that gives them away.
        #[arg(long)]
        alias: Option<String>,
        /// Not named any more.
        #[arg(long, value_name = "PERSON")]
        remove: Vec<String>,
    },
    /// Whoever cares for the patient may see who they are again.
    Unrestrict {
        /// A part of their name that fits one alone, or the stay's identifier.
        patient: String,
    },
    /// Two records are of one patient: says what merging them will do, and with --yes does it.
    ///
    /// Whoever cares for the patient under one number reads what was written under the other; every message stays where it was written,
    /// and both threads say so. For a charge nurse who leads every unit where the patient is, or on the box itself.
    Merge(records::Merge),
    /// They are not of one patient after all: says what un-merging them will do, and with --yes does it.
    ///
    /// Each stay goes with the number by which the patient was admitted.
    Unmerge(records::Unmerge),
    /// Who is in a patient's care team by hand, besides whoever holds the bed.
    #[command(subcommand)]
    Team(Team),
}

#[derive(Args)]
#[group(skip)]
#[command(group(
    clap::ArgGroup::new("what")
        .args(["name", "birth_date", "sex", "attending", "no_attending"])
        .required(true)
        .multiple(true)
))]
struct Update {
    /// A part of their name that fits one alone, or the stay's identifier.
    patient: String,
    /// As the staff know them.
    #[arg(long)]
    name: Option<String>,
    /// The day they were born: 1947-03-09.
    #[arg(long, visible_alias = "born", value_name = "YYYY-MM-DD", value_parser = day)]
    birth_date: Option<String>,
    /// As in HL7: F female, M male, O other, U unknown, A ambiguous, N not applicable.
    #[arg(long, value_parser = sex)]
    sex: Option<Sex>,
    /// The physician who answers for the stay from now on, and is in the thread.
    #[arg(long, value_name = "PERSON")]
    attending: Option<String>,
    /// Nobody answers for the stay from now on. Whoever did is out of the thread, unless they are in it otherwise.
    #[arg(long, conflicts_with = "attending")]
    no_attending: bool,
}

#[derive(Subcommand)]
enum Team {
    /// People come in, and read the thread from its beginning.
    Add {
        /// Of which patient.
        patient: String,
        /// Parts of names that fit one alone, or identifiers.
        #[arg(required = true)]
        people: Vec<String>,
        /// For so many hours; without it until somebody takes them out.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=8_760))]
        hours: Option<i64>,
    },
    /// People go out, unless they hold the bed too.
    Remove {
        /// Of which patient.
        patient: String,
        /// Parts of names that fit one alone, or identifiers.
        #[arg(required = true)]
        people: Vec<String>,
    },
}

fn sex(text: &str) -> Result<Sex, String> {
    let mut letters = text.chars().map(|letter| letter.to_ascii_uppercase());
    let sex = letters.next().and_then(Sex::from_letter).filter(|_| letters.next().is_none());
    sex.ok_or_else(|| "one letter of F, M, O, U, A and N".to_owned())
}

/// As the box takes it, so that a slip is named here, and not only called out of range there.
fn day(text: &str) -> Result<String, String> {
    say::day(text)
        .map(|day| day.to_string())
        .ok_or_else(|| "a day of the calendar as in 1947-03-09".to_owned())
}

pub(crate) async fn patient(common: &Common, patient: Patient) -> Result<(), Failure> {
    if let Some(socket) = &patient.socket {
        let local = LocalBox::connect(socket).await?;
        // A service of the box is in no thread: it knows stays by their identifiers.
        return act(&local, patient.act, &[]).await;
    }
    let access = Access::open(common).await?;
    let done = async {
        access.contact(common).await?;
        let (_, conversations) = access.look().await?;
        let mine = conversations.into_iter().filter_map(|c| c.about.map(|about| *about));
        act(&access, patient.act, &mine.collect::<Vec<_>>()).await
    };
    let done = done.await;
    access.leave(Parting::default()).await;
    done
}

async fn act(door: &impl Calls, act: Act, mine: &[Bedside]) -> Result<(), Failure> {
    let stay = |text: &str| find::patient(mine, text);
    match act {
        Act::Admit { record, unit, bed, name, born, sex, attending } => {
            let unit = find::unit(&door.units().await?, &unit)?;
            let attending = match attending {
                Some(text) => Some(find::person(&door.people().await?, &text)?),
                None => None,
            };
            let new = name.zip(born).zip(sex).map(|((name, birth_date), sex)| Particulars {
                record_number: record.clone(),
                name,
                birth_date,
                sex,
            });
            let who = new.as_ref().map_or(Coming::Known(&record), Coming::New);
            let admitted = door.admit(who, unit, &bed, attending).await?;
            say::line(&admitted.encounter.to_string())?;
            say::note("Whoever holds the bed is in the thread; others: wardline patient team add");
        }
        Act::Transfer { patient, unit, bed } => {
            let (stay, units) = (stay(&patient)?, door.units().await?);
            let unit = find::unit(&units, &unit)?;
            door.transfer(stay, unit, &bed).await?;
            say::line(&format!("In {} {} now.", unit_name(&units, unit), say::clean_line(bed.trim())))?;
        }
        Act::Leave { patient } => {
            door.set_leave(stay(&patient)?, true).await?;
            say::line("Away. The bed is kept.")?;
        }
        Act::Back { patient } => {
            door.set_leave(stay(&patient)?, false).await?;
            say::line("Back.")?;
        }
        Act::Discharge { patient } => {
            door.discharge(stay(&patient)?).await?;
            say::line("Discharged. The bed is free.")?;
        }
        Act::Update(update) => self::update(door, mine, update).await?,
        Act::Restrict { patient, people, alias, remove } => {
            let (stay, known) = (stay(&patient)?, door.people().await?);
            let (add, remove) = (wanted(&known, &people)?, wanted(&known, &remove)?);
            if add.is_empty() && remove.is_empty() && alias.is_none() {
                let how = "Say who may see this patient, and --alias for everybody else.";
                return Err(Failure::Usage(how.to_owned()));
            }
            door.restrict(stay, alias.as_deref(), &add, &remove).await?;
            say::line("Restricted. Only whoever is named sees who this is.")?;
        }
        Act::Unrestrict { patient } => {
            door.lift_restriction(stay(&patient)?).await?;
            say::line("No longer restricted.")?;
        }
        Act::Merge(given) => records::merge(door, given).await?,
        Act::Unmerge(given) => records::unmerge(door, given).await?,
        Act::List { unit, json } => list(door, &unit, json).await?,
        Act::Team(Team::Add { patient, people, hours }) => {
            let (stay, wanted) = (stay(&patient)?, wanted(&door.people().await?, &people)?);
            let until = hours.map(|hours| say::now().saturating_add(hours * 3_600_000));
            door.join_care_team(stay, &wanted, until).await?;
            say::line(&say::count(
                wanted.len(),
                "person is in the care team.",
                "people are in the care team.",
            ))?;
        }
        Act::Team(Team::Remove { patient, people }) => {
            let (stay, wanted) = (stay(&patient)?, wanted(&door.people().await?, &people)?);
            door.leave_care_team(stay, &wanted).await?;
            say::line(&say::count(
                wanted.len(),
                "person is no longer in it by hand.",
                "people are no longer in it by hand.",
            ))?;
        }
    }
    Ok(())
}

/// The box is told the whole: what is there, and on it what was given.
async fn update(door: &impl Calls, mine: &[Bedside], given: Update) -> Result<(), Failure> {
    let Bedside { patient, encounter } = standing_now(door, mine, &given.patient).await?;
    if patient.hidden {
        let how = "is restricted: whoever is named corrects it. wardline shift show says whom to ask.";
        return Err(Failure::Usage(format!("{} {how}", given.patient)));
    }
    let known = patient.particulars;
    let particulars = Particulars {
        record_number: known.record_number,
        name: given.name.unwrap_or(known.name),
        birth_date: given.birth_date.unwrap_or(known.birth_date),
        sex: given.sex.unwrap_or(known.sex),
    };
    let attending = match given.attending {
        Some(text) => Some(find::person(&door.people().await?, &text)?),
        None => encounter.attending.filter(|_| !given.no_attending),
    };
    door.update_patient(patient.id, &particulars, attending, Some(encounter.id)).await?;
    let Particulars { record_number, name, birth_date, sex } = &particulars;
    let answers = match attending {
        Some(person) => format!("{} answers for the stay", find::name(&door.people().await?, person)),
        None => "nobody answers for the stay".to_owned(),
    };
    let sex = sex.letter();
    say::line(&say::clean_line(&format!("{name}, born {birth_date}, {sex}, {record_number}; {answers}.")))
}

/// What is known of a stay that goes on. A stay that is over does not say who answers for a later one, which an update of it
/// would take away.
async fn standing_now(door: &impl Calls, mine: &[Bedside], text: &str) -> Result<Bedside, Failure> {
    let open: Vec<Bedside> = mine.iter().filter(|about| !is_over(about)).cloned().collect();
    let stay = match find::patient(&open, text) {
        Err(_) if find::patient(mine, text).is_ok() => {
            let how = "is discharged, and is corrected no more. If they are here again, name that stay.";
            return Err(Failure::Usage(format!("{text} {how}")));
        }
        found => found?,
    };
    if let Some(known) = open.into_iter().find(|about| about.encounter.id == stay) {
        return Ok(known);
    }
    // Not in its thread: a charge nurse, or a service of the box, sees it in its unit's list.
    for unit in door.units().await? {
        match door.patients(unit.id).await {
            Ok(listed) => {
                if let Some(known) = listed.into_iter().find(|about| about.encounter.id == stay) {
                    return Ok(known);
                }
            }
            Err(Error::Refused(refused)) if refused.code == RefusalCode::NotPermitted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let how = "is no stay that you can see. Whoever is in the patient's thread corrects it, or the unit's charge nurse.";
    Err(Failure::Usage(format!("{text} {how}")))
}

fn is_over(about: &Bedside) -> bool {
    matches!(about.encounter.standing, Standing::Discharged(_))
}

fn wanted(people: &[Person], texts: &[String]) -> Result<Vec<wardline_client::PersonId>, Failure> {
    texts.iter().map(|text| find::person(people, text)).collect()
}

pub(crate) fn unit_name(units: &[Unit], id: wardline_client::UnitId) -> String {
    let known = units.iter().find(|unit| unit.id == id);
    known.map_or_else(|| format!("(unit {id})"), |unit| say::clean_line(&unit.name))
}

async fn list(door: &impl Calls, unit: &str, as_json: bool) -> Result<(), Failure> {
    let unit = find::unit(&door.units().await?, unit)?;
    let patients = door.patients(unit).await?;
    if patients.is_empty() && !as_json {
        say::note("Nobody is here. Next: wardline patient admit");
    }
    for bedside in &patients {
        if as_json {
            let mut value = json!({ "event": "patient" });
            json::about(&mut value, bedside);
            json::print(&value)?;
            continue;
        }
        let Bedside { patient, encounter } = bedside;
        let away = if encounter.standing == Standing::OnLeave { "  (on leave)" } else { "" };
        let line = format!("{}  {}  {}{away}", encounter.id, encounter.bed, records::who(patient));
        say::line(&say::clean_line(&line))?;
    }
    Ok(())
}
