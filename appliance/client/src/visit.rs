//! A visitor's phone: it asks at the bed to be let in, and waits until somebody of the team has answered.
//!
//! Key and PIN go with the question; what is let in is this key. Once it is, the same question is a sign-in, as a join whose
//! answer was lost is.

use std::path::Path;
use std::time::Duration;

use wardline_core::ids::DeviceId;
use wardline_core::pin::{Pin, bedside_code_hash};
use wardline_core::session::visit_message;
use wardline_core::text::Name;
use wardline_core::wire::proto::{self, RefusalCode, client_frame, server_frame::Body};

use crate::connection::Endpoint;
use crate::error::{Error, InputError, ProfileError, Refused};
use crate::event::SignedIn;
use crate::join;
use crate::link::{JoinLink, Purpose};
use crate::profile::{Claim, Profile};
use crate::signin;
use crate::trust::{Root, Trust};

/// Between two looks at whether somebody has answered.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Who asks to be let in.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// 1 to 64 bytes: what the team reads.
    pub name: &'a str,
    /// What they are to the patient: "daughter". At most 64 bytes; may be empty.
    pub relation: &'a str,
    /// What they call the device. 1 to 64 bytes.
    pub device_name: &'a str,
}

/// What became of the question.
pub(crate) enum Asked {
    /// It waits, and this is what to look for.
    Waits(DeviceId),
    /// Somebody let them in, and the PIN was right.
    LetIn(Box<(Profile, SignedIn)>),
}

/// Asks, and waits for so long. `None`: nobody has answered yet; the same call later goes on.
pub(crate) async fn ask_and_wait(
    link: &JoinLink,
    pin: &Pin,
    asking: Asking<'_>,
    directory: &Path,
    patience: Duration,
    mut waiting: impl FnMut(),
) -> Result<Option<(Profile, SignedIn)>, Error> {
    let name = |text, what| Name::parse(text).map(|_| ()).map_err(|_| InputError::NotNow(what));
    name(asking.name, "A name must have 1 to 64 bytes, none of them a control character.")?;
    name(asking.device_name, "A device's name must have 1 to 64 bytes, none of them a control character.")?;
    if !asking.relation.is_empty() {
        name(asking.relation, "What you are to the patient must have at most 64 bytes, as in: daughter.")?;
    }
    if link.purpose != Purpose::Visit {
        return Err(
            InputError::NotNow("This is a link for members of the staff: join without a --name.").into()
        );
    }
    let begun = tokio::time::Instant::now();
    let device = match ask(link, pin, asking, directory).await? {
        Asked::LetIn(joined) => return Ok(Some(*joined)),
        Asked::Waits(device) => device,
    };
    waiting();
    loop {
        if begun.elapsed() + LOOK_AGAIN > patience {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        if is_answered(link, device).await? {
            break;
        }
    }
    match ask(link, pin, asking, directory).await? {
        Asked::LetIn(joined) => Ok(Some(*joined)),
        Asked::Waits(_) => Ok(None),
    }
}

async fn ask(link: &JoinLink, pin: &Pin, asking: Asking<'_>, directory: &Path) -> Result<Asked, Error> {
    let claim = Claim::take(directory, true)?;
    if claim.is_joined() {
        return Err(ProfileError::Exists(directory.to_owned()).into());
    }
    let code = link.code.reveal();
    let code_hash = bedside_code_hash(code);
    let key = claim.joining_key(&code_hash)?;
    let endpoint = Endpoint::new()?;
    let trust = Trust::new(Root::Pinned(link.root), &link.server_name);
    let mut connection = endpoint.connect(&link.address, &trust).await?;
    let root = trust.root().cloned().ok_or(Error::Protocol("no verified root"))?;
    let welcome = signin::hello(&mut connection, None).await?;
    let signed = visit_message(&welcome.challenge, &connection.exporter, &code_hash, key.public());
    let ask = proto::AskToVisit {
        code: code.to_owned(),
        device_key: key.public().as_bytes().to_vec(),
        device_name: asking.device_name.to_owned(),
        pin: pin.reveal().to_owned(),
        signature: key.sign(&signed)?,
        name: asking.name.to_owned(),
        relation: asking.relation.to_owned(),
    };
    signin::send(&mut connection, 2, client_frame::Body::AskToVisit(ask)).await?;
    match signin::answer(&mut connection, 2).await {
        Ok(Body::VisitAsked(asked)) => {
            DeviceId::new(asked.device).map(Asked::Waits).ok_or(Error::Protocol("a request without device"))
        }
        Ok(Body::SignedIn(signed_in)) => {
            let signed_in = SignedIn::from_wire(signed_in, &welcome.facility)?;
            let profile = join::keep(link, root, signed_in.clone(), asking.device_name, claim, key)?;
            Ok(Asked::LetIn(Box::new((profile, signed_in))))
        }
        Ok(_) => Err(Error::Protocol("no answer to the question")),
        Err(error) => {
            // Another question needs another key.
            if is_final(&error) {
                claim.forget_joining()?;
            }
            Err(error)
        }
    }
}

/// Whether somebody has let this device in; refused when they declined, or nobody has answered in time.
async fn is_answered(link: &JoinLink, device: DeviceId) -> Result<bool, Error> {
    let endpoint = Endpoint::new()?;
    let trust = Trust::new(Root::Pinned(link.root), &link.server_name);
    let mut connection = match endpoint.connect(&link.address, &trust).await {
        // The network comes and goes; the question waits at the box.
        Err(Error::Unreachable(_)) => return Ok(false),
        other => other?,
    };
    match signin::hello(&mut connection, Some(device)).await {
        Ok(_) => Ok(true),
        Err(Error::Refused(Refused { code: RefusalCode::FamilyWaiting, .. }) | Error::Unreachable(_)) => {
            Ok(false)
        }
        Err(Error::Refused(Refused {
            code: RefusalCode::DeviceUnknown, retry_after, tries_left, ..
        })) => {
            let advice = "Nobody answered in time, or the visit was ended before. Ask at the bed once more."
                .to_owned();
            Err(Refused { code: RefusalCode::NoSuchVisit, advice, retry_after, tries_left }.into())
        }
        Err(other) => Err(other),
    }
}

fn is_final(error: &Error) -> bool {
    let codes = [RefusalCode::FamilyDeclined, RefusalCode::FamilyOver, RefusalCode::DeviceUnknown];
    matches!(error, Error::Refused(refused) if codes.contains(&refused.code))
}
