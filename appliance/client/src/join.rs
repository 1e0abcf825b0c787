//! Redeeming a join link: a key is made and kept, the box enrols it, the profile is complete.
//!
//! The key is on disk before the box hears of it. If the power fails, or the connection goes, between the box's decision
//! and the profile's last write, the same link and PIN once more complete it: the box knows the key again.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use wardline_core::limits;
use wardline_core::pin::{Pin, join_code_hash};
use wardline_core::session::join_message;
use wardline_core::text::Name;
use wardline_core::wire::proto::{self, client_frame, server_frame::Body};

use crate::connection::Endpoint;
use crate::error::{Error, InputError, ProfileError};
use crate::event::SignedIn;
use crate::key::DeviceKey;
use crate::link::JoinLink;
use crate::profile::{Claim, Identity, Profile};
use crate::signin;
use crate::state::State;
use crate::trust::{Root, Trust};

/// Enrols this device as one of the person's that the code was issued for.
pub(crate) async fn redeem(
    link: &JoinLink,
    pin: &Pin,
    device_name: &str,
    directory: &Path,
) -> Result<(Profile, SignedIn), Error> {
    Name::parse(device_name).map_err(|_| {
        InputError::NotNow("A device's name must have 1 to 64 bytes, none of them a control character.")
    })?;
    debug_assert_eq!(link.code.reveal().len(), limits::JOIN_CODE_CHARACTERS);
    let claim = Claim::take(directory, true)?;
    if claim.is_joined() {
        return Err(ProfileError::Exists(directory.to_owned()).into());
    }
    let code = link.code.reveal();
    let code_hash = join_code_hash(code);
    let key = claim.joining_key(&code_hash)?;

    let endpoint = Endpoint::new()?;
    let trust = Trust::new(Root::Pinned(link.root), &link.server_name);
    let mut connection = endpoint.connect(&link.address, &trust).await?;
    let root = trust.root().cloned().ok_or(Error::Protocol("no verified root"))?;
    let welcome = signin::hello(&mut connection, None).await?;
    let signed = join_message(&welcome.challenge, &connection.exporter, &code_hash, key.public());
    let join = proto::Join {
        code: code.to_owned(),
        device_key: key.public().as_bytes().to_vec(),
        device_name: device_name.to_owned(),
        pin: pin.reveal().to_owned(),
        signature: key.sign(&signed)?,
        ..proto::Join::default()
    };
    signin::send(&mut connection, 2, client_frame::Body::Join(join)).await?;
    let signed_in = match signin::answer(&mut connection, 2).await? {
        Body::SignedIn(signed_in) => SignedIn::from_wire(signed_in, &welcome.facility)?,
        _ => return Err(Error::Protocol("no answer to the join")),
    };
    let profile = keep(link, root, signed_in.clone(), device_name, claim, key)?;
    Ok((profile, signed_in))
}

/// Writes who this device is, and whose other devices this person has been shown.
pub(crate) fn keep(
    link: &JoinLink,
    root: CertificateDer<'static>,
    signed_in: SignedIn,
    device_name: &str,
    claim: Claim,
    key: DeviceKey,
) -> Result<Profile, Error> {
    let identity = Identity {
        address: link.address.clone(),
        server_name: link.server_name.clone(),
        root,
        facility: signed_in.facility.clone(),
        device: signed_in.device,
        person: signed_in.person,
        name: signed_in.name.clone(),
        device_name: device_name.to_owned(),
    };
    let profile = claim.complete(identity, key)?;
    // Whoever joins is shown the other devices now; if the power fails before this is written, after signing in.
    let (state, cursor) = (profile.path("state"), profile.path("cursor"));
    let mut state = State::open(&state, &cursor, &profile.key, signed_in.person, signed_in.device)?;
    signed_in.others().for_each(|device| state.device_taken(device.id));
    state.save(None)?;
    Ok(profile)
}
