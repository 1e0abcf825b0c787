//! A shift: beds are taken, people write, something is urgent, a STAT is handed back, a patient moves, another goes home.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wardline_client::clinical::ClinicalCalls as _;
use wardline_client::stat::{Priority, Reply};
use wardline_client::{Searches as _, StatCalls as _, Wanted};

use crate::demo::away::{self, PATIENCE};
use crate::demo::cast::{BEDS, Who};
use crate::demo::phone::Heard;
use crate::demo::stage::{Ladder, Stage};
use crate::demo::story_stat;
use crate::exit::Failure;
use crate::{say, stat};

/// Free when a shift begins.
const FREE_BED: &str = "39";
/// Between two looks whether what was just written can be found.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The unit changes hands. Every scenario begins so.
pub(super) async fn taken(stage: &Stage<'_>, until: (i64, &str)) -> Result<(), Failure> {
    let (until, clock) = until;
    if stage.end_shifts().await? > 0 {
        let text = "Ingrid Halvorsen ends what is left of the shift before.";
        stage.teller.tell("shift_ended", Some(Who::Ingrid), text).await?;
    }
    for (who, first, last) in
        [(Who::Priya, 1, BEDS / 2), (Who::Noor, 1, BEDS / 2), (Who::Tomasz, BEDS / 2 + 1, BEDS)]
    {
        let beds: Vec<String> = (first..=last).map(|bed| bed.to_string()).collect();
        stage.take_beds(who, &beds, until).await?;
        let text = format!("{} takes beds {first} to {last} until {clock}.", who.name());
        let more = json!({ "first": first, "last": last, "until": until });
        stage.teller.tell_more("shift_taken", Some(who), &text, more).await?;
    }
    for role in &stage.ward.roles {
        let names: Vec<&str> = role.holders.iter().filter_map(|id| stage.who(*id)).map(Who::name).collect();
        let text = format!("{}: {} by the rota.", say::clean_line(&role.name), names.join(", then "));
        stage.teller.tell("role", None, &text).await?;
    }
    Ok(())
}

pub(super) async fn play(stage: &Stage<'_>, until: i64) -> Result<(), Failure> {
    use Priority::{Routine, Urgent};
    use Who::{Leila, Noor, Priya, Tomasz};
    let began = say::now();
    stage.write(Priya, "3", "Walked to the door and back, no dizziness", Routine, &[Noor]).await?;
    stage.write(Noor, "3", "Ate half of her lunch, drank well", Routine, &[Priya]).await?;
    stage.write(Tomasz, "27", "Potassium 6.1, flat on the monitor so far", Urgent, &[Leila]).await?;
    stage.write(Leila, "27", "Potassium again now and an ECG, I am on my way", Routine, &[Tomasz]).await?;
    care_team(stage, until).await?;
    stat_handed_back(stage).await?;
    moved(stage).await?;
    discharged(stage).await?;
    found(stage, began).await?;
    stage.sound().await
}

async fn care_team(stage: &Stage<'_>, until: i64) -> Result<(), Failure> {
    let stay = stage.stay("12")?;
    let (id, place, caleb) =
        (stay.encounter.id, stay.encounter.conversation, [stage.ward.staff[&Who::Caleb]]);
    let client = &stage.phone(Who::Priya).client;
    away::once(|| client.join_care_team(id, &caleb, Some(until))).await?;
    let sees = |heard: &Heard| heard.conversations.contains_key(&place).then_some(());
    stage.phone(Who::Caleb).until("Waiting for Caleb Stone's phone …", sees).await?;
    let patient = stage.patient("12")?;
    let text = format!(
        "Priya Raman brings Caleb Stone into the care team of {patient}, for this shift. He reads the thread from its beginning."
    );
    stage.teller.tell("care_team", Some(Who::Priya), &text).await
}

