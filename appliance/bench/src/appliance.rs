//! The `box` subcommand: one whole box (swtpm, keeper, relay) with a seeded world, until standard input ends.
//!
//! A process of its own, so that a box with one thing off is the same program built from a tree with that thing off.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use wardline_devbox::devbox::{Devbox, Options};

use crate::seed::{Seeder, World};
use crate::shape::Shape;

/// Options of every measured relay. Seeded sessions have no PIN that anybody could type, so they must not lock.
const RELAY: [&str; 4] = ["--idle-lock", "86400", "--log", "warn"];

/// What a started box says of itself, as one line of JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Started {
    /// Where devices reach it.
    pub(crate) address: std::net::SocketAddr,
    /// SHA-256 of the facility root, or the floor's certificate.
    pub(crate) trust: Vec<u8>,
    /// The relay's process, and the keeper's.
    pub(crate) processes: Vec<u32>,
    /// The file that holds the [`World`].
    pub(crate) world: Option<PathBuf>,
}

/// Says it.
pub(crate) fn announce(started: &Started) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(started)?)?;
    Ok(out.flush()?)
}

/// Starts a box in `directory`, new or kept from earlier, with `history` messages more, and keeps it until standard input
/// ends.
pub(crate) async fn run(shape: &Shape, directory: &Path, history: u64) -> Result<()> {
    let (devbox, started) = start(shape, directory, history).await?;
    announce(&started)?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    devbox.stop();
    Ok(())
}

/// Starts it in this process's care.
pub(crate) async fn start(shape: &Shape, directory: &Path, history: u64) -> Result<(Devbox, Started)> {
    let mut options = Options::local(directory)?;
    options.relay = RELAY.map(str::to_owned).to_vec();
    let world_file = directory.join("world.json");
    let mut devbox = Devbox::start(options)?;
    let mut world = match std::fs::read(&world_file) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => World::default(),
    };
    if world.devices.is_empty() || history > 0 {
        devbox.kill_relay();
        let mut seeder = Seeder::open(&devbox.keeper_socket(), &devbox.data()).await?;
        if world.devices.is_empty() {
            world = seeder.world(shape).await?;
        }
        if history > 0 {
            seeder.history(shape, &mut world, history).await?;
        }
        seeder.close().await?;
        std::fs::write(&world_file, serde_json::to_vec(&world)?)?;
        devbox.start_relay()?;
    }
    let (relay, keeper) = devbox.pids();
    let started = Started {
        address: devbox.address(),
        trust: devbox.root_sha256().to_vec(),
        processes: vec![relay.context("no relay")?, keeper.context("no keeper")?],
        world: Some(world_file),
    };
    Ok((devbox, started))
}
