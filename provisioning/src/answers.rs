//! The eight answers: what each is called, what it asks, how it is read, and how it is written.
//!
//! A question on a terminal and a flag on a command line are the same answer: one table, [`QUESTIONS`]. An answer is text until
//! [`Answers::read`] has made values of all eight; none is used before.

use crate::bundle::configuration::{Addressing, PLACES_MAX, PORTS_MAX, Place, Port, Zones, agree, is_sound};
use crate::bundle::network::{Destination, HostAddress, HostInNetwork, PortName};
use crate::bundle::values::{DnsName, TimeZone};
use crate::bundle::{BadValue, Configuration, List, NoList};

/// How many there are.
pub const COUNT: usize = 8;

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The flag's name, without its dashes.
    pub flag: &'static str,
    /// A word for it.
    pub title: &'static str,
    /// What is asked, in one or two lines of 76 characters.
    pub asks: &'static str,
    /// A good answer.
    pub example: &'static str,
    /// Whether `none` is an answer.
    pub may_be_none: bool,
}

/// The eight, in the order in which they are asked.
pub const QUESTIONS: [Question; COUNT] = [
    Question {
        flag: "name",
        title: "Name",
        asks: "Which DNS name reaches this box? More than one, with blanks between.",
        example: "wardline.st-example.org",
        may_be_none: false,
    },
    Question {
        flag: "address",
        title: "Address",
        asks: "Which address does it have? `dhcp` before it when your DHCP server gives it\nthis one always.",
        example: "10.2.0.5/16 via 10.2.0.1",
        may_be_none: false,
    },
    Question {
        flag: "dns",
        title: "Name servers",
        asks: "Which DNS servers may it ask? Addresses, four at most.",
        example: "10.2.0.2 10.2.0.3",
        may_be_none: true,
    },
    Question {
        flag: "time",
        title: "Time servers",
        asks: "Which time servers (NTP) may it ask? Addresses, four at most. Without any it\ngoes by its own clock.",
        example: "10.2.0.2",
        may_be_none: true,
    },
    Question {
        flag: "time-zone",
        title: "Time zone",
        asks: "In which time zone is the facility?",
        example: "America/Chicago",
        may_be_none: false,
    },
    Question {
        flag: "admin",
        title: "Administration",
        asks: "From which networks may it be administered? From all others nobody can.\nA VLAN of its own is stronger than a range; give the box's address in it.",
        example: "10.2.9.0/24   or   vlan30=10.3.0.5/24",
        may_be_none: false,
    },
    Question {
        flag: "zones",
        title: "Other zones",
        asks: "Which networks are for guests, where staff do not sign on, and which for the\nsystems of the record? All others are the ward.",
        example: "guest=10.2.8.0/24 emr=10.2.7.0/24",
        may_be_none: true,
    },
    Question {
        flag: "destinations",
        title: "What it may reach",
        asks: "Where may it send its log, and where are directory and record? Addresses with\nports. It reaches nothing else.",
        example: "syslog=10.2.0.7:6514 directory=10.2.0.8:636 emr=10.2.0.9:2575",
        may_be_none: true,
    },
];

/// The answers as texts, in the order of [`QUESTIONS`].
pub type Texts = [String; COUNT];

/// The answers as values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Names in certificates.
    pub dns_names: List<DnsName, 1, 16>,
    /// Its address.
    pub addressing: Addressing,
    /// Name servers.
    pub dns_servers: List<HostAddress, 0, 4>,
    /// Time servers.
    pub time_servers: List<HostAddress, 0, 4>,
    /// The facility's time zone.
    pub time_zone: TimeZone,
    /// Zones.
    pub zones: Zones,
    /// Further ports.
    pub ports: List<Port, 0, 4>,
    /// Where the log goes.
    pub syslog: Option<Destination>,
    /// The directory.
    pub directory: Option<Destination>,
    /// The record.
    pub emr: Option<Destination>,
}

