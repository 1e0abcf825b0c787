//! What a process costs: processor time and memory, as the kernel counts them (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::SysconfVar;

use crate::stats::Latencies;

/// Processor time of these processes and of all their children, those that have ended included.
pub(crate) fn processor_time(roots: &[u32]) -> Duration {
    let all = processes();
    let mut due: Vec<u32> = roots.to_vec();
    let mut ticks = 0;
    while let Some(pid) = due.pop() {
        let Some(process) = all.get(&pid) else { continue };
        ticks += process.ticks;
        due.extend(all.iter().filter(|(_, other)| other.parent == pid).map(|(child, _)| *child));
    }
    let a_second = nix::unistd::sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    Duration::from_secs_f64(ticks as f64 / a_second as f64)
}

struct Process {
    parent: u32,
    /// Own time in user and kernel mode, and that of children which were waited for.
    ticks: u64,
}

fn processes() -> BTreeMap<u32, Process> {
    let Ok(directory) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = directory.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
    })
}

/// Processor time of this process: that of the load.
pub(crate) fn own_processor_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    [usage.user_time(), usage.system_time()]
        .into_iter()
        .map(|time| {
            Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0))
        })
        .sum()
}

/// Resident memory of a process in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    field(pid, "VmRSS:")
}

fn field(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

/// Open descriptors of a process.
pub(crate) fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// UDP datagrams that the machine dropped because a socket's buffer was full, since it started.
pub(crate) fn receive_buffer_overflows() -> u64 {
    let Ok(snmp) = fs::read_to_string("/proc/net/snmp") else { return 0 };
    let mut udp = snmp.lines().filter_map(|line| line.strip_prefix("Udp:")).map(str::split_whitespace);
    let (Some(mut names), Some(values)) = (udp.next(), udp.next()) else { return 0 };
    let Some(at) = names.position(|name| name == "RcvbufErrors") else { return 0 };
    values.into_iter().nth(at).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// How long this disk takes to flush 4 KiB that were appended, for so long.
pub(crate) fn flushes(directory: &Path, span: Duration) -> Result<Latencies> {
    let mut file = tempfile::tempfile_in(directory)?;
    let (began, block) = (Instant::now(), [7; 4096]);
    let mut latencies = Latencies::default();
    while began.elapsed() < span {
        let at = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        latencies.add(at.elapsed());
    }
    Ok(latencies)
}

/// Progress, for whoever waits: standard output is for the result.
pub(crate) fn tell(what: &str) {
    #[allow(clippy::print_stderr, reason = "a run takes many minutes")]
    {
        eprintln!("bench: {what}");
    }
}
