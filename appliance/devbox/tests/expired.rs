//! A join code that has had its day, offered over QUIC. The relay's options begin at an hour: so here its parts are put
//! together with a policy of seconds, on a box's own store and keeper.

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use support::Fixture;
use support::pair::PIN;
use support::raw::{PATIENCE, Way, refusal, refused_as};
use tokio::sync::{Semaphore, mpsc};
use wardline_core::cursor::Cursors;
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};
use wardline_relay::attachments::Attachments;
use wardline_relay::catchup::Library;
use wardline_relay::clock::Clock;
use wardline_relay::config::Zones;
use wardline_relay::disk::Disk;
use wardline_relay::driver::Driver;
use wardline_relay::front::certificates::Certificates;
use wardline_relay::front::connection::Context;
use wardline_relay::front::local;
use wardline_relay::front::quic::{self, SourceLimit};
use wardline_relay::intake::Intake;
use wardline_relay::keeper::Keeper;
use wardline_relay::keyring::{BoxKeys, Keyring};
use wardline_relay::metrics::Metrics;
use wardline_relay::search::Search;
use wardline_relay::store::{Store, StoreKey};
use wardline_relay::watchdog::Watchdog;

/// How long a code lives here.
const LIFE: Duration = Duration::from_secs(3);

/// Where the box has its things.
struct Place {
    listen: SocketAddr,
    keeper: PathBuf,
    local: PathBuf,
    data: PathBuf,
}

/// As the relay's own `main` puts it together, but for what a test has no use for.
async fn serve(place: Place, policy: Policy) -> Result<()> {
    let path = place.keeper.clone();
    let (client, database_key, leaves) = tokio::task::spawn_blocking(move || {
        let mut client = Keeper::connect(&path, PATIENCE)?;
        let (database_key, leaves) = (client.database_key()?, client.leaves()?);
        anyhow::Ok((client, database_key, leaves))
    })
    .await??;
    let keys = BoxKeys::derive(database_key.expose())?;
    let key = StoreKey::new(*keys.store);
    let (store, restored) = Store::open(&place.data.join("wardline.db"), &key).await?;
    let clock = Clock::start();
    let relay = Relay::new(clock.now(), policy, &keys.cursor, restored)?;
    let (metrics, keyring) = (Arc::new(Metrics::default()), Arc::new(Keyring::new(&keys)?));
    let library = Arc::new(Library {
        readers: store.readers(),
        keyring,
        cursors: Cursors::new(&keys.cursor),
        search: Search::default(),
        files: Arc::new(Attachments::open(place.data.join("attachments"))?),
    });
    let keeper = Keeper::start(place.keeper, client)?;
    let (commands, inbox) = mpsc::channel(64);
    let context = Context::new(commands.clone(), Arc::clone(&library), keeper, Arc::clone(&metrics), &leaves);
    let context = Arc::new(context);
    let certificates = Arc::new(Certificates::new(&leaves)?);
    let leaves = Arc::clone(certificates.hashes());
    let quic = quic::open(place.listen, certificates, &keys.reset)?;
    let limit = SourceLimit { per_second: 100, burst: 100 };
    tokio::spawn(quic::run(quic, Arc::new(Zones::new(Vec::new())), limit, Arc::clone(&context)));
    let users = BTreeSet::from([nix::unistd::geteuid().as_raw()]);
    tokio::spawn(async move { local::run(&place.local, users, context).await });
    let disk = Disk::new(&place.data);
    let (aged_looks, watchdog) = (Arc::new(Semaphore::new(1)), Watchdog::none());
    let (commands, scrub_due) = (commands.downgrade(), None);
    let driver = Driver {
        relay,
        store,
        library,
        disk,
        metrics,
        scrub_due,
        clock,
        intake: Intake::new(inbox),
        commands,
        aged_looks,
        bell: None,
        leaves,
        watchdog,
    };
    // On a thread of its own: the test's waits for the console, which this answers.
    Err(tokio::spawn(driver.run()).await?.into())
}

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

async fn code(fixture: &Fixture, first: &str) -> Result<proto::JoinCode> {
    let person = fixture.person(first)?;
    let ask = Ask::IssueJoinCode(proto::IssueJoinCode { person });
    let answer = tokio::task::block_in_place(|| anyhow::Ok(fixture.devbox.console()?.ask(ask)?))?;
    let Answer::JoinCode(code) = answer else { anyhow::bail!("no code") };
    Ok(code)
}

async fn offered_too_late(fixture: &Fixture) -> Result<()> {
    let way = Way::new(&fixture.devbox);
    let fresh = code(fixture, "Ben").await?;
    way.join(&fresh.code, PIN).await.context("a code in its time")?;
    let late = code(fixture, "Ben").await?;
    ensure!(late.expires <= now_ms()? + i64::try_from(LIFE.as_millis())?, "it lives longer than asked for");
    support::until(PATIENCE, "the code's time is over", || Ok(now_ms()? >= late.expires)).await?;
    let mut raw = way.connect().await?;
    let (answer, _) = raw.join(&late.code, PIN, false).await?;
    refused_as(&refusal(answer)?, RefusalCode::JoinCodeInvalid)?;
    raw.closes_with(0x14).await?;
    // Nobody else is worse off for it.
    let fresh = code(fixture, "Ben").await?;
    way.join(&fresh.code, PIN).await.context("another code").map(|_| ())
}

#[test]
fn a_join_code_that_has_expired_lets_nobody_in() {
    let mut fixture = Fixture::start(&[]).expect("a box");
    fixture.devbox.kill_relay();
    let devbox = &fixture.devbox;
    let place = Place {
        listen: devbox.address(),
        keeper: devbox.keeper_socket(),
        local: devbox.local_socket(),
        data: devbox.data(),
    };
    let policy = Policy { join_code_ms: LIFE.as_millis() as u64, ..Policy::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = runtime.block_on(async {
        let serving = serve(place, policy);
        let answers = support::until(PATIENCE, "the relay answers", || Ok(fixture.devbox.console().is_ok()));
        let tried = async {
            answers.await?;
            offered_too_late(&fixture).await
        };
        tokio::select! {
            tried = tried => tried,
            ended = serving => ended.context("the relay ended"),
        }
    });
    outcome.expect("a code that came too late");
}
