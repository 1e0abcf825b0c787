//! A device that ten wrong PINs have locked is given another PIN on the spot, with the code that a charge nurse gave face to face.
//!
//! Key, profile and what waits to be sent stay as they are: the box lets the same device in again. If the answer is lost, the new PIN
//! counts or it does not: the next sign-in says which.

use std::path::Path;

use wardline_core::pin::{Pin, join_code_hash};
use wardline_core::session::join_message;
use wardline_core::wire::proto::{self, RefusalCode, client_frame, server_frame::Body};

use crate::connection::{Connection, Endpoint};
use crate::error::{Error, InputError};
use crate::event::SignedIn;
use crate::link::Code;
use crate::profile::{Identity, Profile};
use crate::signin;
use crate::trust::{Root, Trust};

/// Whether the box has locked this device. A code offered on one that is not locked would be taken for a sign-in, and its PIN for a
/// wrong one: so this is asked first.
async fn is_locked(endpoint: &Endpoint, profile: &Profile) -> Result<bool, Error> {
    let mut connection = connect(endpoint, &profile.identity).await?;
    let device = profile.identity.device;
    let proven = match signin::hello(&mut connection, Some(device)).await {
        Ok(welcome) => signin::prove(&mut connection, &welcome, device, &profile.key).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match proven {
        Err(Error::Refused(refused)) if refused.code == RefusalCode::PinLockedOut => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(false),
    }
}

async fn connect(endpoint: &Endpoint, identity: &Identity) -> Result<Connection, Error> {
    let trust = Trust::new(Root::Known(identity.root.clone()), &identity.server_name);
    endpoint.connect(&identity.address, &trust).await
}

/// Chooses another PIN on this device.
pub(crate) async fn choose(code: &Code, pin: &Pin, directory: &Path) -> Result<(Profile, SignedIn), Error> {
    let profile = Profile::open(directory)?;
    let endpoint = Endpoint::new()?;
    if !is_locked(&endpoint, &profile).await? {
        return Err(InputError::NotNow("This device is not locked: sign in with its PIN.").into());
    }
    let (identity, key) = (&profile.identity, &profile.key);
    let mut connection = connect(&endpoint, identity).await?;
    let welcome = signin::hello(&mut connection, None).await?;
    let hash = join_code_hash(code.reveal());
    let signed = join_message(&welcome.challenge, &connection.exporter, &hash, key.public());
    let join = proto::Join {
        code: code.reveal().to_owned(),
        device_key: key.public().as_bytes().to_vec(),
        device_name: identity.device_name.clone(),
        pin: pin.reveal().to_owned(),
        signature: key.sign(&signed)?,
        ..proto::Join::default()
    };
    signin::send(&mut connection, 2, client_frame::Body::Join(join)).await?;
    match signin::answer(&mut connection, 2).await? {
        Body::SignedIn(signed_in) => {
            let signed_in = SignedIn::from_wire(signed_in, &welcome.facility)?;
            if signed_in.device != identity.device {
                return Err(Error::Protocol("another device was signed in"));
            }
            Ok((profile, signed_in))
        }
        _ => Err(Error::Protocol("no answer to the code")),
    }
}
