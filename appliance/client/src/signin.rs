//! The first frames of a connection: hello, and the proof that this device is at this end of it.

use std::time::Duration;

use wardline_core::ids::DeviceId;
use wardline_core::session::sign_in_message;
use wardline_core::wire::proto::{self, client_frame, server_frame::Body};
use wardline_core::wire::{VERSION, proto::ClientFrame};

use crate::connection::{Broken, Connection};
use crate::error::{Error, Refused, Unreachable};
use crate::event::SignedIn;
use crate::key::DeviceKey;

/// For one answer of the box while signing in. It stretches PINs, some of them at a time.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// The box's greeting.
pub(crate) struct Welcome {
    pub(crate) challenge: [u8; 32],
    pub(crate) facility: String,
    /// The box's clock: milliseconds since 1970.
    pub(crate) box_time: i64,
    /// From here nobody of the staff signs in.
    pub(crate) guest: bool,
}

/// The box's answer to a proof.
pub(crate) enum Proven {
    SignedIn(SignedIn),
    PinNeeded { tries_left: u32 },
}

/// Says hello. Requests of the handshake are numbered 1 and 2.
pub(crate) async fn hello(connection: &mut Connection, device: Option<DeviceId>) -> Result<Welcome, Error> {
    let hello = proto::Hello {
        version_min: VERSION,
        version_max: VERSION,
        client: concat!("wardline ", env!("CARGO_PKG_VERSION")).to_owned(),
        device: device.map_or(0, DeviceId::value),
    };
    send(connection, 1, client_frame::Body::Hello(hello)).await?;
    match answer(connection, 1).await? {
        Body::Welcome(welcome) if welcome.version == VERSION => {
            let challenge = welcome.challenge.as_slice().try_into();
            let challenge = challenge.map_err(|_| Error::Protocol("a challenge of another length"))?;
            let proto::Welcome { facility, box_time, guest, .. } = welcome;
            Ok(Welcome { challenge, facility, box_time, guest })
        }
        Body::Welcome(_) => Err(Error::Protocol("a protocol version that was not offered")),
        _ => Err(Error::Protocol("no welcome")),
    }
}

/// Proves the device.
pub(crate) async fn prove(
    connection: &mut Connection,
    welcome: &Welcome,
    device: DeviceId,
    key: &DeviceKey,
) -> Result<Proven, Error> {
    let signature = key.sign(&sign_in_message(&welcome.challenge, &connection.exporter, device))?;
    let prove = proto::Prove { device: device.value(), signature, ..proto::Prove::default() };
    send(connection, 2, client_frame::Body::Prove(prove)).await?;
    match answer(connection, 2).await? {
        Body::SignedIn(signed_in) => Ok(Proven::SignedIn(SignedIn::from_wire(signed_in, &welcome.facility)?)),
        Body::PinNeeded(needed) => Ok(Proven::PinNeeded { tries_left: needed.tries_left }),
        _ => Err(Error::Protocol("no answer to the proof")),
    }
}

pub(crate) async fn send(
    connection: &mut Connection,
    request: u64,
    body: client_frame::Body,
) -> Result<(), Error> {
    let frame = ClientFrame { request, body: Some(body) };
    // A writer that is gone leaves the reason with the reader.
    let _ = connection.outgoing.send(frame).await;
    Ok(())
}

/// The box's answer to this request; a refusal is an error. Whatever else comes is passed over.
pub(crate) async fn answer(connection: &mut Connection, request: u64) -> Result<Body, Error> {
    let answer = async {
        loop {
            let frame = match connection.frames.recv().await {
                Some(Ok(frame)) => frame,
                Some(Err(Broken::Malformed)) => return Err(Error::Protocol("a malformed frame")),
                Some(Err(Broken::Ended)) | None => {
                    return Err(Unreachable::Closed(connection.why_closed().await).into());
                }
            };
            match frame.body {
                Some(Body::Refused(refused)) if frame.request == request || frame.request == 0 => {
                    return Err(Refused::from_wire(refused).into());
                }
                Some(body) if frame.request == request => return Ok(body),
                _ => {}
            }
        }
    };
    match tokio::time::timeout(ANSWER_TIME_MAX, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Unreachable::Silent("the other end".to_owned()).into()),
    }
}
