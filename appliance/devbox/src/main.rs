//! `make run`: a whole box on this machine, and how to talk over it.
#![allow(clippy::print_stdout, reason = "the terminal is what this program is for")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;
use wardline_devbox::place::MadeFor;
use wardline_devbox::process::sibling;

/// A whole Wardline box on this machine, with a demo facility of a dozen made-up people.
#[derive(Parser)]
#[command(name = "wardline-devbox")]
struct Args {
    /// Where devices reach it, over UDP. As in the run before, or 127.0.0.1:4433, when not given.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A TPM: device:/dev/tpmrm0. A software TPM when not given.
    #[arg(long, value_name = "TPM")]
    tpm: Option<String>,
    /// Where everything is kept. A box on a chip has another directory than one on a software TPM.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// Forget the demo facility of earlier runs first: empties the directory, if a box made it.
    #[arg(long)]
    fresh: bool,
    /// An argument of `wardline-bell`, which then runs too: --bell=--contact=mailto:it@example.org. May be given more than once.
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    bell: Vec<String>,
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
        None => default_directory(args.tpm.is_some())?,
    };
    let before = MadeFor::read(&directory).filter(|_| !args.fresh).map(|made_for| made_for.listen);
    let listen = args.listen.or(before).unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 4433)));
    let chip = args.tpm.as_deref().unwrap_or("a software TPM (swtpm)");
    println!("Starting a box on {chip}, kept in {} …", directory.display());
    let (relay, fresh) = (Vec::new(), args.fresh);
    let (directory_of, tpm, bell) = (directory.clone(), args.tpm, args.bell);
    let options = Options { directory: directory_of, listen, tpm, relay, bell, fresh };
    // On this thread: the parts die with the thread that started them (PR_SET_PDEATHSIG, prctl(2)).
    let mut devbox = tokio::task::block_in_place(|| Devbox::start(options))?;
    let mut end = End::listen()?;
    welcome(&mut devbox, &directory)?;
    supervise(&mut devbox, &mut end).await;
    println!("\nStopping: everybody is told, nothing is lost …");
    tokio::task::block_in_place(|| devbox.stop());
    println!(
        "Stopped. The same command goes on where this ended; with --fresh (make run ARGS=--fresh) it begins anew."
    );
    Ok(())
}

fn default_directory(chip: bool) -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set: give --directory")?;
    let name = if chip { "wardline-demo-chip" } else { "wardline-demo" };
    Ok(PathBuf::from(home).join(".local/state").join(name))
}

fn welcome(devbox: &mut Devbox, directory: &Path) -> Result<()> {
    let people = facility::seed(&mut devbox.console()?)?;
    let programs = sibling("wardline")?;
    let programs = programs.parent().unwrap_or(Path::new(".")).display().to_string();
    println!(
        "\n{} is up: {} people, listening on UDP and TCP {}.",
        facility::NAME,
        people.len(),
        devbox.address()
    );
    println!("\nJoin as two of them, each in a terminal of its own. In both, first:\n");
    println!("  export PATH={}:$PATH", shell_word(&programs));
    for (name, other) in [("Ana Flores", "Ben"), ("Ben Okafor", "Ana")] {
        let (id, _) =
            people.iter().find(|(_, known)| known == name).context("the demo facility is incomplete")?;
        let first = name.split(' ').next().unwrap_or(name);
        let profile = directory.join("devices").join(first.to_lowercase());
        let joined = profile.join("profile.json").exists();
        let profile = shell_word(&in_home(&profile));
        println!("\n  # {name}{}", if joined { ", who joined in an earlier run" } else { "" });
        if !joined {
            println!("  wardline --profile {profile} join '{}'", devbox.join_link(*id)?);
        }
        println!("  wardline --profile {profile} chat {other}");
    }
    println!(
        "\nThe app: https://{}/ in a browser that trusts the facility root, which is",
        devbox.reached_at()
    );
    println!("  {}", in_home(&directory.join("facility/facility-root.crt.der")));
    println!("It asks for the ten characters behind `code=` in a join link.");
    println!("\nA join link for somebody else:");
    println!(
        "  wardline admin --socket {} code Chidi --address {} --root {}",
        shell_word(&in_home(&devbox.local_socket())),
        devbox.reached_at(),
        devbox.root_sha256().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    println!("A shift in a made-up unit of forty beds, played against this box:");
    println!("  wardline demo --socket {}", shell_word(&in_home(&devbox.local_socket())));
    println!("Metrics:");
    println!("  curl --unix-socket {} http://box/metrics", shell_word(&in_home(&devbox.metrics_socket())));
    println!("Logs:");
    println!("  {}/{{relay,keeper,swtpm}}.log", in_home(directory));
    let (relay, keeper) = devbox.pids();
    println!("Processes: relay {}, keeper {}.", number(relay), number(keeper));
    if let Some(before) = devbox.moved_from().filter(|_| directory.join("devices").exists()) {
        println!(
            "\nDevices that joined earlier look for it at {before}: start it with --listen {before} for them."
        );
    }
    println!("\nCtrl-C stops the box.");
    Ok(())
}

fn number(pid: Option<u32>) -> String {
    pid.map_or_else(|| "(ended)".to_owned(), |pid| pid.to_string())
}

/// A path as a shell takes it, and as short as can be: below the home directory it begins with `~`.
fn in_home(path: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

/// In quotes where a shell would take it apart; a `~` at the beginning stays outside of them.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c);
    let (home, rest) = text.strip_prefix("~/").map_or(("", text), |rest| ("~/", rest));
    if rest.chars().all(plain) {
        return text.to_owned();
    }
    format!("{home}'{}'", rest.replace('\'', "'\\''"))
}

/// What ends the box: Ctrl-C, SIGTERM, and SIGHUP when its terminal closes. Listening begins before anything else, so
/// that a signal which comes while a part is being started again is found afterwards.
struct End([Signal; 3]);

impl End {
    fn listen() -> Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn came(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Until it is to end: what ends by itself is started again, as systemd does on the appliance.
async fn supervise(devbox: &mut Devbox, end: &mut End) {
    loop {
        tokio::select! {
            () = end.came() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        let (relay, keeper) = devbox.pids();
        let ended = match (relay, keeper) {
            (Some(_), Some(_)) => continue,
            (None, Some(_)) => "The relay",
            (Some(_), None) => "The keeper",
            (None, None) => "Relay and keeper",
        };
        println!("{ended} ended; starting again, as the appliance does …");
        match tokio::task::block_in_place(|| devbox.mend()) {
            Ok(()) => {
                let (relay, keeper) = devbox.pids();
                println!("Up again: relay {}, keeper {}.", number(relay), number(keeper));
            }
            Err(error) => println!("It does not start: {error:#}. Trying again."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_pasted() {
        assert_eq!(shell_word("/opt/a-b_c.d"), "/opt/a-b_c.d");
        assert_eq!(shell_word("~/a b/it's"), "~/'a b/it'\\''s'");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
    }
}
