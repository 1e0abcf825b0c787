//! The relay's boot, on one screen: each step needs what only the step before makes.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use wardline_core::cursor::Cursors;
use wardline_core::input::Input;
use wardline_core::relay::Relay;
use wardline_core::time::Mono;
use wardline_relay::alarms;
use wardline_relay::attachments::Attachments;
use wardline_relay::bell::Bell;
use wardline_relay::catchup::Library;
use wardline_relay::clock::Clock;
use wardline_relay::config::{Config, Zones};
use wardline_relay::disk::{self, Disk, OPEN_MIN};
use wardline_relay::driver::{Command, Driver, Ended, INPUTS_MAX};
use wardline_relay::front::certificates::Certificates;
use wardline_relay::front::connection::{Context, facility};
use wardline_relay::front::health::{Sources, Steps};
use wardline_relay::front::local;
use wardline_relay::front::names::Names;
use wardline_relay::front::quic::{self, SourceLimit};
use wardline_relay::front::trust::RootFiles;
use wardline_relay::front::web;
use wardline_relay::hardening;
use wardline_relay::intake::Intake;
use wardline_relay::keeper::Keeper;
use wardline_relay::keyring::{BoxKeys, Keyring};
use wardline_relay::logging;
use wardline_relay::metrics::{self, Metrics};
use wardline_relay::nightly;
use wardline_relay::renewal;
use wardline_relay::search::{self, Search};
use wardline_relay::store::{Store, StoreKey};
use wardline_relay::watchdog::Watchdog;

/// How long a keeper may take to start before the relay gives up and is started again.
const KEEPER_PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let config = Config::parse();
    logging::start(&config.log);
    match boot(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn boot(config: Config) -> Result<()> {
    hardening::for_this_user_alone();
    hardening::no_core_files().context("forbidding core files")?;
    hardening::no_swap();
    std::fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
    let sockets = [&config.local, &config.metrics].map(|socket| socket.parent().unwrap_or(socket));
    let confined = hardening::confine(&config.data, &sockets, config.listen.port())
        .context("confining the relay to its own files")?;
    tracing::info!(landlock = ?confined, "confined to its own files");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(config))
}

