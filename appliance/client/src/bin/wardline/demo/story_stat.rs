//! The STAT that nobody hears at first: through every step of the unit's policy, to the screen in the corridor.

use serde_json::json;
use wardline_client::StatCalls as _;
use wardline_client::stat::{Escalation, Reason, Reply, Stands};

use crate::demo::away;
use crate::demo::cast::Who;
use crate::demo::phone::Heard;
use crate::demo::stage::{Ladder, Stage};
use crate::exit::Failure;
use crate::stat;

const BED: &str = "12";

pub(super) async fn play(stage: &Stage<'_>) -> Result<(), Failure> {
    let text = "Saturation 78 on 6 litres, will not wake";
    frozen(stage).await?;
    let sent = stage.send_stat(Who::Priya, BED, Who::Victor, text).await?;
    let mut ladder = Ladder::of(sent, Who::Priya);
    let mut declined = false;
    loop {
        let now = ladder.next(stage).await?;
        step(stage, &now).await?;
        unheard(stage, &now).await?;
        if now.step >= 1 && !declined {
            declined = true;
            cannot(stage, &ladder).await?;
        }
        if now.step >= now.steps {
            break;
        }
    }
    on_the_screen(stage, &ladder).await?;
    answered(stage, &mut ladder, Who::Tomasz).await?;
    stage.silent(sent).await?;
    stage.close(Who::Priya, sent).await?;
    let said = format!("Priya Raman closes the STAT about {}: he is awake again.", stage.patient(BED)?);
    stage
        .teller
        .tell_more("stat_closed", Some(Who::Priya), &said, json!({ "stat": stat::name(sent) }))
        .await?;
    stage.sound().await
}

pub(super) async fn frozen(stage: &Stage<'_>) -> Result<(), Failure> {
    let text = "Victor Moreau's phone is frozen: it is on, and does nothing.";
    stage.teller.tell("frozen", Some(Who::Victor), text).await
}

/// Says at which step it is, and for whom that rings.
pub(super) async fn step(stage: &Stage<'_>, now: &Escalation) -> Result<(), Failure> {
    if now.stands != Stands::Ringing {
        let name = stat::name(now.stat);
        return Err(Failure::Refused(format!(
            "Somebody outside the demo answered its STAT {name}. Play it again."
        )));
    }
    let whom = match now.step {
        0 => "Victor Moreau, whose phone is frozen".to_owned(),
        step if step >= now.steps => {
            format!("the station screens, and {} is told to call {}", "Priya Raman", now.dial)
        }
        1 => "whoever is physician on call: Leila Haddad is the backup".to_owned(),
        2 => "the charge nurse, Ingrid Halvorsen".to_owned(),
        _ => "everybody in the unit".to_owned(),
    };
    let text = format!("Step {} of {}: it rings for {whom}.", now.step + 1, now.steps + 1);
    let more = json!({
        "stat": stat::name(now.stat), "step": now.step, "steps": now.steps, "since": now.since,
    });
    stage.teller.tell_more("stat_step", None, &text, more).await
}

/// Why nobody answers at this step.
async fn unheard(stage: &Stage<'_>, now: &Escalation) -> Result<(), Failure> {
    let (who, text) = match now.step {
        2 if now.step < now.steps => {
            (Some(Who::Ingrid), "Ingrid Halvorsen is on the telephone with a family and does not hear it.")
        }
        3 if now.step < now.steps => (None, "All hands are full: nobody looks at a phone."),
        _ => return Ok(()),
    };
    stage.teller.tell("unheard", who, text).await
}

async fn cannot(stage: &Stage<'_>, ladder: &Ladder) -> Result<(), Failure> {
    stage.rings(Who::Leila, ladder.stat).await?;
    let client = &stage.phone(Who::Leila).client;
    away::once(|| client.answer_stat(ladder.stat, Reply::Decline(Reason::Busy))).await?;
    let text = "Leila Haddad: “I cannot, I am with another patient.” It goes on at once.";
    let more = json!({ "stat": stat::name(ladder.stat) });
    stage.teller.tell_more("stat_declined", Some(Who::Leila), text, more).await
}

async fn on_the_screen(stage: &Stage<'_>, ladder: &Ladder) -> Result<(), Failure> {
    let sent = ladder.stat;
    let is_called = |heard: &Heard| heard.is_called(sent).then_some(());
    stage.screen.until("Waiting for the screen to ring …", is_called).await?;
    let text = "The screen in the corridor rings. It shows no name and no text.";
    stage.teller.tell_more("screen_rings", None, text, json!({ "stat": stat::name(sent) })).await?;
    stage.rings(Who::Tomasz, sent).await?;
    let client = &stage.phone(Who::Tomasz).client;
    let message = away::again(|| client.read_stat(sent)).await?;
    let read =
        message.map_or_else(|| "nothing: it is gone".to_owned(), |message| format!("“{}”", message.text));
    let text = format!("Tomasz Wilk hears it, and reads on his phone: {read}");
    stage.teller.tell("stat_read", Some(Who::Tomasz), &text).await
}

/// Somebody has it, and the sender is told who.
pub(super) async fn answered(stage: &Stage<'_>, ladder: &mut Ladder, who: Who) -> Result<(), Failure> {
    let client = &stage.phone(who).client;
    away::once(|| client.answer_stat(ladder.stat, Reply::Accept)).await?;
    loop {
        let now = ladder.next(stage).await?;
        match now.stands {
            Stands::Accepted => {
                let by = now.by.and_then(|by| stage.who(by));
                if by != Some(who) {
                    return Err(Failure::Refused("Somebody outside the demo has its STAT.".to_owned()));
                }
                let text = format!("{}: “I have it.” Priya Raman is told.", who.name());
                let more = json!({ "stat": stat::name(ladder.stat), "step": now.step });
                return stage.teller.tell_more("stat_answered", Some(who), &text, more).await;
            }
            // It went on in the moment before.
            _ => step(stage, &now).await?,
        }
    }
}
