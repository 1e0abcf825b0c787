//! The relay is killed at moments nobody chose while STATs escalate: each goes on where it stood, no step comes twice, the
//! station screen is reached, and nothing rings after an answer.
//!
//! `WARDLINE_STAT_KILLS` makes it long: 50 before a release.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;
use wardline_client::stat::{Priority, Reply, Stands, StatRef, Urgency};
use wardline_client::{Calls as _, Client, ConversationId, Event, Events, JoinLink, Pin, StatCalls as _};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;

use crate::support::crowd::{Dice, seed, setting};

/// Generous: the machine that runs this may be busy. Nothing here measures.
const PATIENCE: Duration = Duration::from_secs(120);
/// STATs of one round: the kill finds each at another place.
const AT_ONCE: u64 = 4;
/// Longer than a whole ladder that nobody hears: three steps, each passed over within five seconds.
const LADDER_MS: u64 = 15_000;

async fn join(devbox: &Devbox, people: &[(u64, String)], name: &str, profiles: &TempDir) -> (Client, Events) {
    let person = people.iter().find(|(_, known)| known.starts_with(name)).unwrap().0;
    let link = devbox.join_link(person).unwrap().parse::<JoinLink>().unwrap();
    let pin = Pin::choose("739154".to_owned()).unwrap();
    let client = Client::join(&link, &pin, "test phone", &profiles.path().join(name)).await.unwrap();
    let events = client.events().unwrap();
    (client, events)
}

/// What somebody was told of each STAT.
#[derive(Default)]
struct Told {
    /// Step and since when, in order, each once.
    steps: BTreeMap<StatRef, Vec<(u32, i64)>>,
    stands: BTreeMap<StatRef, Stands>,
    at_stations: u64,
}

impl Told {
    fn hear(&mut self, event: &Event) {
        let Event::Escalation(told) = event else { return };
        self.stands.insert(told.stat, told.stands);
        if told.stands != Stands::Ringing {
            return;
        }
        let steps = self.steps.entry(told.stat).or_default();
        // Told again after a reconnect: the same.
        if steps.last() != Some(&(told.step, told.since)) {
            assert!(steps.last().is_none_or(|(step, _)| *step < told.step), "{steps:?}, then {told:?}");
            steps.push((told.step, told.since));
            self.at_stations += u64::from(told.step == told.steps);
        }
    }
}

async fn send(client: &Client, place: ConversationId) -> StatRef {
    let urgency = Urgency { priority: Priority::Stat, ..Urgency::default() };
    let mut tracked = client.send_urgent(place, "made up", urgency).await.unwrap();
    let accepted = timeout(PATIENCE, tracked.outcome()).await.unwrap().unwrap();
    StatRef { conversation: accepted.conversation, sequence: accepted.sequence }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stat_goes_on_where_it_stood_when_the_relay_is_killed() {
    let (kills, seed) = (setting("WARDLINE_STAT_KILLS", 1), seed());
    eprintln!("seed {seed}, {kills} kills");
    let (home, profiles, mut dice) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Dice(seed));
    let mut options = Options::local(home.path()).unwrap();
    options.relay.extend(["--idle-lock".into(), "86400".into()]);
    let mut devbox = Devbox::start(options).unwrap();
    let people = facility::seed(&mut devbox.console().unwrap()).unwrap();
    let (ben, mut bens) = join(&devbox, &people, "Ben", &profiles).await;
    let (chidi, mut chidis) = join(&devbox, &people, "Chidi", &profiles).await;
    let place = ben.open_direct(chidi.identity().person).await.unwrap().id;
    let mut answered: Vec<StatRef> = Vec::new();
    for kill in 0..kills {
        let mut told = Told::default();
        let (mut stats, mut sent) = (Vec::new(), 0);
        let killed_at = dice.below(LADDER_MS);
        let mut steps = tokio::time::interval(Duration::from_millis(LADDER_MS / 8));
        let began = tokio::time::Instant::now();
        let mut alive = true;
        // Nobody has the app open, so each ladder takes some twelve seconds.
        while told.at_stations < AT_ONCE {
            assert!(began.elapsed() < PATIENCE, "kill {kill}: {:?}", told.steps);
            tokio::select! {
                event = bens.next() => told.hear(&event.unwrap()),
                event = chidis.next() => rings_for_a_reason(&event.unwrap(), &answered),
                _ = steps.tick(), if sent < AT_ONCE => {
                    stats.push(send(&ben, place).await);
                    sent += 1;
                }
                () = tokio::time::sleep_until(began + Duration::from_millis(killed_at)), if alive => {
                    devbox.kill_relay();
                    tokio::task::block_in_place(|| devbox.start_relay()).unwrap();
                    alive = false;
                }
            }
        }
        for stat in stats {
            let silent = async {
                answer(&chidi, stat).await;
                // What rang before is behind this.
                loop {
                    let event = chidis.next().await.unwrap();
                    rings_for_a_reason(&event, &answered);
                    if matches!(event, Event::Silence(silent, _) if silent == stat) {
                        return;
                    }
                }
            };
            timeout(PATIENCE, silent).await.unwrap();
            answered.push(stat);
        }
    }
    // Nothing of them rings any more, on a box that starts anew either.
    devbox.kill_relay();
    tokio::task::block_in_place(|| devbox.start_relay()).unwrap();
    let again = async {
        loop {
            let event = chidis.next().await.unwrap();
            rings_for_a_reason(&event, &answered);
            if matches!(event, Event::CaughtUp) {
                return;
            }
        }
    };
    timeout(PATIENCE, again).await.unwrap();
    devbox.stop();
}

/// As often as the box is away while it is said.
async fn answer(client: &Client, stat: StatRef) {
    while client.answer_stat(stat, Reply::Accept).await.is_err() {
        let _ = client.ready().await;
    }
}

fn rings_for_a_reason(event: &Event, answered: &[StatRef]) {
    if let Event::Ring(ring) = event {
        let over = answered.contains(&ring.stat) && ring.stands != Stands::Accepted;
        assert!(!over, "{ring:?} rings after an answer");
    }
}
