//! `configure` and `verify` as a person meets them: what is shown, what is asked, and in which order.
//!
//! Decides nothing: [`crate::desk`] does. Asks at a terminal alone; a script gives flags, and is told which one is missing.

use std::io;
use std::path::Path;

use crate::answers::{Answers, COUNT, QUESTIONS, Texts};
use crate::bundle::{Attestation, BadValue, Image, VerifiedRequest};
use crate::desk::{Chance, Compared, Desk, DeskError, Extras, Term};
use crate::terminal::{Mark, NoAnswer, Terminal};

/// Why a command did not do what it was for. Nothing was written, unless [`CommandError::Desk`] says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// See [`DeskError`].
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The terminal failed.
    #[error("the terminal cannot be used")]
    Io(#[from] io::Error),
    /// A flag that a script has to give.
    #[error("nobody is there to be asked, so nothing was written: give --{0}. A good one: {1}")]
    Missing(&'static str, &'static str),
    /// A flag's value.
    #[error("--{0}: {1}")]
    Flag(&'static str, BadValue),
}

/// What `configure` was called with.
pub struct Order<'a> {
    /// The box's request.
    pub request: &'a Path,
    /// Where the configuration goes.
    pub out: &'a Path,
    /// Answers that were given as flags, in the order of [`QUESTIONS`].
    pub given: [Option<String>; COUNT],
    /// The eight words, as they were read off the box's screen.
    pub words: Option<String>,
    /// Approvals, tickets, secrets.
    pub extras: Extras,
    /// Years of the certificate.
    pub years: i64,
    /// Show and write nothing.
    pub dry_run: bool,
    /// Write without asking.
    pub yes: bool,
    /// Whether somebody is there to be asked.
    pub is_attended: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Written.
    Written,
    /// Shown alone.
    Shown,
    /// The person said no.
    Declined,
}

/// Configures a box.
///
/// # Errors
/// [`CommandError`].
pub fn configure<A: Attestation>(
    desk: &Desk<'_, A>,
    order: &Order<'_>,
    terminal: &mut Terminal<'_>,
    now_unix_s: i64,
    chance: Chance<'_>,
) -> Result<Outcome, CommandError> {
    let facility = desk.facility()?;
    let request = desk.request(order.request)?;
    let last = desk.last(&request)?;
    terminal.heading("Configure a box")?;
    terminal.row("Facility", facility.as_str())?;
    terminal.row("Box", if last.is_some() { "configured before" } else { "new to this facility" })?;
    terminal.row("Release", request.body().release.as_str())?;
    let certificate = match request.body().identity.ek_certificate {
        Some(_) => "with its maker's certificate (this release does not check it yet)",
        None => "without a maker's certificate",
    };
    terminal.row("Chip", certificate)?;

    let compared = compare(order, &request, terminal)?;
    let texts = answers(order, last.as_ref(), terminal)?;
    let term = Term { now_unix_s, years: order.years };
    let plan = desk.plan(&request, compared, &texts, &order.extras, term, chance)?;

    terminal.heading(if last.is_some() { "What changes" } else { "What the box is told" })?;
    for change in &plan.changes {
        terminal.marked(change.mark, change.label, &change.value)?;
    }
    terminal.space()?;
    if last.is_some() && plan.changes.iter().all(|change| change.mark == Mark::Same) {
        terminal.text("Nothing but a new certificate.")?;
        terminal.space()?;
    }
    if order.dry_run {
        terminal.text("This was a dry run: nothing was written.")?;
        return Ok(Outcome::Shown);
    }
    if order.is_attended && !order.yes {
        terminal.text(&format!("Write this to {}? yes or no", order.out.display()))?;
        if !terminal.agree()? {
            terminal.text("Nothing was written.")?;
            return Ok(Outcome::Declined);
        }
    }
    desk.carry_out(&plan, order.out)?;
    terminal.heading(&format!("Written: {}", order.out.display()))?;
    let size = plan.file().len();
    terminal.text(&format!("Serial {} of this box, {size} bytes, signed by {facility}.", plan.serial()))?;
    terminal.text("Nothing secret stands in it in clear.")?;
    terminal.space()?;
    terminal.text("1. Eject the stick and put it into the box.")?;
    terminal.text("2. Wait until its screen says READY. It may say WORKING for five minutes.")?;
    terminal.text("3. Bring the stick back, and run:")?;
    terminal.text("     wardline-provision verify --receipt RECEIPT.WLB --facility DIRECTORY")?;
    Ok(Outcome::Written)
}

