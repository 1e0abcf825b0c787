//! One constant text, encrypted for one browser: RFC 8291 with the one record of RFC 8188's `aes128gcm`.
//!
//! The text says nothing, and its length is always the same. It is encrypted all the same, because push services carry no
//! text that is not, and so that they cannot tell Wardline's bell from any other message of that size.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use wardline_bell_protocol::Subscription;
use zeroize::Zeroizing;

/// All that is ever sent. The app's service worker does not look at it.
pub const TEXT: &[u8] = b"Wardline";
/// The record size that the header names: more than the one record has.
const RECORD_BYTES: u32 = 4096;
/// Header (salt, record size, key), text, delimiter and tag: every message that leaves.
pub const SEALED_BYTES: usize = 16 + 4 + 1 + 65 + TEXT.len() + 1 + 16;

/// The subscription's key is no point of the curve, or the system has no randomness.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this subscription's key cannot be used")]
pub struct UnusableKey;

impl From<aws_lc_rs::error::Unspecified> for UnusableKey {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// The constant text for this browser.
///
/// # Errors
/// [`UnusableKey`].
pub fn seal(to: &Subscription) -> Result<Vec<u8>, UnusableKey> {
    let mut salt = [0; 16];
    rand::fill(&mut salt)?;
    let once = PrivateKey::generate(&ECDH_P256)?;
    seal_with(to, &once, &salt, TEXT)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; N]>, UnusableKey> {
    let mut out = Zeroizing::new([0; N]);
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(N))?.fill(&mut *out)?;
    Ok(out)
}

fn seal_with(
    to: &Subscription,
    once: &PrivateKey,
    salt: &[u8; 16],
    text: &[u8],
) -> Result<Vec<u8>, UnusableKey> {
    let public = once.compute_public_key().map_err(|_| UnusableKey)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &to.p256dh);
    // RFC 8291 section 3.4.
    let input = agree(once, theirs, UnusableKey, |shared| {
        derive::<32>(&to.auth, shared, &[b"WebPush: info\0", &to.p256dh, public.as_ref()])
    })?;
    let key = derive::<16>(salt, &*input, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derive::<12>(salt, &*input, &[b"Content-Encoding: nonce\0"])?;
    // RFC 8188 section 2: the last record's delimiter.
    let mut record = [text, &[2]].concat();
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &*key)?).seal_in_place_append_tag(
        Nonce::assume_unique_for_key(*nonce),
        Aad::empty(),
        &mut record,
    )?;
    let public = public.as_ref();
    let mut sealed = Vec::with_capacity(SEALED_BYTES);
    sealed.extend_from_slice(salt);
    sealed.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    sealed.push(u8::try_from(public.len()).map_err(|_| UnusableKey)?);
    sealed.extend_from_slice(public);
    sealed.extend_from_slice(&record);
    Ok(sealed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn somebody() -> Subscription {
        Subscription {
            endpoint: "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV".to_owned(),
            p256dh: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            )
            .try_into()
            .unwrap(),
            auth: bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap(),
        }
    }

    /// RFC 8291 section 5 and appendix A.
    #[test]
    fn it_is_the_message_of_the_standard() {
        let once =
            PrivateKey::from_private_key(&ECDH_P256, &bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
                .unwrap();
        let salt: [u8; 16] = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let sealed =
            seal_with(&somebody(), &once, &salt, b"When I grow up, I want to be a watermelon").unwrap();
        let want = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(sealed), want);
    }

    #[test]
    fn every_message_has_the_same_length_and_other_bytes() {
        let (one, other) = (seal(&somebody()).unwrap(), seal(&somebody()).unwrap());
        assert_eq!((one.len(), other.len()), (SEALED_BYTES, SEALED_BYTES));
        assert_ne!(one, other);
    }

    #[test]
    fn a_key_that_is_no_point_is_refused() {
        for p256dh in [[0; 65], [4; 65]] {
            assert_eq!(seal(&Subscription { p256dh, ..somebody() }).unwrap_err(), UnusableKey);
        }
    }
}
