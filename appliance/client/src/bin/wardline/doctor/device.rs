//! The checks of a joined device: its files, what waits, whether it is let in.

use std::path::Path;
use std::time::Duration;

use wardline_client::error::{End, ProfileError};
use wardline_client::outbox::Outbox as Log;
use wardline_client::profile::{Profile, exposed};
use wardline_client::{Client, Error, Standing};
use wardline_core::limits;
use wardline_core::wire::proto::RefusalCode;

use super::finding::{Disk, Exposed, Files, Finding, Outbox, SignIn};
use super::report::Report;
use super::weight::Weight;
use super::{here, now_ms};
use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, say};

/// Less, and messages will soon not be kept.
const DISK_MIN_BYTES: u64 = 64 << 20;
/// Of ten tries: below this somebody has been at it.
const TRIES_FEW: u32 = 4;
/// For one attempt to sign in: a client's own limits, for four addresses, and some.
const SIGN_IN_TIME_MAX: Duration = Duration::from_secs(60);

/// Looks at the device. `welcome`: the box is reached and believed, so that signing in is worth trying.
pub(super) async fn look(
    report: &mut Report,
    common: &Common,
    directory: &Path,
    welcome: bool,
) -> Result<(), Failure> {
    let files = files(directory);
    let usable = matches!(files, Files::Private { .. });
    report.found(Finding::Profile(files))?;
    if let Some(bytes) = here::free_disk(directory) {
        let disk = if bytes < DISK_MIN_BYTES { Disk::Low { bytes } } else { Disk::Free { bytes } };
        report.found(Finding::Disk(disk))?;
    }
    if !usable {
        return Ok(());
    }
    let outbox = Finding::Outbox(outbox(directory));
    let broken = outbox.weight() == Weight::Machine;
    report.found(outbox)?;
    if welcome && !broken {
        report.found(Finding::SignIn(sign_in(common).await))?;
    }
    Ok(())
}

fn files(directory: &Path) -> Files {
    let exposed: Vec<Exposed> = exposed(directory)
        .into_iter()
        .filter_map(|error| match error {
            ProfileError::Exposed { path, wanted } => {
                Some(Exposed { path: path.display().to_string(), wanted })
            }
            _ => None,
        })
        .collect();
    if !exposed.is_empty() {
        return Files::Exposed { files: exposed };
    }
    match Profile::identity(directory) {
        Ok(_) => Files::Private { directory: directory.display().to_string() },
        Err(error) => Files::Unusable { why: error.to_string() },
    }
}

fn outbox(directory: &Path) -> Outbox {
    let log = Profile::open(directory).and_then(|profile| {
        // The profile is free again once this is read.
        Log::open(&profile.path("outbox"), &profile.key)
    });
    let log = match log {
        Ok(log) => log,
        Err(ProfileError::Busy(_)) => return Outbox::HeldElsewhere,
        Err(error) => return Outbox::Unusable { why: error.to_string() },
    };
    let messages = log.waiting().filter(|message| message.failed.is_some()).count();
    let waiting = log.waiting().count() - messages;
    if messages > 0 {
        return Outbox::Failed { messages, waiting };
    }
    match log.waiting().map(|message| message.composed).min() {
        None => Outbox::Empty,
        Some(oldest) => Outbox::Waiting { messages: waiting, oldest_s: (now_ms() - oldest).max(0) / 1_000 },
    }
}

/// One attempt, and no PIN.
async fn sign_in(common: &Common) -> SignIn {
    match Access::open(common).await {
        Ok(Access::Own(client)) => {
            let stands = say::patiently("Signing in …", first_standing(&client)).await;
            client.close().await;
            stands
        }
        Ok(Access::Guest(guest)) => match say::patiently("Asking who has it open …", guest.contact()).await
        {
            Ok(_) => SignIn::HolderOpen,
            Err(Error::Locked { .. }) => SignIn::HolderLocked,
            Err(error) => SignIn::HolderAway { why: error.to_string() },
        },
        Err(Failure::Client(Error::Profile(ProfileError::Busy(_)))) => SignIn::HolderSilent,
        Err(failure) => SignIn::Failed { why: failure.to_string() },
    }
}

/// Where the first attempt ends. The client would try again by itself: the caller closes it.
async fn first_standing(client: &Client) -> SignIn {
    let mut standing = client.standing();
    let settled = standing.wait_for(|standing| !matches!(standing, Standing::Connecting));
    match tokio::time::timeout(SIGN_IN_TIME_MAX, settled).await {
        Ok(Ok(standing)) => of(&standing),
        _ => SignIn::Failed { why: "the box did not answer".to_owned() },
    }
}

pub(super) fn of(standing: &Standing) -> SignIn {
    match standing {
        Standing::Open(_) => SignIn::Open,
        Standing::PinNeeded { tries_left } if *tries_left < limits::PIN_TRIES_MAX.min(TRIES_FEW) => {
            SignIn::FewTries { tries_left: *tries_left }
        }
        Standing::PinNeeded { tries_left } => SignIn::PinWanted { tries_left: *tries_left },
        Standing::Waiting(why) => match &**why {
            Error::Refused(refused) if refused.code == RefusalCode::SlowDown => SignIn::SlowDown,
            Error::Refused(refused) => SignIn::Refused { advice: refused.advice.clone() },
            error => SignIn::Failed { why: error.to_string() },
        },
        Standing::Ended(End::Refused(refused)) => SignIn::Refused { advice: refused.advice.clone() },
        Standing::Ended(End::Revoked) => SignIn::Refused { advice: End::Revoked.to_string() },
        Standing::Ended(end) => SignIn::Failed { why: end.to_string() },
        _ => SignIn::Failed { why: "it is not connected".to_owned() },
    }
}