/// Steps on from a frozen phone, is answered, handed back, and answered again.
async fn stat_handed_back(stage: &Stage<'_>) -> Result<(), Failure> {
    story_stat::frozen(stage).await?;
    let text = "Chest pain, blood pressure 80 over 50";
    let sent = stage.send_stat(Who::Priya, "5", Who::Victor, text).await?;
    let mut ladder = Ladder::of(sent, Who::Priya);
    loop {
        let now = ladder.next(stage).await?;
        story_stat::step(stage, &now).await?;
        if now.step >= 1 {
            break;
        }
    }
    stage.rings(Who::Leila, sent).await?;
    story_stat::answered(stage, &mut ladder, Who::Leila).await?;
    stage.silent(sent).await?;
    for phone in stage.phones.values().chain([&stage.screen]) {
        phone.may_ring(sent, true);
    }
    let client = &stage.phone(Who::Leila).client;
    away::once(|| client.answer_stat(sent, Reply::HandBack)).await?;
    let text = "Leila Haddad hands it back: she is held up in the operating room. It rings again.";
    let more = json!({ "stat": stat::name(sent) });
    stage.teller.tell_more("stat_handed_back", Some(Who::Leila), text, more.clone()).await?;
    loop {
        let now = ladder.next(stage).await?;
        story_stat::step(stage, &now).await?;
        if now.step >= 2 {
            break;
        }
    }
    stage.rings(Who::Ingrid, sent).await?;
    story_stat::answered(stage, &mut ladder, Who::Ingrid).await?;
    stage.silent(sent).await?;
    stage.close(Who::Priya, sent).await?;
    let text = format!("Priya Raman closes the STAT about {}: the team is with her.", stage.patient("5")?);
    stage.teller.tell_more("stat_closed", Some(Who::Priya), &text, more).await
}

async fn moved(stage: &Stage<'_>) -> Result<(), Failure> {
    let (stay, unit) = (stage.stay("7")?, stage.ward.unit);
    let (id, place) = (stay.encounter.id, stay.encounter.conversation);
    let client = &stage.phone(Who::Priya).client;
    away::once(|| client.transfer(id, unit, FREE_BED)).await?;
    let sees = |heard: &Heard| {
        let about = heard.conversations.get(&place)?.about.as_ref()?;
        (about.encounter.bed == FREE_BED).then_some(())
    };
    stage.phone(Who::Tomasz).until("Waiting for Tomasz Wilk's phone …", sees).await?;
    let patient = stage.patient("7")?;
    let text = format!(
        "Priya Raman moves {patient}, to bed {FREE_BED}. Tomasz Wilk, who holds that bed, is in the thread at once and reads all of it."
    );
    stage.teller.tell("transferred", Some(Who::Priya), &text).await
}

async fn discharged(stage: &Stage<'_>) -> Result<(), Failure> {
    let id = stage.stay("31")?.encounter.id;
    let client = &stage.phone(Who::Tomasz).client;
    away::once(|| client.discharge(id)).await?;
    let text = format!("Tomasz Wilk discharges {}. The bed is free.", stage.patient("31")?);
    stage.teller.tell("discharged", Some(Who::Tomasz), &text).await
}

/// What was said can be found by those who may read it, and by nobody else.
async fn found(stage: &Stage<'_>, since: i64) -> Result<(), Failure> {
    let words = "potassium";
    let wanted = Wanted { words: words.to_owned(), since: Some(since), limit: 20, ..Wanted::default() };
    let client = &stage.phone(Who::Tomasz).client;
    let began = Instant::now();
    let hits = loop {
        let hits = away::again(|| client.search(&wanted)).await?.messages.len();
        // The index takes some hundred milliseconds, and longer when the box has just started.
        if hits >= 2 || began.elapsed() > PATIENCE {
            break hits;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let text = format!(
        "Tomasz Wilk searches for “{words}” and finds {}.",
        say::count(hits, "message of this shift", "messages of this shift")
    );
    stage.teller.tell_more("search", Some(Who::Tomasz), &text, json!({ "hits": hits })).await?;
    let client = &stage.phone(Who::Caleb).client;
    let hits = away::again(|| client.search(&wanted)).await?.messages.len();
    let text = format!("Caleb Stone, who is not in that thread, searches for the same and finds {hits}.");
    stage.teller.tell_more("search", Some(Who::Caleb), &text, json!({ "hits": hits })).await
}
