//! The table: what a box promises, and the story that would break it.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::laptop::Laptop;
use crate::qemu::{Qemu, Tools};
use crate::stick::Stick;
use crate::test_box::{BOOT_TIME_MAX, TestBox as _};

/// One row.
pub struct Row {
    /// What it is called on the command line, in logs and in the table.
    pub name: &'static str,
    /// What must hold.
    pub promise: &'static str,
    /// The story.
    pub run: fn(&Tools, &str) -> Result<()>,
}

/// Every row, in the order in which they run.
pub const ROWS: &[Row] = &[
    Row {
        name: "first-boot",
        promise: "a new box boots under Secure Boot, makes its volume and asks for a stick; so it does again",
        run: first_boot,
    },
    Row {
        name: "configured",
        promise: "a stick configures it, READY; two people outside talk; after a power cut what they said is there",
        run: configured,
    },
    Row { name: "power-cut", promise: "mains cut while it runs: it comes back by itself", run: power_cut },
    Row { name: "other-tpm", promise: "a stolen disk opens with no other TPM", run: other_tpm },
    Row { name: "command-line", promise: "a command line from outside opens nothing", run: command_line },
    Row { name: "unsigned", promise: "the firmware starts nothing that is not signed", run: unsigned },
    Row {
        name: "flipped-block",
        promise: "one flipped byte of the root is noticed, and the box does not go on with it",
        run: flipped_block,
    },
];

const NEW: &str = "STATE ENROL";

fn first_boot(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.power_cut()?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.discard()
}

/// Takes a new box to READY; the first administrator's code.
fn set_up(tools: &Tools, machine: &mut Qemu, laptop: &Laptop, stick: &Stick) -> Result<String> {
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.await_line("WORDS ", BOOT_TIME_MAX)?;
    machine.plug(stick)?;
    machine.await_line("STICK DONE", BOOT_TIME_MAX)?;
    machine.unplug()?;
    let words: Vec<String> = machine
        .said()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("WORDS ")?.trim().to_owned()))
        .collect();
    let words = words.get(..2).context("eight words, in two lines")?.join(" ");
    stick.put("CONFIG.WLB", &laptop.configure(&stick.get("REQUEST.WLB")?, &words)?)?;
    machine.plug(stick)?;
    machine.await_line("STATE READY", BOOT_TIME_MAX)?;
    let code = machine.await_line("CODE ", BOOT_TIME_MAX)?;
    machine.unplug()?;
    let proved = laptop.verify(&stick.get("RECEIPT.WLB")?)?;
    ensure!(
        proved.contains(&tools.pcr11()?),
        "the chip quoted another image than the one that was calculated:\n{proved}"
    );
    Ok(code.trim().trim_start_matches("CODE ").to_owned())
}

fn configured(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    let laptop = Laptop::new(&tools.programs, &machine.directory().join("laptop"))?;
    let stick = Stick::new(tools, machine.directory().join("stick.img"))?;
    let code = set_up(tools, &mut machine, &laptop, &stick)?;
    let port = machine.port();
    laptop.join("first", &code, port)?;
    laptop.phone("first", &["admin", "add-person", "Ben Okafor", "--title", "RN"])?;
    let code = laptop.phone("first", &["admin", "code", "Ben"])?;
    laptop.join("ben", code.split_whitespace().next().unwrap_or_default(), port)?;
    laptop.phone("first", &["send", "Ben", "Bed", "4", "is", "free"])?;
    laptop.phone("ben", &["send", "Administrator", "On", "my", "way"])?;
    for _ in 0..2 {
        machine.power_cut()?;
        machine.power_on()?;
        machine.await_line("STATE READY", BOOT_TIME_MAX)?;
        let read = laptop.phone("ben", &["history", "Administrator"])?;
        ensure!(
            read.contains("Bed 4 is free") && read.contains("On my way"),
            "what was said is not there: {read}"
        );
        ensure!(!machine.said().contains("CODE "), "a box with an administrator shows no code");
    }
    machine.discard()
}

fn power_cut(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    for _ in 0..2 {
        machine.power_on()?;
        machine.await_line(NEW, BOOT_TIME_MAX)?;
        machine.power_cut()?;
    }
    // In the middle of a boot, too.
    machine.power_on()?;
    machine.await_line("BdsDxe: starting", BOOT_TIME_MAX)?;
    machine.power_cut()?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.discard()
}

fn other_tpm(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.power_cut()?;
    machine.replace_tpm()?;
    machine.power_on()?;
    stays_closed(&mut machine)?;
    machine.discard()
}

fn command_line(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.power_cut()?;
    machine.smbios("io.systemd.stub.kernel-cmdline-extra=systemd.show_status=1");
    machine.power_on()?;
    stays_closed(&mut machine)?;
    machine.discard()
}

/// It starts anew by itself, and no service of ours comes up before.
fn stays_closed(machine: &mut Qemu) -> Result<()> {
    machine.await_line("Restarting system", BOOT_TIME_MAX)?;
    ensure!(!machine.said().contains("STATE "), "services started");
    Ok(())
}

fn unsigned(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    machine.replace_boot_loader_with_unsigned()?;
    machine.power_on()?;
    machine.await_line("Access Denied", Duration::from_secs(120))?;
    ensure!(!machine.said().contains("STATE "), "something was started");
    machine.discard()
}

fn flipped_block(tools: &Tools, name: &str) -> Result<()> {
    let mut machine = Qemu::new(tools, name)?;
    machine.power_on()?;
    machine.await_line(NEW, BOOT_TIME_MAX)?;
    machine.power_cut()?;
    // The superblock, which every boot reads (erofs, 1024 bytes into the volume); a field that no check of erofs's own covers.
    let at = machine.root_begin()? + 1024 + 64;
    let mut disk = OpenOptions::new().read(true).write(true).open(machine.disk())?;
    let mut byte = [0];
    disk.seek(SeekFrom::Start(at))?;
    disk.read_exact(&mut byte)?;
    disk.seek(SeekFrom::Start(at))?;
    disk.write_all(&[byte[0] ^ 1])?;
    disk.sync_all()?;
    machine.power_on()?;
    stays_closed(&mut machine)?;
    machine.discard()
}
