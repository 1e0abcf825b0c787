//! `wardline demo`: a believable shift in a made-up unit of forty beds, played against a box that runs.
//!
//! Everything is done as people and programs do it: the unit by the box's local socket, everything else by phones that join with
//! codes. Refuses a box with patients that it did not make.

mod away;
mod cast;
mod phone;
mod setup;
mod stage;
mod story_shift;
mod story_stat;
mod tell;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{ToSpan as _, ZonedDateTime};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use wardline_client::link::Address;

use crate::exit::Failure;
use crate::{admin, say};
use away::Desk;
use phone::Place;
use stage::Stage;
use tell::Teller;

/// Beside its socket `make run` writes where the box answers, and under which root.
const REACHED_AT: &str = "reached-at";
/// Where `make run` keeps its box, below the home directory.
const MADE_BOX: &str = ".local/state/wardline-demo/relay.sock";

/// What to play, and where.
#[derive(Args)]
pub(crate) struct Demo {
    /// The box's local socket; the one of `make run` by default.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Where devices find the box, HOST:PORT; not needed with a box of `make run`.
    #[arg(long, requires = "root")]
    address: Option<Address>,
    /// SHA-256 of the facility root, hexadecimal or base64url; not needed with a box of `make run`.
    #[arg(long, requires = "address", allow_hyphen_values = true)]
    root: Option<String>,
    /// What to play.
    #[arg(long, value_enum, default_value_t = Scenario::Shift)]
    scenario: Scenario,
    /// How much faster than one reads, 0.1 to 100. How long a STAT rings is the box's own time.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A shift: beds taken, messages, a STAT that is handed back, a transfer, a discharge, a search.
    Shift,
    /// One STAT through every step of the unit's policy, to the screen in the corridor.
    Stat,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.1..=100.0).contains(speed));
    speed.ok_or_else(|| "a number from 0.1 to 100".to_owned())
}

pub(crate) async fn demo(wish: Demo) -> Result<(), Failure> {
    let scratch = Scratch::make()?;
    tokio::select! {
        played = play(&wish, &scratch.0) => played,
        () = stopped() => {
            let next = "Stopped in the midst of it. What it made stays on the box; the next run goes on from there.";
            Err(Failure::Machine(next.to_owned()))
        }
    }
}

