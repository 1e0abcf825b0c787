//! How messages travel: a big-endian `u32` length, then that many bytes of CBOR, over a Unix stream socket.
//!
//! Refuses: a frame of length 0 or over [`FRAME_BYTES_MAX`] (before allocating for it), a CBOR item that leaves bytes
//! over, and an end of stream inside a frame. Each is the peer's fault, and the caller closes that connection only.

use std::io::{self, Read, Write};

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

/// The most bytes of one frame, without its length.
///
/// The largest message is [`crate::message::Leaves`]: 2 leaves of 3 certificates of 8 KiB
/// ([`crate::message::CERTIFICATE_BYTES_MAX`]) = 48 KiB, 2 keys of 256 bytes, under 1 KiB of CBOR. 64 KiB holds it.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// What the other end did wrong with its bytes. Close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// A length of 0.
    #[error("the other end sent an empty frame")]
    Empty,
    /// A length over [`FRAME_BYTES_MAX`].
    #[error("the other end announced a frame of {0} bytes, more than is accepted")]
    TooLong(u32),
    /// Not the CBOR of the message that was due.
    #[error("the other end sent something that is not a message of this protocol")]
    Malformed,
    /// The stream ended inside a frame.
    #[error("the other end stopped in the middle of a frame")]
    Truncated,
    /// A well-formed reply to another question than the one asked.
    #[error("the other end answered another question than the one asked")]
    WrongReply,
}

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The peer misbehaved.
    #[error(transparent)]
    Peer(#[from] PeerFault),
    /// The socket failed or timed out.
    #[error("reading from the keeper's socket failed")]
    Io(#[from] io::Error),
}

/// Encodes a message with its length in front.
///
/// The buffer is allocated once at its greatest size, so that no reallocation leaves a copy of a secret behind.
///
/// # Errors
/// [`PeerFault::TooLong`] when it would be longer than [`FRAME_BYTES_MAX`]; ours then, not the peer's.
pub fn encode<T: Encode<()>>(message: &T) -> Result<Zeroizing<Vec<u8>>, PeerFault> {
    let mut out = Zeroizing::new(Vec::with_capacity(4 + FRAME_BYTES_MAX));
    out.extend_from_slice(&[0; 4]);
    out.resize(4 + FRAME_BYTES_MAX, 0);
    let mut rest = minicbor::encode::write::Cursor::new(&mut out[4..]);
    minicbor::encode(message, &mut rest).map_err(|_| PeerFault::TooLong(u32::MAX))?;
    let len = rest.position();
    out[..4].copy_from_slice(&(len as u32).to_be_bytes());
    out.truncate(4 + len);
    Ok(out)
}

/// Decodes the CBOR of one frame (without its length).
///
/// # Errors
/// [`PeerFault::Malformed`], or [`PeerFault::TooLong`] and [`PeerFault::Empty`] for the length.
pub fn decode<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, PeerFault> {
    check_len(u32::try_from(bytes.len()).unwrap_or(u32::MAX))?;
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().map_err(|_| PeerFault::Malformed)?;
    if decoder.position() != bytes.len() {
        return Err(PeerFault::Malformed);
    }
    Ok(message)
}

/// Writes one message.
///
/// # Errors
/// What the writer reports; [`io::ErrorKind::InvalidData`] when the message is longer than a frame may be.
pub fn write<T: Encode<()>>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let bytes = encode(message).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads one message; `None` when the stream ended cleanly between frames.
///
/// # Errors
/// See [`ReadError`].
pub fn read<T: for<'b> Decode<'b, ()>>(from: &mut impl Read) -> Result<Option<T>, ReadError> {
    let mut len = [0; 4];
    let mut have = 0;
    while have < len.len() {
        match from.read(&mut len[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(PeerFault::Truncated.into()),
            Ok(n) => have += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let len = check_len(u32::from_be_bytes(len))?;
    let mut body = Zeroizing::new(vec![0; len]);
    from.read_exact(&mut body).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => ReadError::Peer(PeerFault::Truncated),
        _ => ReadError::Io(e),
    })?;
    Ok(Some(decode(&body)?))
}

fn check_len(len: u32) -> Result<usize, PeerFault> {
    match len {
        0 => Err(PeerFault::Empty),
        n if n as usize > FRAME_BYTES_MAX => Err(PeerFault::TooLong(n)),
        n => Ok(n as usize),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::{KeeperState, PinInput, Refusal, Reply, Request};

    #[test]
    fn a_request_keeps_its_bytes() {
        // Frozen: these bytes are what a relay one release older sends.
        let request = Request::PinMac { person: 7, device: 300, input: PinInput([0xAB; 32]) };
        let bytes = encode(&request).unwrap();
        let mut want = vec![0, 0, 0, 43, 0x82, 0x03, 0x83, 0x07, 0x19, 0x01, 0x2C, 0x58, 0x20];
        want.extend([0xAB; 32]);
        want[3] = (want.len() - 4) as u8;
        assert_eq!(bytes.as_slice(), want);
        assert_eq!(encode(&decode::<Request>(&bytes[4..]).unwrap()).unwrap(), bytes);
        let shown = format!("{request:?}");
        assert!(shown.ends_with("input: PinInput(..) }"), "{shown}");
    }

    /// Frozen: the first three requests of a new box's life, as bytes.
    #[test]
    fn what_a_new_box_is_asked_keeps_its_bytes() {
        let asked = |request: &Request| encode(request).unwrap()[4..].to_vec();
        assert_eq!(asked(&Request::Identity), [0x82, 0x0E, 0x80]);
        let activate = Request::ActivateCredential { credential_blob: vec![1], encrypted_secret: vec![2, 3] };
        assert_eq!(asked(&activate), [0x82, 0x0F, 0x82, 0x41, 1, 0x42, 2, 3]);
        let names = crate::FacilityNames {
            facility: "F".into(),
            dns_names: vec!["a.b".into()],
            ip_addrs: vec![[10, 0, 0, 1].into()],
        };
        let install = Request::InstallIssuing { names: Box::new(names), chain: vec![vec![9], vec![8]] };
        let mut want = vec![0x82, 0x09, 0x82, 0x83, 0x61, b'F', 0x81, 0x63, b'a', b'.', b'b'];
        want.extend([0x81, 0x44, 10, 0, 0, 1, 0x82, 0x41, 9, 0x41, 8]);
        assert_eq!(asked(&install), want);
        let provision = crate::Provision {
            vendor_public: [4; 65],
            approval: vec![5],
            first_revocation: vec![6],
            start_over: false,
        };
        let mut want = vec![0x82, 0x07, 0x81, 0x84, 0x58, 65];
        want.extend([4; 65]);
        want.extend([0x41, 5, 0x41, 6, 0xF4]);
        assert_eq!(asked(&Request::Provision(Box::new(provision))), want);
        for bytes in [asked(&Request::Identity), asked(&activate), asked(&install)] {
            assert_eq!(asked(&decode::<Request>(&bytes).unwrap()), bytes);
        }
    }

    #[test]
    fn what_an_older_end_leaves_out_has_its_meaning_of_before() {
        // `Refusal::HandleTaken` without its handle, `Status` without the certificate's end.
        let taken: Refusal = decode(&[0x82, 0x0B, 0x80]).unwrap();
        assert_eq!(taken, Refusal::HandleTaken { handle: 0 });
        let old = [0x85, 0x82, 0x00, 0x80, 0xF6, 0xF6, 0x61, b'1', 0xF4];
        let status: crate::Status = decode(&old).unwrap();
        assert_eq!((status.state, status.issuing_end), (KeeperState::Ready, None));
    }

    #[test]
    fn a_state_travels() {
        let reply = Reply::Refused(Refusal::State(KeeperState::PcrsChanged { which: vec![7, 15] }));
        let bytes = encode(&reply).unwrap();
        let Reply::Refused(Refusal::State(state)) = decode(&bytes[4..]).unwrap() else {
            panic!("another reply")
        };
        assert_eq!(state, KeeperState::PcrsChanged { which: vec![7, 15] });
        assert!(state.to_string().contains("Secure Boot"));
    }

    #[test]
    fn hostile_lengths_are_the_peers_fault() {
        let mut long = (FRAME_BYTES_MAX as u32 + 1).to_be_bytes().to_vec();
        long.push(0);
        assert!(matches!(
            read::<Request>(&mut long.as_slice()),
            Err(ReadError::Peer(PeerFault::TooLong(n))) if n as usize == FRAME_BYTES_MAX + 1
        ));
        assert!(matches!(read::<Request>(&mut [0u8; 4].as_slice()), Err(ReadError::Peer(PeerFault::Empty))));
        assert!(matches!(
            read::<Request>(&mut [0u8, 0, 0, 9, 1].as_slice()),
            Err(ReadError::Peer(PeerFault::Truncated))
        ));
        assert!(matches!(
            read::<Request>(&mut [0u8, 0].as_slice()),
            Err(ReadError::Peer(PeerFault::Truncated))
        ));
        assert!(read::<Request>(&mut [].as_slice()).unwrap().is_none());
    }

    #[test]
    fn bytes_left_over_are_malformed() {
        let mut bytes = encode(&Request::Status).unwrap().to_vec();
        bytes.push(0);
        assert_eq!(decode::<Request>(&bytes[4..]).unwrap_err(), PeerFault::Malformed);
    }
}
