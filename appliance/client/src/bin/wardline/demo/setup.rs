//! Making the unit, or finding it as an earlier run left it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz;
use tokio::time::Instant;
use wardline_client::clinical::{Bedside, ClinicalCalls as _, Coming, Standing};
use wardline_client::event::{Person, Unit};
use wardline_client::roles::{Role, RoleCalls as _, Which};
use wardline_client::rota::{Date, Pattern, Shift, Sources, Team, TimeZone, Weekday};
use wardline_client::stat::{EscalationPolicy, Rings};
use wardline_client::{Calls as _, Error, PersonId, RoleId, StatCalls as _, UnitId};
use wardline_core::wire::proto::RefusalCode;

use crate::demo::away::{self, Desk};
use crate::demo::cast::{self, Made, Who};
use crate::demo::phone::DEVICE;
use crate::exit::Failure;
use crate::say;

/// How long a step of the unit's policy lasts. Seconds: the least that a box takes, so that nobody waits long.
const WAIT_S: u32 = 15;
/// How long an urgent message waits for a screen. Seconds.
const URGENT_WAIT_S: u32 = 60;
/// Of a shift, and of a rota's.
pub(super) const HOURS: [i8; 2] = [7, 19];

/// The unit as it is.
pub(super) struct Ward {
    pub(super) unit: UnitId,
    pub(super) staff: BTreeMap<Who, PersonId>,
    pub(super) screen: PersonId,
    /// The stays, by bed.
    pub(super) stays: BTreeMap<String, Bedside>,
    pub(super) roles: Vec<Role>,
    /// It was there before.
    pub(super) is_known: bool,
}

/// Refuses a box with patients of somebody else's, makes what is missing, and puts the patients into their beds.
pub(super) async fn prepare(desk: &Desk) -> Result<Ward, Failure> {
    let units = away::again(|| desk.units()).await?;
    let here = only_made_up(desk, &units).await?;
    let is_known = unit_of(&units).is_some();
    let unit = away::there(
        async || Ok(unit_of(&away::again(|| desk.units()).await?)),
        async || desk.set_unit(None, cast::UNIT).await,
    )
    .await?;
    let staff = say::patiently("Adding the staff …", staff(desk, unit)).await?;
    let screen = away::there(
        async || {
            let people = away::again(|| desk.people()).await?;
            Ok(people
                .iter()
                .find(|one| one.station == Some(unit) && one.name == cast::STATION)
                .map(|one| one.id))
        },
        async || desk.add_station(unit, cast::STATION).await,
    )
    .await?;
    without_devices(desk, staff.values().chain([&screen])).await?;
    let mut roles = Vec::new();
    for (name, holders) in cast::ROLES {
        let holders: Vec<PersonId> = holders.iter().map(|who| staff[who]).collect();
        roles.push(role(desk, unit, name, &holders).await?);
    }
    policy(desk, unit, roles[0].id).await?;
    let stays = census(desk, unit, &staff, here).await?;
    Ok(Ward { unit, staff, screen, stays, roles, is_known })
}

fn unit_of(units: &[Unit]) -> Option<UnitId> {
    units.iter().find(|unit| unit.name == cast::UNIT).map(|unit| unit.id)
}

/// Everybody who is in a bed, if all of them are the demo's.
async fn only_made_up(desk: &Desk, units: &[Unit]) -> Result<Vec<Bedside>, Failure> {
    let mut here = Vec::new();
    for unit in units {
        here.extend(away::again(|| desk.patients(unit.id)).await?);
    }
    let is_made = |about: &&Bedside| about.patient.particulars.record_number.starts_with(cast::RECORDS);
    let others = here.len() - here.iter().filter(is_made).count();
    if others == 0 {
        return Ok(here);
    }
    let count = say::count(others, "patient whom", "patients whom");
    Err(Failure::Usage(format!(
        "This box has {count} the demo did not make. The demo makes up records, so it plays only where there are none but its \
         own. Play it on a box of its own: make run ARGS='--directory ~/demo-box --listen 127.0.0.1:4499'; or discharge them \
         first, if they are made up too: wardline patient list UNIT, wardline patient discharge ID."
    )))
}

async fn staff(desk: &Desk, unit: UnitId) -> Result<BTreeMap<Who, PersonId>, Failure> {
    let mut staff = BTreeMap::new();
    for who in cast::STAFF {
        let is_they = |one: &&Person| {
            one.name == who.listed() && one.station.is_none() && !one.administrator && !one.privacy_officer
        };
        let person = away::there(
            async || Ok(away::again(|| desk.people()).await?.iter().find(is_they).cloned()),
            async || desk.add_person(&who.listed(), who.title(), false).await,
        )
        .await?;
        if person.suspended {
            away::once(|| desk.suspend(person.id, false)).await?;
        }
        let leads = who.rank() == wardline_client::Rank::ChargeNurse;
        if !person.posts.iter().any(|post| post.unit == unit && post.charge_nurse == leads) {
            away::once(|| desk.set_post(person.id, unit, who.rank())).await?;
        }
        staff.insert(who, person.id);
    }
    Ok(staff)
}

