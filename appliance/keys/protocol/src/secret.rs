//! Secrets on the local wire: types that wipe themselves and that no log line can show.
//!
//! None of them implements a `Debug` that shows content, `Display`, `Clone` or `PartialEq`; they travel as CBOR byte
//! strings of a fixed or bounded length.

use core::fmt;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The most bytes a PKCS#8 P-256 private key takes here: 138 as RFC 5958 encodes it, rounded up.
pub const KEY_DER_MAX: usize = 256;

macro_rules! secret_32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 bytes. Copies that a caller makes are the caller's to wipe.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let bytes = d.bytes()?;
                <[u8; 32]>::try_from(bytes).map($name).map_err(|_| decode::Error::message("not 32 bytes"))
            }
        }
    };
}

secret_32! {
    /// The raw 256-bit key of the database. Wiped on drop.
    DatabaseKey
}

secret_32! {
    /// HMAC-SHA-256 under the PIN pepper: what a PIN verifier is compared with. Wiped on drop.
    PinMac
}

secret_32! {
    /// What a PIN was stretched to, on its way to be MACed: with a stolen store it is as good as the PIN. Wiped on drop.
    PinInput
}

/// The most bytes that a credential carries: those of the digest that is the endorsement key's nameAlg (TPM 2.0 Part 3,
/// 12.6), SHA-256.
pub const CREDENTIAL_MAX: usize = 32;

/// What was wrapped to one key of one TPM, at most [`CREDENTIAL_MAX`] bytes. Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Credential(Vec<u8>);

impl Credential {
    /// These bytes, when there are 1 to [`CREDENTIAL_MAX`] of them. Copies that the caller has are the caller's to wipe.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=CREDENTIAL_MAX).contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// The bytes. Copies that a caller makes are the caller's to wipe.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl<C> Encode<C> for Credential {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Credential {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::new(d.bytes()?).ok_or_else(|| decode::Error::message("not 1 to 32 bytes"))
    }
}

/// A private key as PKCS#8 DER, at most [`KEY_DER_MAX`] bytes. Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct KeyDer(pub Vec<u8>);

impl KeyDer {
    /// The DER bytes. Copies that a caller makes are the caller's to wipe.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Clone for KeyDer {
    fn clone(&self) -> Self {
        KeyDer(self.0.clone())
    }
}

impl fmt::Debug for KeyDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDer(..)")
    }
}

impl<C> Encode<C> for KeyDer {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for KeyDer {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        if bytes.len() > KEY_DER_MAX {
            return Err(decode::Error::message("private key too long"));
        }
        Ok(KeyDer(bytes.to_vec()))
    }
}
