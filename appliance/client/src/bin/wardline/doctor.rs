//! `wardline doctor`: whether the box can be reached from here, and if not, why and what to do next.
//!
//! ```text
//! here, probe (what is seen) -> judge (what it means: finding) -> words, report (what is said)
//! ```
//!
//! Refuses to spend a join code, to ask for a PIN, to say hello to a stranger, and to sign in while another program has the
//! profile open.

mod device;
mod finding;
mod here;
mod judge;
mod report;
#[cfg(test)]
mod tests;
mod weight;
mod words;
mod words_box;
mod words_device;
mod words_network;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use wardline_client::error::{LinkError, TrustError};
use wardline_client::link::{Address, Code};
use wardline_client::probe::{self, Belief, Greeting, Knocks, Patience, Visit};
use wardline_client::profile::{Identity, Profile};
use wardline_client::trust::Root;
use wardline_client::{Call as _, JoinLink, LocalBox};
use wardline_core::wire::proto::{self, client_frame::Body as Ask};

use crate::exit::Failure;
use crate::{Common, admin, say};
use finding::{Finding, Socket};
use report::Report;
use weight::Weight;

/// For the relay on this machine to answer.
const LOCAL_TIME_MAX: Duration = Duration::from_secs(5);

/// What to look at, and how to say it.
pub(crate) struct Wish {
    /// A join link, or HOST:PORT; the profile's box when there is none.
    pub(crate) place: Option<String>,
    pub(crate) root: Option<String>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) json: bool,
}

/// A box to look at. Holds no code.
struct Place {
    address: Address,
    server_name: String,
    root: Option<Root>,
}

pub(crate) async fn doctor(common: &Common, wish: Wish) -> Result<(), Failure> {
    let (place, device) = match &wish.place {
        Some(text) => (Some(named(text, wish.root.as_deref())?), None),
        None => profile(common, &wish)?,
    };
    let heading = match &place {
        Some(place) if place.server_name == place.address.host => format!("The box at {}", place.address),
        Some(place) => format!("The box at {}, by the name {}", place.address, place.server_name),
        None => "The box on this machine".to_owned(),
    };
    let mut report = Report::begin(wish.json, &heading)?;
    if let Some(path) = &wish.socket {
        report.found(Finding::Socket(local(path).await))?;
    }
    let welcome = match &place {
        Some(place) => reach(&mut report, place).await?,
        None => false,
    };
    if let Some(directory) = &device {
        device::look(&mut report, common, directory, welcome).await?;
    }
    report.end()
}

/// What was written where a link or an address belongs. It is never repeated: there may be a code in it.
fn named(text: &str, root: Option<&str>) -> Result<Place, Failure> {
    const HOW: &str = "Say where the box is as HOST:PORT, for instance box.example:443, or give the whole join link; its \
                       code is not used up.";
    match text.parse::<JoinLink>() {
        Ok(link) => {
            let root = root.map(admin::parse_root).transpose()?.unwrap_or(link.root);
            let (address, server_name) = (link.address, link.server_name);
            return Ok(Place { address, server_name, root: Some(Root::Pinned(root)) });
        }
        Err(LinkError::NotALink) if Code::parse(text).is_ok() => {
            return Err(Failure::Usage(format!("A code alone does not say where the box is. {HOW}")));
        }
        Err(LinkError::NotALink) => {}
        Err(damaged) => return Err(damaged.into()),
    }
    let address: Address = text.trim().parse().map_err(|_| Failure::Usage(HOW.to_owned()))?;
    let root = root.map(admin::parse_root).transpose()?.map(Root::Pinned);
    Ok(Place { server_name: address.host.clone(), address, root })
}

/// The profile's box. Without a profile, what there is to look at besides.
fn profile(common: &Common, wish: &Wish) -> Result<(Option<Place>, Option<PathBuf>), Failure> {
    let directory = common.profile()?;
    if !directory.join("profile.json").exists() {
        if wish.socket.is_some() {
            return Ok((None, None));
        }
        let none = format!("This machine has no profile in {}.", directory.display());
        let how = "Say which box to look at: wardline doctor HOST:PORT, or with a join link, whose code is not used up.";
        return Err(Failure::Usage(format!("{none} {how}")));
    }
    if wish.root.is_some() {
        let how = "--root belongs to an address: the profile knows its root.";
        return Err(Failure::Usage(how.to_owned()));
    }
    // What cannot be read is told among the checks of the device.
    let place = Profile::identity(&directory).ok().map(|Identity { address, server_name, root, .. }| Place {
        address,
        server_name,
        root: Some(Root::Known(root)),
    });
    Ok((place, Some(directory)))
}