impl Answers {
    /// Makes values of all eight.
    ///
    /// # Errors
    /// The number of the first answer that is none, from 0, and why.
    pub fn read(texts: &Texts) -> Result<Self, (usize, BadValue)> {
        let at = |at: usize| move |bad: BadValue| (at, bad);
        let [name, address, dns, time, time_zone, admin, zones, destinations] = texts;
        let admin = places(admin, "admin").map_err(at(5))?;
        let others = places(zones, "").map_err(at(6))?;
        let ports = admin.iter().chain(&others).filter_map(|(_, _, port)| port.clone()).collect();
        let of = |zone: &str, places: &[Said]| -> Vec<Place> {
            places.iter().filter(|(name, ..)| *name == zone).map(|(_, place, _)| place.clone()).collect()
        };
        let [syslog, directory, emr] = read_destinations(destinations).map_err(at(7))?;
        let addressing = addressing(address).map_err(at(1))?;
        let zones = Zones {
            admin: whole(of("admin", &admin), 5).map_err(at(5))?,
            guest: whole(of("guest", &others), 6).map_err(at(6))?,
            emr: whole(of("emr", &others), 6).map_err(at(6))?,
            ward: whole(of("ward", &others), 6).map_err(at(6))?,
        };
        let ports: List<Port, 0, PORTS_MAX> = whole(ports, 6).map_err(at(6))?;
        // The answer at which a contradiction begins is the one that is wrong: address, administration, other zones.
        let none =
            Zones { guest: List::default(), emr: List::default(), ward: List::default(), ..zones.clone() };
        let of_admin: Vec<Port> = admin.iter().filter_map(|(_, _, port)| port.clone()).collect();
        is_sound(&addressing).map_err(at(1))?;
        agree(&addressing, &of_admin, &none).map_err(at(5))?;
        agree(&addressing, ports.as_slice(), &zones).map_err(at(6))?;
        Ok(Self {
            dns_names: list(words(name).map(str::parse), 0).map_err(at(0))?,
            addressing,
            dns_servers: list(words(dns).map(str::parse), 2).map_err(at(2))?,
            time_servers: list(words(time).map(str::parse), 3).map_err(at(3))?,
            time_zone: time_zone.trim().parse().map_err(at(4))?,
            zones,
            ports,
            syslog,
            directory,
            emr,
        })
    }

    /// Whether an answer is good after those before it, which are `texts`' first ones.
    ///
    /// # Errors
    /// [`BadValue`].
    pub fn check_next(texts: &Texts, at: usize, text: &str) -> Result<(), BadValue> {
        let mut tried = QUESTIONS.map(|question| question.example.to_string());
        tried[5] = "10.2.9.0/24".into();
        for (slot, given) in tried.iter_mut().zip(texts.iter().take(at)) {
            slot.clone_from(given);
        }
        if let Some(answer) = tried.get_mut(at) {
            *answer = text.into();
        }
        match Self::read(&tried) {
            Err((wrong, bad)) if wrong == at => Err(bad),
            _ => Ok(()),
        }
    }

    /// The answers that a configuration was made of.
    #[must_use]
    pub fn texts_of(configuration: &Configuration) -> Texts {
        let place = |place: &Place| match place {
            Place::Range(range) => range.to_string(),
            Place::Port(name) => {
                let port = configuration.ports.iter().find(|port| port.name == *name);
                port.map_or(name.to_string(), |port| format!("{name}={}", port.address))
            }
        };
        let others = configuration.zones.each().into_iter().filter(|(zone, _)| *zone != "admin").flat_map(
            |(zone, places)| {
                places.iter().map(move |one| format!("{zone}={}", place(one))).collect::<Vec<_>>()
            },
        );
        let named = [
            ("syslog", configuration.syslog),
            ("directory", configuration.directory),
            ("emr", configuration.emr),
        ];
        let destinations = named.iter().filter_map(|(name, to)| to.map(|to| format!("{name}={to}")));
        let address = match configuration.addressing {
            Addressing::Dhcp { expected } => format!("dhcp {expected}"),
            Addressing::Fixed { address, gateway: Some(gateway) } => format!("{address} via {gateway}"),
            Addressing::Fixed { address, gateway: None } => address.to_string(),
        };
        [
            joined(configuration.dns_names.iter().map(ToString::to_string)),
            address,
            joined(configuration.dns_servers.iter().map(ToString::to_string)),
            joined(configuration.time_servers.iter().map(ToString::to_string)),
            configuration.time_zone.to_string(),
            joined(configuration.zones.admin.iter().map(place)),
            joined(others),
            joined(destinations),
        ]
    }
}