fn compare(
    order: &Order<'_>,
    request: &VerifiedRequest,
    terminal: &mut Terminal<'_>,
) -> Result<Compared, CommandError> {
    if let Some(words) = &order.words {
        return Ok(Compared::words(words, request)?);
    }
    if !order.is_attended {
        return Err(CommandError::Missing(
            "words",
            "the eight words on the box's screen, with blanks between",
        ));
    }
    terminal.heading("Is it this box?")?;
    terminal.text("The box shows eight words on its screen. They must be these, all eight:")?;
    terminal.space()?;
    for (row, words) in request.box_id().words().chunks(4).enumerate() {
        let cells = words.iter().enumerate().map(|(at, word)| format!("{} {word:<12}", row * 4 + at + 1));
        let line: String = cells.collect::<Vec<_>>().join("  ");
        terminal.text(&format!("    {}", line.trim_end()))?;
    }
    terminal.space()?;
    terminal.text("Go and look. Are they the same? yes or no")?;
    let are_the_same = terminal.agree()?;
    Ok(Compared::by_eye(are_the_same, request)?)
}

fn answers(
    order: &Order<'_>,
    last: Option<&Texts>,
    terminal: &mut Terminal<'_>,
) -> Result<Texts, CommandError> {
    let mut texts = Texts::default();
    // What a script leaves out is told before anything else; what a flag says wrong, before the first question that follows it.
    let missing = QUESTIONS.iter().zip(&order.given).find(|(_, given)| given.is_none());
    if let (Some((question, _)), None, false) = (missing, last, order.is_attended) {
        return Err(CommandError::Missing(question.flag, question.example));
    }
    for (at, (question, given)) in QUESTIONS.iter().zip(&order.given).enumerate() {
        let usual = last.map(|last| last[at].as_str());
        texts[at] = match (given, usual) {
            (Some(given), _) => {
                Answers::check_next(&texts, at, given)
                    .map_err(|bad| CommandError::Flag(question.flag, bad))?;
                given.clone()
            }
            (None, Some(usual)) if !order.is_attended => usual.into(),
            (None, usual) => {
                terminal.heading(&format!("{} of {COUNT}  {}", at + 1, question.title))?;
                terminal.text(question.asks)?;
                let none = if question.may_be_none { ", or none" } else { "" };
                terminal.text(&format!("For example: {}{none}", question.example))?;
                let read = |typed: &str| Answers::check_next(&texts, at, typed).map(|()| typed.to_string());
                terminal.ask(usual, read)?
            }
        };
    }
    Ok(texts)
}

/// Judges a receipt and says in words what it proves.
///
/// # Errors
/// [`CommandError`].
pub fn verify<A: Attestation>(
    desk: &Desk<'_, A>,
    receipt: &Path,
    terminal: &mut Terminal<'_>,
) -> Result<(), CommandError> {
    let proof = desk.verify(receipt)?;
    let said = proof.receipt.body();
    terminal.heading("The receipt holds")?;
    terminal.text("The chip of the box whose eight words you compared signed it. So it is proved that")?;
    terminal.text(&format!("- it was made after configuration {} was written, and for it;", proof.serial))?;
    terminal.text("- the box's image says that exactly this configuration and certificate are in force;")?;
    let image = proof.receipt.pcrs().image().to_string();
    match proof.image {
        Image::Approved => terminal.text("- that image is one that an approval you sent is for.")?,
        Image::NotCompared => {
            terminal.text("- that image measures as below.")?;
            terminal.space()?;
            terminal.complaint(
                "Which image that is was not compared with anything, because no approval was sent along. Until you \
                 compare PCR 11 with the one in the vendor's release, you know the box, and not what runs on it.",
            )?;
        }
    }
    terminal.space()?;
    terminal.row("State", said.state.as_str())?;
    terminal.row("Release", said.release.as_str())?;
    terminal.row("PCR 11", &image)?;
    terminal.row("Revoked bits", &format!("{:016x}", said.revoked_bits))?;
    terminal.row("Epoch", &said.epoch.to_string())?;
    terminal.space()?;
    if proof.is_latest {
        terminal.text("It is remembered: this box's next configuration will follow it.")?;
    } else {
        terminal.complaint(
            "A newer configuration was written, which the box has not taken. Configure again now: the one that was \
             written does not follow this receipt, and the box would refuse it (BAD BUNDLE 16).",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