/// The way to the box, as far as it goes; whether it said welcome.
async fn reach(report: &mut Report, place: &Place) -> Result<bool, Failure> {
    let Address { host, port } = &place.address;
    let found = say::patiently(&format!("Looking up {host} …"), probe::resolve(&place.address)).await;
    let literal = probe::is_literal(&place.address);
    report.found(Finding::Name(judge::naming(host, literal, found.as_deref().map_err(|why| *why))))?;
    let found = found.unwrap_or_default();
    let mut failed = Vec::new();
    for at in &found {
        let knocking = format!("Knocking at {} on UDP port {port} …", at.ip());
        let knocks = say::patiently(&knocking, probe::knock(*at, Patience::default())).await;
        match connect(*at, &place.server_name, &knocks).await {
            Ok(visit) => {
                // Only now is it known that these stand in nobody's way but take everybody's time.
                for at in failed {
                    report.found(Finding::Network(finding::Reach::Passed { at }))?;
                }
                return visited(report, place, *at, &knocks, visit).await;
            }
            Err(reach) if found.last() == Some(at) => report.found(Finding::Network(reach))?,
            Err(_) => failed.push(*at),
        }
    }
    Ok(false)
}

async fn connect(at: SocketAddr, name: &str, knocks: &Knocks) -> Result<Visit, finding::Reach> {
    if let Some(reach) = judge::hopeless(at, knocks) {
        return Err(reach);
    }
    let connecting = format!("Connecting to {at}, for up to 7 s …");
    let visit = say::patiently(&connecting, probe::visit(at, name)).await;
    visit.map_err(|why| judge::no_handshake(at, knocks, knocks.from.and_then(here::interface), why))
}

/// Who is there, and what they say.
async fn visited(
    report: &mut Report,
    place: &Place,
    at: SocketAddr,
    knocks: &Knocks,
    visit: Visit,
) -> Result<bool, Failure> {
    let interface = knocks.from.and_then(here::interface);
    report.found(Finding::Network(judge::answers(at, knocks, interface)))?;
    let (believed, dated) = believe(&visit, place);
    let greeting = match &believed {
        Ok(belief) => Some(say::patiently("Asking the box …", visit.greet(belief)).await),
        Err(_) => None,
    };
    let way = visit.way();
    report.found(Finding::RoundTrip(judge::trip(knocks, &way)))?;
    report.found(Finding::Doorway(judge::doorway(&way)))?;
    let chain = visit.chain();
    let identity = judge::identity(&place.server_name, place.root.as_ref(), chain, believed.map(|_| ()));
    report.found(Finding::Certificate(identity))?;
    if let Some(greeting) = greeting {
        let heard = greeting.as_ref().ok();
        let now = now_ms();
        let there = heard.map(|greeting: &Greeting| now.saturating_add(greeting.ahead_ms) / 1_000);
        report.found(Finding::Dates(judge::dates(chain, now / 1_000, there)))?;
        if let Some(greeting) = heard {
            report.found(Finding::Clock(judge::clock(greeting)))?;
        }
        report.found(Finding::Box(judge::greeted(greeting.as_ref())))?;
    }
    visit.leave().await;
    Ok(dated && report.weight() < Weight::Machine)
}

/// Judges the chain as of now. When only its dates are wrong, as of the middle of its life: then it is the facility's box
/// all the same, which may be asked for its time (nothing else is), and that tells whose clock is wrong. The second value:
/// whether the dates fit too.
fn believe(visit: &Visit, place: &Place) -> (Result<Belief, TrustError>, bool) {
    match visit.believe(place.root.as_ref(), UnixTime::now()) {
        Err(why @ (TrustError::Expired | TrustError::NotYetValid)) => {
            let middle = judge::middle(visit.chain()).map(Duration::from_secs);
            let middle = middle.map(UnixTime::since_unix_epoch);
            let again = middle.map(|middle| visit.believe(place.root.as_ref(), middle));
            (again.unwrap_or(Err(why)), false)
        }
        believed => {
            let fine = believed.is_ok();
            (believed, fine)
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The relay's own socket. Asked is for people behind the last that there can be: none are told.
async fn local(path: &Path) -> Socket {
    let shown = path.display().to_string();
    match tokio::net::UnixStream::connect(path).await.map_err(|error| error.kind()) {
        Ok(_) => {}
        Err(std::io::ErrorKind::PermissionDenied) => return Socket::NotAllowed { path: shown },
        Err(std::io::ErrorKind::ConnectionRefused) => return Socket::NobodyListens { path: shown },
        Err(_) => return Socket::Missing { path: shown },
    }
    let asked = async {
        let door = LocalBox::connect(path).await?;
        door.call(Ask::ListPeople(proto::ListPeople { after: i64::MAX as u64 })).await
    };
    match tokio::time::timeout(LOCAL_TIME_MAX, asked).await {
        Ok(Ok(_)) => Socket::Answers { path: shown },
        Ok(Err(_)) => Socket::Closed { path: shown },
        Err(_) => Socket::Silent { path: shown },
    }
}
