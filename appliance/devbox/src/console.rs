//! The box's console: administration over the relay's local socket, one request at a time.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use prost::Message as _;
use thiserror::Error;
use wardline_core::limits::SERVER_FRAME_MAX;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::{self, proto};

/// Why the console has no answer.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// The relay is away.
    #[error("the relay's local socket: {0}")]
    Lost(#[from] std::io::Error),
    /// The relay says no.
    #[error("{0}")]
    Refused(String),
    /// What came is not an answer to what was asked.
    #[error("the relay answered something else")]
    Unexpected,
}

/// An open console.
pub struct Console(UnixStream);

impl Console {
    /// Connects.
    pub fn open(socket: &Path) -> Result<Self, ConsoleError> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self(stream))
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, body: Ask) -> Result<Answer, ConsoleError> {
        self.0.write_all(&wire::encode_frame(&proto::ClientFrame { request: 1, body: Some(body) }))?;
        let mut prefix = [0; wire::PREFIX];
        self.0.read_exact(&mut prefix)?;
        let length = wire::frame_length(prefix, SERVER_FRAME_MAX).map_err(|_| ConsoleError::Unexpected)?;
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        let frame = proto::ServerFrame::decode(bytes.as_slice()).map_err(|_| ConsoleError::Unexpected)?;
        match frame.body.ok_or(ConsoleError::Unexpected)? {
            Answer::Refused(refused) => Err(ConsoleError::Refused(refused.advice)),
            answer => Ok(answer),
        }
    }

    /// Everybody in the directory: identifier and name.
    pub fn people(&mut self) -> Result<Vec<(u64, String)>, ConsoleError> {
        let (mut people, mut after) = (Vec::new(), 0);
        loop {
            let Answer::PeoplePage(page) = self.ask(Ask::ListPeople(proto::ListPeople { after }))? else {
                return Err(ConsoleError::Unexpected);
            };
            people.extend(page.people.into_iter().map(|person| (person.person, person.name)));
            after = people.last().map_or(0, |(id, _)| *id);
            if page.end {
                return Ok(people);
            }
        }
    }

    /// A new person's identifier.
    pub fn add_person(&mut self, name: &str, title: &str, administrator: bool) -> Result<u64, ConsoleError> {
        let add = proto::AddPerson { name: name.to_owned(), title: title.to_owned(), administrator };
        match self.ask(Ask::AddPerson(add))? {
            Answer::PersonAdded(added) => Ok(added.person),
            _ => Err(ConsoleError::Unexpected),
        }
    }

    /// Every unit: identifier and name.
    pub fn units(&mut self) -> Result<Vec<(u64, String)>, ConsoleError> {
        match self.ask(Ask::ListUnits(proto::ListUnits {}))? {
            Answer::UnitList(list) => Ok(list.units.into_iter().map(|unit| (unit.unit, unit.name)).collect()),
            _ => Err(ConsoleError::Unexpected),
        }
    }

    /// A new unit's identifier.
    pub fn add_unit(&mut self, name: &str) -> Result<u64, ConsoleError> {
        match self.ask(Ask::SetUnit(proto::SetUnit { unit: 0, name: name.to_owned() }))? {
            Answer::UnitSet(set) => Ok(set.unit),
            _ => Err(ConsoleError::Unexpected),
        }
    }

    /// Says what somebody is in a unit.
    pub fn set_post(&mut self, person: u64, unit: u64, rank: proto::Rank) -> Result<(), ConsoleError> {
        match self.ask(Ask::SetPost(proto::SetPost { person, unit, rank: rank.into() }))? {
            Answer::Done(_) => Ok(()),
            _ => Err(ConsoleError::Unexpected),
        }
    }

    /// Makes somebody a privacy officer, and no administrator.
    pub fn name_privacy_officer(&mut self, person: u64) -> Result<(), ConsoleError> {
        let set = proto::SetDuties { person, administrator: false, privacy_officer: true };
        match self.ask(Ask::SetDuties(set))? {
            Answer::Done(_) => Ok(()),
            _ => Err(ConsoleError::Unexpected),
        }
    }

    /// A join code for this person.
    pub fn join_code(&mut self, person: u64) -> Result<String, ConsoleError> {
        match self.ask(Ask::IssueJoinCode(proto::IssueJoinCode { person }))? {
            Answer::JoinCode(code) => Ok(code.code),
            _ => Err(ConsoleError::Unexpected),
        }
    }
}