/// A zone, a place, and the port that comes with it.
type Said = (&'static str, Place, Option<Port>);

/// Blanks and commas stand between words; `none` is no word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let text = if text.trim() == "none" { "" } else { text };
    text.split([' ', ',', '\t']).filter(|word| !word.is_empty())
}

fn joined(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "none".into() } else { words.join(" ") }
}

fn list<T: PartialEq, const MIN: usize, const MAX: usize>(
    values: impl Iterator<Item = Result<T, BadValue>>,
    at: usize,
) -> Result<List<T, MIN, MAX>, BadValue> {
    whole(values.collect::<Result<Vec<T>, _>>()?, at)
}

fn whole<T: PartialEq, const MIN: usize, const MAX: usize>(
    values: Vec<T>,
    at: usize,
) -> Result<List<T, MIN, MAX>, BadValue> {
    List::new(values).map_err(|why: NoList| {
        let why = why.to_string();
        let (first, rest) = why.split_at(1);
        BadValue::new(format!("{}{rest}", first.to_uppercase()), QUESTIONS[at].example)
    })
}

fn addressing(text: &str) -> Result<Addressing, BadValue> {
    let parts: Vec<&str> = words(text).collect();
    match parts.as_slice() {
        ["dhcp", address] => Ok(Addressing::Dhcp { expected: address.parse()? }),
        ["dhcp"] => Err(BadValue::new(
            "Certificates name the box's address, so reserve one at your DHCP server and give it too",
            "dhcp 10.2.0.5/16",
        )),
        [address] => Ok(Addressing::Fixed { address: address.parse()?, gateway: None }),
        [address, "via", gateway] => {
            let address: HostInNetwork = address.parse()?;
            Ok(Addressing::Fixed { address, gateway: Some(gateway.parse()?) })
        }
        _ => Err(BadValue::of(
            text,
            "is not an address, perhaps with `via` and a gateway",
            QUESTIONS[1].example,
        )),
    }
}

/// Words like `10.2.9.0/24` and `vlan30=10.3.0.5/24`; with a zone before them where `zone` is empty.
fn places(text: &str, zone: &'static str) -> Result<Vec<Said>, BadValue> {
    let example = if zone.is_empty() { QUESTIONS[6].example } else { "10.2.9.0/24" };
    let said: Vec<&str> = words(text).collect();
    // What any answer may hold; each zone's own bound comes after.
    if said.len() > 3 * PLACES_MAX {
        return Err(BadValue::new("That are too many networks", example));
    }
    let read = |word: &&str| {
        let (zone, place) = if zone.is_empty() {
            let (zone, place) =
                word.split_once('=').ok_or_else(|| BadValue::of(word, "names no zone", example))?;
            let known = ["guest", "emr", "ward"].into_iter().find(|known| *known == zone);
            (known.ok_or_else(|| BadValue::of(zone, "is none of guest, emr and ward", example))?, place)
        } else {
            (zone, *word)
        };
        match place.split_once('=') {
            None => Ok((zone, Place::Range(place.parse()?), None)),
            Some((name, address)) => {
                let name: PortName = name.parse()?;
                let port = Port { name: name.clone(), address: address.parse()? };
                Ok((zone, Place::Port(name), Some(port)))
            }
        }
    };
    said.iter().map(read).collect()
}

fn read_destinations(text: &str) -> Result<[Option<Destination>; 3], BadValue> {
    let mut found = [None; 3];
    for word in words(text) {
        let example = QUESTIONS[7].example;
        let (name, to) = word
            .split_once('=')
            .ok_or_else(|| BadValue::of(word, "names nothing that is reached", example))?;
        let known = ["syslog", "directory", "emr"].into_iter().position(|known| known == name);
        let slot = known
            .and_then(|at| found.get_mut(at))
            .ok_or_else(|| BadValue::of(name, "is none of syslog, directory and emr", example))?;
        if slot.is_some() {
            return Err(BadValue::of(name, "stands there twice", example));
        }
        *slot = Some(to.parse()?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
