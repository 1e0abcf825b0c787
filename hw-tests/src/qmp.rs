//! QEMU's own line (QEMU Machine Protocol): plugging and unplugging while the box runs. One question at a time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// How long QEMU may take to answer. A guest without KVM under load was seen to let go of a stick after 20 s.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(120);

/// A connection.
pub(crate) struct Qmp(BufReader<UnixStream>);

impl Qmp {
    /// Connects and says hello.
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        let line = UnixStream::connect(path).context("QEMU's own line")?;
        line.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        let mut qmp = Self(BufReader::new(line));
        qmp.next()?;
        qmp.ask("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Asks; events that come meanwhile are passed over.
    pub(crate) fn ask(&mut self, what: &str, arguments: &Value) -> Result<Value> {
        let question = json!({ "execute": what, "arguments": arguments });
        self.0.get_mut().write_all(format!("{question}\n").as_bytes())?;
        loop {
            let answer = self.next()?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refused {what}: {error}");
            }
            if let Some(value) = answer.get("return") {
                return Ok(value.clone());
            }
        }
    }

    /// Waits for an event about a device.
    pub(crate) fn await_event(&mut self, event: &str, device: &str) -> Result<()> {
        loop {
            let said = self.next()?;
            if said["event"] == event && said["data"]["device"] == device {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.0.read_line(&mut line).context("QEMU says nothing")?;
        serde_json::from_str(&line).context("QEMU said something odd")
    }
}
