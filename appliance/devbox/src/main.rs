//! `make run`: a whole box on this machine, and how to talk over it.
#![allow(clippy::print_stdout, reason = "the terminal is what this program is for")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;
use wardline_devbox::process::sibling;

/// A whole Wardline box on this machine, with a demo facility of a dozen made-up people.
#[derive(Parser)]
#[command(name = "wardline-devbox")]
struct Args {
    /// Where devices reach it, over UDP.
    #[arg(long, default_value = "127.0.0.1:4433", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// A TPM: device:/dev/tpmrm0. A software TPM when not given.
    #[arg(long, value_name = "TPM")]
    tpm: Option<String>,
    /// Where everything is kept.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// Forget the demo facility of earlier runs first.
    #[arg(long)]
    fresh: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // In words: a backtrace helps nobody who types `make run`.
            println!("\nThe box does not run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let directory = match args.directory {
        Some(directory) => directory,
        None => default_directory()?,
    };
    if args.fresh && directory.exists() {
        std::fs::remove_dir_all(&directory).with_context(|| format!("removing {}", directory.display()))?;
    }
    let chip = args.tpm.as_deref().unwrap_or("a software TPM (swtpm)");
    println!("Starting a box on {chip}, kept in {} …", directory.display());
    let options =
        Options { directory: directory.clone(), listen: args.listen, tpm: args.tpm, relay: Vec::new() };
    // On this thread: the parts die with the thread that started them (PR_SET_PDEATHSIG, prctl(2)).
    let mut devbox = tokio::task::block_in_place(|| Devbox::start(options))?;
    welcome(&devbox, &directory)?;
    supervise(&mut devbox).await?;
    println!("\nStopping: everybody is told, nothing is lost …");
    tokio::task::block_in_place(|| devbox.stop());
    println!("Stopped. `make run` goes on where this ended; `make run ARGS=--fresh` begins anew.");
    Ok(())
}

fn default_directory() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set: give --directory")?;
    Ok(PathBuf::from(home).join(".local/state/wardline-demo"))
}

fn welcome(devbox: &Devbox, directory: &std::path::Path) -> Result<()> {
    let people = facility::seed(&mut devbox.console()?)?;
    let wardline = sibling("wardline")?;
    let wardline = wardline.display();
    println!("\n{} is up: {} people, listening on UDP {}.", facility::NAME, people.len(), devbox.address());
    println!(
        "Join as two of them, each in a terminal of its own (any PIN of 6 digits that is not a common one):\n"
    );
    for (name, other) in [("Ana Flores", "Ben"), ("Ben Okafor", "Ana")] {
        let (id, _) =
            people.iter().find(|(_, known)| known == name).context("the demo facility is incomplete")?;
        let first = name.split(' ').next().unwrap_or(name);
        let profile = directory.join("devices").join(first.to_lowercase());
        let profile = profile.display();
        println!("  # {name}");
        if std::path::Path::new(&profile.to_string()).exists() {
            println!("  {wardline} --profile {profile} chat {other}        # joined in an earlier run\n");
        } else {
            println!("  {wardline} --profile {profile} join '{}'", devbox.join_link(*id)?);
            println!("  {wardline} --profile {profile} chat {other}\n");
        }
    }
    println!("More people:  {wardline} admin --socket {} code \"Chidi\"", devbox.local_socket().display());
    println!("Metrics:      curl --unix-socket {} http://box/metrics", devbox.metrics_socket().display());
    println!("Logs:         {}/{{relay,keeper,swtpm}}.log", directory.display());
    println!("\nCtrl-C stops the box.");
    Ok(())
}

/// Until Ctrl-C: what ends by itself is started again, as systemd does on the appliance.
async fn supervise(devbox: &mut Devbox) -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            _ = terminate.recv() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if !devbox.is_whole() {
            println!("A part of the box ended; starting it again …");
            if let Err(error) = tokio::task::block_in_place(|| devbox.mend()) {
                println!("It does not start: {error:#}. Trying again.");
            }
        }
    }
}
