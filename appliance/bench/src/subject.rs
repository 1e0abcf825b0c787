//! What is measured: a server in processes of its own, and how to get a connection to it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::appliance::Started;
use crate::line::{FloorHouse, Line, WardlineHouse, XmppHouse};
use crate::meter;
use crate::shape::Shape;

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The floor.
    Floor,
    /// A box, of the program at this path: this very one, or one built with something off.
    Box(PathBuf),
    /// ejabberd, which the program at this path starts.
    Ejabberd(PathBuf),
}

/// A running server.
pub(crate) struct Subject {
    house: House,
    door: Door,
    processes: Vec<u32>,
    child: Child,
    // Dropped first: the child ends when its standard input does.
    stdin: Option<ChildStdin>,
    directory: Directory,
}

/// Its clients: sockets of their own, and all devices.
pub(crate) enum House {
    Floor(FloorHouse),
    Box(Box<WardlineHouse>),
    Ejabberd(XmppHouse),
}

/// What it takes to make clients.
struct Door {
    kind: Kind,
    started: Started,
    shape: Shape,
    receipts: bool,
}

impl Door {
    fn house(&self) -> Result<House> {
        let (address, trust) = (self.started.address, &self.started.trust);
        Ok(match &self.started.world {
            None if matches!(self.kind, Kind::Ejabberd(_)) => {
                House::Ejabberd(XmppHouse::new(address, trust, self.shape.clone())?)
            }
            None => House::Floor(FloorHouse::new(address, trust, self.shape.clone())?),
            Some(world) => {
                let world = serde_json::from_slice(&std::fs::read(world)?)?;
                let root = trust.as_slice().try_into()?;
                House::Box(Box::new(WardlineHouse::new(address, root, &world, self.receipts)?))
            }
        })
    }
}

impl House {
    /// A connection of somebody's, signed in and caught up.
    pub(crate) async fn connect(&self, who: usize) -> Result<Line> {
        match self {
            Self::Floor(house) => house.connect(who).await,
            Self::Box(house) => house.connect(who).await,
            Self::Ejabberd(house) => house.connect(who).await,
        }
    }
}

enum Directory {
    Kept(PathBuf),
    Temporary(TempDir),
}

/// How to start one.
pub(crate) struct Setup<'a> {
    /// Which.
    pub(crate) kind: &'a Kind,
    /// Who is there.
    pub(crate) shape: &'a Shape,
    /// Where it keeps what it keeps; a new directory when none is given.
    pub(crate) directory: Option<&'a Path>,
    /// Messages to seed beyond the shape's.
    pub(crate) history: u64,
    /// Whether devices confirm what was delivered.
    pub(crate) receipts: bool,
}

impl Subject {
    /// Starts it.
    pub(crate) fn start(setup: &Setup<'_>) -> Result<Self> {
        let directory = match setup.directory {
            Some(path) => Directory::Kept(path.to_owned()),
            None => Directory::Temporary(tempfile::Builder::new().prefix("wardline-bench-").tempdir()?),
        };
        let itself = std::env::current_exe()?;
        let (program, name) = match setup.kind {
            Kind::Floor => (&itself, "floor"),
            Kind::Box(program) => (program, "box"),
            Kind::Ejabberd(program) => (program, "ejabberd"),
        };
        let mut child = Command::new(program)
            .arg(name)
            .arg("--shape")
            .arg(serde_json::to_string(setup.shape)?)
            .arg("--directory")
            .arg(directory.path())
            .args(["--history", &setup.history.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let started: Started =
            serde_json::from_str(&line).with_context(|| format!("the {name} did not start"))?;
        let processes = started.processes.clone();
        let (kind, shape, receipts) = (setup.kind.clone(), setup.shape.clone(), setup.receipts);
        let door = Door { kind, started, shape, receipts };
        let house = door.house()?;
        Ok(Self { house, door, processes, child, stdin, directory })
    }

    /// A connection of somebody's, signed in and caught up.
    pub(crate) async fn connect(&self, who: usize) -> Result<Line> {
        self.house.connect(who).await
    }

    /// The same people once more, with sockets of the runtime that calls: for those whom the rest of the load must not
    /// hold up.
    pub(crate) fn apart(&self) -> Result<House> {
        self.door.house()
    }

    /// Processor time of the server so far.
    pub(crate) fn processor_time(&self) -> Duration {
        meter::processor_time(&self.processes)
    }

    /// Resident memory of the process that holds the connections.
    pub(crate) fn resident(&self) -> Result<u64> {
        meter::resident(self.process())
    }

    /// The process that holds the connections.
    pub(crate) fn process(&self) -> u32 {
        self.processes[0]
    }

    /// Where it keeps what it keeps.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The box's house, where the subject is one.
    pub(crate) fn wardline(&self) -> Option<&WardlineHouse> {
        match &self.house {
            House::Box(house) => Some(house),
            House::Floor(_) | House::Ejabberd(_) => None,
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            let _ = stdin.flush();
        }
        let _ = self.child.wait();
    }
}

impl Directory {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }
}