/// Ctrl-C, SIGTERM, or the terminal closes: the directory with the phones' keys is removed all the same.
async fn stopped() {
    let [terminate, hangup] = [SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let (Ok(mut terminate), Ok(mut hangup)) = (terminate, hangup) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

async fn play(wish: &Demo, directory: &Path) -> Result<(), Failure> {
    let teller = Teller { json: wish.json, speed: wish.speed };
    let socket = match &wish.socket {
        Some(socket) => socket.clone(),
        None => made_box()?,
    };
    let place = reached_at(wish, &socket)?;
    let desk = Desk::open(socket).await?;
    let text =
        format!("Looking for {} on the box at {}, and making what is missing.", cast::UNIT, place.address);
    teller.tell("begin", None, &text).await?;
    let ward = setup::prepare(&desk).await?;
    let was = if ward.is_known { "is there from a run before" } else { "is new" };
    let text = format!(
        "{}, a made-up unit of {} beds with {} patients, {was}. Nobody in it is a person.",
        cast::UNIT,
        cast::BEDS,
        ward.stays.len()
    );
    teller.tell_more("unit", None, &text, json!({ "unit": ward.unit.to_string() })).await?;
    let stage = Stage::open(&teller, &desk, &place, ward, directory).await?;
    let (until, clock) = shift_end(&ZonedDateTime::now())?;
    story_shift::taken(&stage, (until, &clock)).await?;
    // Not before: who is in no thread closes nothing there.
    stage.close_old(cast::Who::Priya).await?;
    match wish.scenario {
        Scenario::Shift => story_shift::play(&stage, until).await?,
        Scenario::Stat => story_stat::play(&stage).await?,
    }
    let people: Vec<_> = stage.ward.staff.values().copied().chain([stage.ward.screen]).collect();
    stage.close_all().await;
    setup::without_devices(&desk, people.iter()).await?;
    teller
        .tell(
            "end",
            None,
            "The demo is over. Its phones are revoked; unit and patients stay for the next run.",
        )
        .await
}

/// The next change of shifts that is half an hour away at least: at most twelve and a half, of sixteen that may be taken.
fn shift_end(now: &ZonedDateTime) -> Result<(i64, String), Failure> {
    let clock =
        |error: jiff::Error| Failure::Machine(format!("This machine's clock cannot be used: {error}."));
    let soonest = now.checked_add(30.minutes()).map_err(clock)?;
    for days in 0..=1 {
        for hour in setup::HOURS {
            let day = now.date().checked_add(days.days()).map_err(clock)?;
            let end = day.at(hour, 0, 0, 0).to_zoned_datetime(now.time_zone().clone()).map_err(clock)?;
            if end >= soonest {
                return Ok((end.timestamp().as_millisecond(), format!("{hour:02}:00")));
            }
        }
    }
    Err(Failure::Machine("This machine's clock cannot be used.".to_owned()))
}

fn made_box() -> Result<PathBuf, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home =
        home.ok_or(Failure::Usage("No home directory is set: say which box with --socket PATH.".into()))?;
    let socket = home.join(MADE_BOX);
    if socket.exists() {
        return Ok(socket);
    }
    let next = "There is no box of make run. Start one in another terminal, or say which with --socket PATH.";
    Err(Failure::Usage(next.to_owned()))
}

fn reached_at(wish: &Demo, socket: &Path) -> Result<Place, Failure> {
    if let (Some(address), Some(root)) = (&wish.address, &wish.root) {
        return Ok(Place { address: address.clone(), root: admin::parse_root(root)? });
    }
    let how = "Beside the socket it does not say where devices find the box: add --address HOST:PORT --root SHA256.";
    let none = || Failure::Usage(how.to_owned());
    let text = fs::read_to_string(socket.with_file_name(REACHED_AT)).map_err(|_| none())?;
    let mut lines = text.lines();
    let (address, root) = lines.next().zip(lines.next()).ok_or_else(none)?;
    Ok(Place { address: address.parse().map_err(|_| none())?, root: admin::parse_root(root)? })
}

/// Where the phones' profiles lie while it plays; removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Result<Self, Failure> {
        let mut name = [0; 8];
        let failed = |why: String| Failure::Machine(format!("No temporary directory can be made: {why}."));
        aws_lc_rs::rand::fill(&mut name).map_err(|_| failed("there is no randomness".to_owned()))?;
        let path = std::env::temp_dir().join(format!("wardline-demo-{:016x}", u64::from_be_bytes(name)));
        // Fails if it is there: nobody prepared it.
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| failed(error.to_string()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            say::note(&format!("{} could not be removed: {error}.", self.0.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_ends_at_seven_and_is_not_over_in_a_moment() {
        for (now, end) in [
            ("2026-11-26T13:00[Europe/Berlin]", ("2026-11-26T19:00[Europe/Berlin]", "19:00")),
            ("2026-11-26T18:31[Europe/Berlin]", ("2026-11-27T07:00[Europe/Berlin]", "07:00")),
            ("2026-11-26T19:00[Europe/Berlin]", ("2026-11-27T07:00[Europe/Berlin]", "07:00")),
            ("2026-11-26T06:30[UTC]", ("2026-11-26T07:00[UTC]", "07:00")),
        ] {
            let (until, clock) = shift_end(&now.parse().unwrap()).unwrap();
            let wanted: ZonedDateTime = end.0.parse().unwrap();
            assert_eq!((until, clock.as_str()), (wanted.timestamp().as_millisecond(), end.1), "{now}");
        }
    }
}