async fn run(config: Config) -> Result<()> {
    let keeper = Keeper::connect(&config.keeper, KEEPER_PATIENCE).with_context(|| {
        format!("no keeper answers at {}: start wardline-keeper", config.keeper.display())
    })?;
    let (keeper, keys, leaves) = tokio::task::spawn_blocking(move || {
        let mut keeper = keeper;
        let database_key = keeper.database_key()?;
        let leaves = keeper.leaves()?;
        let keys = BoxKeys::derive(database_key.expose())?;
        anyhow::Ok((keeper, keys, leaves))
    })
    .await?
    .context("the keeper does not release this box's keys")?;

    let _claim = disk::claim(&config.data)?;
    let mut disk = Disk::new(&config.data);
    wait_for_room(&mut disk).await?;
    let key = StoreKey::new(*keys.store);
    let (store, restored) = Store::open(&config.data.join("wardline.db"), &key).await?;
    let clock = Clock::start();
    let relay = Relay::new(clock.now(), config.policy(facility(&leaves)), &keys.cursor, restored)?;

    let metrics = Arc::new(Metrics::default());
    let keyring = Arc::new(Keyring::new(&keys)?);
    let files = config.data.join("attachments");
    let files = Attachments::open(files.clone()).with_context(|| format!("making {}", files.display()))?;
    let library = Arc::new(Library {
        readers: store.readers(),
        keyring,
        cursors: Cursors::new(&keys.cursor),
        search: Search::default(),
        files: Arc::new(files),
    });
    let keeper = Keeper::start(config.keeper.clone(), keeper)?;
    let (commands, inbox) = mpsc::channel(INPUTS_MAX);
    let context =
        Context::new(commands.clone(), Arc::clone(&library), keeper.clone(), Arc::clone(&metrics), &leaves);
    let context = Arc::new(context);

    let bell = config.bell.clone().map(|socket| Bell::start(socket, commands.downgrade()));
    let certificates = Arc::new(Certificates::new(&leaves)?);
    let quic = quic::open(config.listen, Arc::clone(&certificates), &keys.reset)?;
    let endpoint = quic.endpoint.clone();
    let limit = SourceLimit { per_second: config.source_rate, burst: config.source_burst };
    let zones = Arc::new(Zones::new(config.zone.clone()));
    let root = leaves.current.chain.last().map_or(&[][..], Vec::as_slice);
    let root = RootFiles::new(root, &config.facility);
    let directory = config.data.join("web-certificate");
    let names = Arc::new(Names::open(directory, Arc::clone(&certificates), keeper.clone()).await);
    let _ = context.names.set(Arc::clone(&names));
    let open = web::open(endpoint.local_addr()?, Arc::clone(&names), root).await?;
    let steps = Arc::new(Steps::default());
    tokio::spawn(Arc::clone(&steps).watch(clock));
    context.health.begin(Sources {
        data: config.data.clone(),
        certificates: Arc::clone(&certificates),
        doorways: vec![endpoint.local_addr()?],
        steps,
        clock,
        files: Mutex::new(None),
        bell: bell.clone(),
    });
    tokio::spawn(alarms::run(Arc::downgrade(&context)));
    let (leaving, mut gone) = mpsc::channel(1);
    let web = web::run(open, Arc::clone(&zones), limit, Arc::clone(&context), leaving);
    let mut web = tokio::spawn(web);
    let mut quic = tokio::spawn(quic::run(quic, zones, limit, Arc::clone(&context)));
    let leaves = Arc::clone(certificates.hashes());
    tokio::spawn(renewal::run(keeper, certificates, names, Arc::clone(&metrics)));
    let place = search::Place::new(config.data.join("search.db"), keys.search.clone());
    tokio::spawn(search::Builder::new(Arc::clone(&library), Arc::clone(&metrics), place).run());
    tokio::spawn(Attachments::sweep(Arc::clone(&library)));
    tokio::spawn(nightly::run(store.readers(), Arc::clone(&metrics), config.check_hour));
    let (local_path, users) = (config.local.clone(), config.local_users());
    let mut local = tokio::spawn(async move { local::run(&local_path, users, context).await });
    let (metrics_path, numbers) = (config.metrics.clone(), Arc::clone(&metrics));
    let mut scraped = tokio::spawn(async move { metrics::serve(&metrics_path, numbers).await });
    tokio::spawn(drain_on_signal(commands.clone()));

    let driver = Driver {
        relay,
        store,
        library,
        disk,
        metrics,
        scrub_due: Some(Mono(0)),
        clock,
        intake: Intake::new(inbox),
        commands: commands.downgrade(),
        aged_looks: Arc::new(Semaphore::new(1)),
        leaves,
        bell,
        watchdog: Watchdog::asked_for(),
    };
    let address = endpoint.local_addr()?;
    tracing::info!(%address, "ready");
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status("answering")]);
    let ended = tokio::select! {
        ended = driver.run() => ended,
        failed = &mut local => return Err(failed?.err().map_or_else(|| anyhow::anyhow!("ended"), Into::into))
            .with_context(|| format!("the local socket {}", config.local.display())),
        failed = &mut scraped => return Err(failed?.err().map_or_else(|| anyhow::anyhow!("ended"), Into::into))
            .with_context(|| format!("the metrics socket {}", config.metrics.display())),
        // Nobody else closes the endpoint before the driver is done: without its doorway the box is of no use.
        failed = &mut quic => return failed.map_err(Into::into).and(Err(anyhow::anyhow!("ended")))
            .context("the QUIC doorway"),
        failed = &mut web => return failed.map_err(Into::into).and(Err(anyhow::anyhow!("ended")))
            .context("the browser's doorway"),
    };
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    match ended {
        Ended::Drained => {
            // Everybody was told; what they were told is given a moment to arrive.
            web.abort();
            let left = async { tokio::join!(endpoint.wait_idle(), gone.recv()) };
            let _ = tokio::time::timeout(Duration::from_secs(2), left).await;
            Ok(())
        }
        failed @ Ended::NotCommitted(_) => Err(failed.into()),
    }
}

/// With not even room to open the store, nothing is served; devices keep what they have to say.
async fn wait_for_room(disk: &mut Disk) -> Result<()> {
    while disk.tend().context("looking at the disk")? < OPEN_MIN {
        tracing::error!(
            "the disk is full: nothing is served until there is room. Free space on the state volume."
        );
        // As often as this says that it waits, systemd waits ten seconds longer for the start (sd_notify(3)).
        let patience = NotifyState::ExtendTimeoutUsec(10_000_000);
        let _ = sd_notify::notify(&[NotifyState::Status("DISK FULL: waiting for room"), patience]);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn drain_on_signal(commands: mpsc::Sender<Command>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    let _ = commands.send(Command::Input(Input::Drain)).await;
}