/// Ends the devices of runs before, and of this one when it is over: a person has eight at most. One's own stay.
pub(super) async fn without_devices(
    desk: &Desk,
    people: impl Iterator<Item = &PersonId>,
) -> Result<(), Failure> {
    for person in people {
        let devices = away::again(|| desk.list_devices(*person)).await?;
        for device in devices.iter().filter(|device| device.name == DEVICE && !device.revoked) {
            away::once(|| desk.revoke_device(device.id)).await?;
        }
    }
    Ok(())
}

async fn role(desk: &Desk, unit: UnitId, name: &str, holders: &[PersonId]) -> Result<Role, Failure> {
    let look = async || {
        let roles = away::again(|| desk.roles(Some(unit))).await?;
        Ok(roles.into_iter().find(|role| role.name == name))
    };
    let rota = rota(holders);
    let make = async || desk.set_role(Which::New(unit), name, Some(&rota)).await;
    let found = away::there(look, make).await?;
    if found.holders == holders {
        return Ok(found);
    }
    away::again(|| desk.set_role(Which::Known(found.id), name, Some(&rota))).await?;
    away::there(look, make).await
}

/// These, every day and night.
fn rota(holders: &[PersonId]) -> Sources {
    let zone = tz::TimeZone::system().iana_name().and_then(TimeZone::parse).unwrap_or(TimeZone::utc());
    let team = Team::new(holders.to_vec()).unwrap_or(Team::NOBODY);
    let [day, night] = HOURS.map(|hour| u32::from(hour.unsigned_abs()) * 60);
    let mut shifts = Vec::new();
    for (at, weekday) in Weekday::ALL.into_iter().enumerate() {
        let next = Weekday::ALL[(at + 1) % 7];
        shifts.push(Shift::weekly(0, (weekday, day), (weekday, night), team.clone()));
        shifts.push(Shift::weekly(0, (weekday, night), (next, day), team.clone()));
    }
    // From two days ago on, so that last night's is under way.
    let days = u64::try_from(say::now()).unwrap_or(0) / 86_400_000;
    let from = Date::from_days(u16::try_from(days.saturating_sub(2)).unwrap_or(u16::MAX));
    let mut sources = Sources::new(zone);
    sources.patterns.push(Pattern { from, until: None, weeks: 1, place: None, shifts });
    sources
}

async fn policy(desk: &Desk, unit: UnitId, on_call: RoleId) -> Result<(), Failure> {
    let steps = [Rings::Role(on_call), Rings::ChargeNurses, Rings::UnitStaff].map(|whom| (whom, WAIT_S));
    let wanted = EscalationPolicy {
        unit: Some(unit),
        first_wait: WAIT_S,
        steps: steps.to_vec(),
        dial: cast::DIAL.to_owned(),
        urgent_wait: URGENT_WAIT_S,
    };
    if away::again(|| desk.escalation_policies()).await?.contains(&wanted) {
        return Ok(());
    }
    away::once(|| desk.set_escalation(&wanted)).await
}

/// Everybody in their bed, as when a shift begins.
async fn census(
    desk: &Desk,
    unit: UnitId,
    staff: &BTreeMap<Who, PersonId>,
    here: Vec<Bedside>,
) -> Result<BTreeMap<String, Bedside>, Failure> {
    let wanted = cast::patients();
    let bed_of = |about: &Bedside| {
        let record = &about.patient.particulars.record_number;
        wanted.iter().find(|made| made.particulars.record_number == *record).map(|made| &made.bed)
    };
    let mut taken: Vec<String> = here
        .iter()
        .filter(|about| about.encounter.unit == unit)
        .map(|about| about.encounter.bed.clone())
        .collect();
    for about in &here {
        let stay = &about.encounter;
        match bed_of(about) {
            Some(bed) if stay.unit == unit && stay.bed == *bed => {
                if stay.standing == Standing::OnLeave {
                    away::once(|| desk.set_leave(stay.id, false)).await?;
                }
            }
            Some(bed) if !taken.contains(bed) => {
                away::once(|| desk.transfer(stay.id, unit, bed)).await?;
                taken.push(bed.clone());
            }
            _ => away::once(|| desk.discharge(stay.id)).await?,
        }
    }
    let in_bed = async || {
        let all = away::again(|| desk.patients(unit)).await?;
        Ok::<_, Failure>(all.into_iter().map(|about| (about.encounter.bed.clone(), about)).collect())
    };
    let there: BTreeMap<String, Bedside> = in_bed().await?;
    let mut said = Instant::now();
    for (at, made) in wanted.iter().enumerate().filter(|(_, made)| !there.contains_key(&made.bed)) {
        admit(desk, unit, made, staff[&made.attending]).await?;
        if said.elapsed() >= Duration::from_secs(1) {
            said = Instant::now();
            say::note(&format!("Admitting patients: {} of {} …", at + 1, wanted.len()));
        }
    }
    in_bed().await
}

/// Who was here before needs the record number alone.
async fn admit(desk: &Desk, unit: UnitId, made: &Made, attending: PersonId) -> Result<(), Failure> {
    let record = &made.particulars.record_number;
    let known = away::once(async || {
        desk.admit(Coming::Known(record), unit, &made.bed, Some(attending)).await.map(|_| ())
    });
    match known.await {
        Err(Failure::Client(Error::Refused(refused))) if refused.code == RefusalCode::NoSuchPatient => {
            away::once(async || {
                let new = Coming::New(&made.particulars);
                desk.admit(new, unit, &made.bed, Some(attending)).await.map(|_| ())
            })
            .await
        }
        other => other,
    }
}
