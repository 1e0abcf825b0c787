//! Who a box is: the keys in its chip, the number that follows from them, and eight words that a person can compare.

use core::fmt;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use wardline_keys_protocol::policy::sha256;

use super::codec::Blob;

/// Most bytes of a TPM2B_PUBLIC here: one for P-256 takes 90 (TPM 2.0 Part 2, 12.2.5), and some room.
pub const PUBLIC_MAX: usize = 512;
/// Most bytes of an endorsement certificate, as the keeper hands it out: makers' take 1 to 2 KiB.
pub const EK_CERTIFICATE_MAX: usize = wardline_keys_protocol::message::CERTIFICATE_BYTES_MAX;
/// How many words a person compares: 8 of 11 bits each are 88 bits.
pub const WORDS: usize = 8;

/// BIP-39's English list: 2,048 words, each known by its first four letters (MIT licence, `words/LICENSE`).
const LIST: &str = include_str!("../words/english.txt");
/// What the box's number begins with, so that no hash for another purpose equals it.
const BOX_PREFIX: &[u8] = b"wardline-box-v1\0";

macro_rules! bytes_32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        /// 64 hexadecimal digits.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.bytes()?.try_into().map(Self).map_err(|_| decode::Error::message("not 32 bytes"))
            }
        }
    };
}

bytes_32! {
    /// A SHA-256 (FIPS 180-4).
    Sha256
}
bytes_32! {
    /// What makes a receipt belong to one configuration: 32 random bytes.
    Nonce
}
bytes_32! {
    /// The facility's key that signs configurations: Ed25519, as RFC 8032 encodes it. It is its own identifier.
    SignerKey
}
bytes_32! {
    /// A box's number: see [`Identity::box_id`].
    BoxId
}

impl Sha256 {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(&[bytes]))
    }
}

/// The public halves of the two keys in a box's chip.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Identity {
    /// The endorsement key, TPM2B_PUBLIC (TPM 2.0 Part 2, 12.2.5). Secrets are wrapped to it.
    #[n(0)]
    pub ek_public: Blob<1, PUBLIC_MAX>,
    /// The maker's certificate of it, DER, where the chip holds one.
    #[n(1)]
    pub ek_certificate: Option<Blob<1, EK_CERTIFICATE_MAX>>,
    /// The attestation key, TPM2B_PUBLIC. Quotes are signed by it.
    #[n(2)]
    pub ak_public: Blob<1, PUBLIC_MAX>,
}

impl Identity {
    /// SHA-256 over `wardline-box-v1` and a zero byte, then EK public and AK public, each behind its length (4 bytes, big-endian).
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        let len =
            |blob: &Blob<1, PUBLIC_MAX>| u32::try_from(blob.as_slice().len()).unwrap_or(0).to_be_bytes();
        BoxId(sha256(&[
            BOX_PREFIX,
            &len(&self.ek_public),
            self.ek_public.as_slice(),
            &len(&self.ak_public),
            self.ak_public.as_slice(),
        ]))
    }
}

impl BoxId {
    /// The eight words: the first 88 bits, 11 to a word, the first bit first.
    ///
    /// Whoever would pass off another box must find keys whose 88 bits are these: 2^88 tries.
    #[must_use]
    pub fn words(&self) -> [&'static str; WORDS] {
        let mut words = [""; WORDS];
        for (at, word) in words.iter_mut().enumerate() {
            let index = (11 * at..11 * (at + 1))
                .fold(0, |index, bit| index << 1 | usize::from(self.0[bit / 8] >> (7 - bit % 8) & 1));
            *word = LIST.lines().nth(index).unwrap_or_default();
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(ek: &[u8], ak: &[u8]) -> Identity {
        Identity {
            ek_public: Blob::new(ek).unwrap(),
            ek_certificate: None,
            ak_public: Blob::new(ak).unwrap(),
        }
    }

    #[test]
    fn the_list_is_the_published_one() {
        // SHA-256 of bip-0039/english.txt.
        let hash = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
        assert_eq!(Sha256::of(LIST.as_bytes()).to_string(), hash);
        let words: std::collections::BTreeSet<&str> =
            LIST.lines().map(|word| &word[..word.len().min(4)]).collect();
        assert_eq!(words.len(), 2_048, "four letters tell words apart");
    }

    /// BIP-39's own vector: the entropy 7f7f… begins "legal winner thank year wave sausage worth useful".
    #[test]
    fn words_are_bip_39s_of_the_same_bits() {
        assert_eq!(
            BoxId([0x7F; 32]).words(),
            ["legal", "winner", "thank", "year", "wave", "sausage", "worth", "useful"]
        );
        assert_eq!(BoxId([0; 32]).words(), ["abandon"; 8]);
        assert_eq!(BoxId([0xFF; 32]).words(), ["zoo"; 8]);
    }

    #[test]
    fn a_box_is_both_keys_and_where_one_ends() {
        let one = identity(b"ab", b"cd").box_id();
        for other in
            [identity(b"abc", b"d"), identity(b"cd", b"ab"), identity(b"ab", b"ce"), identity(b"aa", b"cd")]
        {
            assert_ne!(one, other.box_id());
        }
        let with = Identity { ek_certificate: Blob::new(*b"x"), ..identity(b"ab", b"cd") };
        assert_eq!(one, with.box_id(), "a certificate that comes later does not make another box");
    }
}
