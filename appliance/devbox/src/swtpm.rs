//! A software TPM with the state of a box that has booted.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::process::{Process, ProcessError};

/// Pairs of ports that are tried.
const TRIES: u32 = 20;

/// A running swtpm.
pub struct Swtpm {
    process: Process,
    port: u16,
}

impl Swtpm {
    /// Powers one on with its state in `directory`, and measures a boot into it as firmware, boot loader and volume
    /// unlocking would: PCR 7, 11 and 15 (TCG PC Client Platform Firmware Profile, 3.3.4; systemd's PCR 15).
    pub fn power_on(directory: &Path) -> Result<Self, ProcessError> {
        let start = |source| ProcessError::Start { name: "swtpm", source };
        let state = directory.join("tpm");
        std::fs::create_dir_all(&state).map_err(start)?;
        // A relative state directory puts swtpm's TPM into failure mode.
        let state = state.canonicalize().map_err(start)?;
        let pid_file = state.join("pid");
        let log = directory.join("swtpm.log");
        let mut tries = 0;
        let (process, port) = loop {
            let (port, control) = free_pair().map_err(start)?;
            let _ = std::fs::remove_file(&pid_file);
            let args = [
                "socket".to_owned(),
                "--tpm2".to_owned(),
                "--flags".to_owned(),
                "not-need-init,startup-clear".to_owned(),
                "--tpmstate".to_owned(),
                format!("dir={}", state.display()),
                "--server".to_owned(),
                format!("type=tcp,port={port},bindaddr=127.0.0.1"),
                "--ctrl".to_owned(),
                format!("type=tcp,port={control},bindaddr=127.0.0.1"),
                "--pid".to_owned(),
                format!("file={}", pid_file.display()),
            ];
            let mut process = Process::start("swtpm", Path::new("swtpm"), &args, &log)?;
            // It writes its number once both ports are its own. That something answers on a port proves nothing: it
            // may be another box's TPM. When somebody took a port meanwhile it ends, and other ports are tried.
            let own = process.pid().to_string();
            let ready = process.await_ready(Duration::from_secs(10), || {
                std::fs::read_to_string(&pid_file).is_ok_and(|written| written.trim() == own)
            });
            match ready {
                Ok(()) => break (process, port),
                Err(ProcessError::Ended { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        };
        for (pcr, value) in [(7, 0x77), (11, 0x11), (15, 0x15)] {
            extend(port, pcr, [value; 32]).map_err(start)?;
        }
        Ok(Self { process, port })
    }

    /// For `wardline-keeper --tpm`.
    pub fn address(&self) -> String {
        format!("swtpm:host=127.0.0.1,port={}", self.port)
    }

    /// Transient objects and sessions that are loaded. Only while no keeper is connected: it serves one at a time.
    pub fn loaded(&self) -> io::Result<(u32, u32)> {
        Ok((handles(self.port, 0x8000_0000)?, handles(self.port, 0x0200_0000)?))
    }

    /// Cuts its power.
    pub fn power_off(&mut self) {
        self.process.kill();
    }
}

/// Two free ports side by side, as the TPM library wants them. Looked for below the range that the system hands out for
/// connections (Linux: 32768 and up), where the second one is often somebody's; from a place of this process's own, so that
/// boxes that start together seldom want the same.
fn free_pair() -> io::Result<(u16, u16)> {
    const FIRST: u32 = 20_000;
    const PAIRS: u32 = 5_000;
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    for offset in 0..PAIRS {
        let pair = std::process::id().wrapping_mul(7).wrapping_add(offset) % PAIRS;
        let Ok(port) = u16::try_from(FIRST + 2 * pair) else { continue };
        if is_free(port).is_ok_and(|_held| is_free(port + 1).is_ok()) {
            return Ok((port, port + 1));
        }
    }
    Err(io::Error::other("no two free ports side by side between 20000 and 29999: end what holds them"))
}

/// TPM2_PCR_Extend with an empty password into the SHA-256 bank (TPM 2.0 Part 3, 22.2).
fn extend(port: u16, pcr: u8, value: [u8; 32]) -> io::Result<()> {
    let mut command = vec![0x80, 0x02, 0, 0, 0, 65, 0, 0, 0x01, 0x82, 0, 0, 0, pcr];
    command.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x0B]);
    command.extend(value);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(&command)?;
    let mut head = [0; 10];
    stream.read_exact(&mut head)?;
    let code = u32::from_be_bytes([head[6], head[7], head[8], head[9]]);
    if code == 0 { Ok(()) } else { Err(io::Error::other(format!("TPM2_PCR_Extend answered {code:#x}"))) }
}

/// How many handles there are from this one on (TPM2_GetCapability, TPM_CAP_HANDLES; TPM 2.0 Part 3, 30.2).
fn handles(port: u16, first: u32) -> io::Result<u32> {
    let mut command = vec![0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 1];
    command.extend(first.to_be_bytes());
    command.extend(64u32.to_be_bytes());
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(&command)?;
    // Head, whether there is more, which capability, how many.
    let mut answer = [0; 10 + 1 + 4 + 4];
    stream.read_exact(&mut answer)?;
    let number = |at: usize| u32::from_be_bytes([answer[at], answer[at + 1], answer[at + 2], answer[at + 3]]);
    match number(6) {
        0 => Ok(number(15)),
        code => Err(io::Error::other(format!("TPM2_GetCapability answered {code:#x}"))),
    }
}
