//! Conversation keys: unwrapped here, in memory only, and used to seal and open bodies.
//!
//! The keeper's database key never encrypts a body. It is SQLCipher's, so that a recovered key opens the file with
//! the stock tool; from it others are derived (HKDF-SHA-256, RFC 5869) for wrapping conversation keys, for cursors and
//! for stateless resets, and none of these gives away another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use wardline_core::alarm::Said;
use wardline_core::composing::{self, Lease};
use wardline_core::ids::{ConversationId, DeviceId, MessageId, UploadId};
use wardline_core::text::{Sealed, WrappedKey};
use zeroize::Zeroizing;

/// Unwrapped keys kept: two generations of this many, about 600 bytes each (an expanded AES key schedule): 20 MB.
const GENERATION_MAX: usize = 16_384;

/// Why a key or body could not be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The bytes are not what this key sealed: the store was tampered with, or the key is another's.
    #[error("sealed bytes do not open: the store or its key was changed from outside")]
    DoesNotOpen,
    /// The system's random generator failed.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

/// The keys that come of the keeper's one.
pub struct BoxKeys {
    /// For [`crate::store::StoreKey`].
    pub store: Zeroizing<[u8; 32]>,
    /// For [`wardline_core::cursor::Cursors`].
    pub cursor: Zeroizing<[u8; 32]>,
    /// For QUIC's stateless resets ([`crate::front::quic::open`]).
    pub reset: Zeroizing<[u8; 32]>,
    /// For what devices compose ([`Keyring::lease_key`]).
    lease: Zeroizing<[u8; 32]>,
    /// For the search index ([`crate::search`]), a file of its own.
    pub search: Zeroizing<[u8; 32]>,
    wrap: Zeroizing<[u8; 32]>,
}

impl BoxKeys {
    /// Derives them.
    pub fn derive(database_key: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"wardline/1 box").extract(database_key);
        let derive = |label: &'static [u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let info = [label];
            let okm = secret.expand(&info, hkdf::HKDF_SHA256).map_err(|_| KeyError::DoesNotOpen)?;
            okm.fill(key.as_mut()).map_err(|_| KeyError::DoesNotOpen)?;
            Ok(key)
        };
        Ok(Self {
            store: Zeroizing::new(*database_key),
            cursor: derive(b"cursor")?,
            reset: derive(b"reset")?,
            lease: derive(b"lease")?,
            search: derive(b"search")?,
            wrap: derive(b"wrap")?,
        })
    }
}

/// One conversation's key, ready for use.
pub struct ConversationKey(LessSafeKey);

/// One file's key, ready for use. Kept under its conversation's.
pub struct FileKey(LessSafeKey);

/// Wraps, unwraps and remembers conversation keys.
pub struct Keyring {
    wrap: LessSafeKey,
    lease: hkdf::Prk,
    random: SystemRandom,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    young: BTreeMap<ConversationId, Arc<ConversationKey>>,
    old: BTreeMap<ConversationId, Arc<ConversationKey>>,
    purges: u64,
}

impl Kept {
    /// Puts a key among the young, which grow old together when they are enough.
    fn keep(&mut self, conversation: ConversationId, key: &Arc<ConversationKey>) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(conversation, Arc::clone(key));
    }
}

/// How many purges there had been when a key was read; see [`Keyring::remember`].
#[derive(Clone, Copy)]
pub struct Purges(u64);

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, KeyError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyError::DoesNotOpen)?))
}

impl Keyring {
    /// Under the box's wrapping key.
    pub fn new(keys: &BoxKeys) -> Result<Self, KeyError> {
        let lease = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, keys.lease.as_ref());
        Ok(Self { wrap: aead(&keys.wrap)?, lease, random: SystemRandom::new(), kept: Mutex::default() })
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], KeyError> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        Ok(bytes)
    }

    /// The key of a device's lease. Never kept: the box's own key and these two numbers make it.
    pub fn lease_key(&self, device: DeviceId, lease: Lease) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let (device, lease) = (device.value().to_be_bytes(), lease.0.to_be_bytes());
        expand(&self.lease, &[b"wardline/1 lease\0", &device, &lease])
    }

    /// The key of what a device's person has not finished writing. Made as a lease's is, from another label, and the same for ever.
    pub fn drafts_key(&self, device: DeviceId) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        expand(&self.lease, &[b"wardline/1 drafts\0", &device.value().to_be_bytes()])
    }

    /// What a device sealed when it was composed, in its own place.
    pub fn open_composed(
        &self,
        (device, lease, message): (DeviceId, Lease, MessageId),
        sealed: &mut Vec<u8>,
    ) -> Result<(), KeyError> {
        let context = composing::context(device, lease, message);
        let key = self.lease_key(device, lease)?;
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.as_ref());
        let key = expand(&secret, &[&context])?;
        Self::open_under(&aead(&key)?, &context, sealed)
    }

    fn seal_under(&self, key: &LessSafeKey, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce = self.random::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut sealed[NONCE_LEN..],
            )
            .map_err(|_| KeyError::DoesNotOpen)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// In its own place: what was sealed becomes what was in it.
    fn open_under(key: &LessSafeKey, aad: &[u8], sealed: &mut Vec<u8>) -> Result<(), KeyError> {
        let nonce = *sealed.first_chunk::<NONCE_LEN>().ok_or(KeyError::DoesNotOpen)?;
        let opened = key
            .open_within(Nonce::assume_unique_for_key(nonce), Aad::from(aad), sealed, NONCE_LEN..)
            .map_err(|_| KeyError::DoesNotOpen)?
            .len();
        sealed.truncate(opened);
        Ok(())
    }

    /// A new conversation's key, wrapped.
    pub fn fresh(&self) -> Result<WrappedKey, KeyError> {
        let key = Zeroizing::new(self.random::<32>()?);
        Ok(WrappedKey(self.seal_under(&self.wrap, b"wardline/1 key", key.as_ref())?))
    }

    /// The key that was wrapped.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Result<Arc<ConversationKey>, KeyError> {
        let mut key = Zeroizing::new(wrapped.0.clone());
        Self::open_under(&self.wrap, b"wardline/1 key", &mut key)?;
        let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| KeyError::DoesNotOpen)?;
        Ok(Arc::new(ConversationKey(aead(key)?)))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, if it is at hand; else the state to pass to [`Keyring::remember`] with what the store gives.
    pub fn at_hand(&self, conversation: ConversationId) -> Result<Arc<ConversationKey>, Purges> {
        let mut kept = self.kept();
        if let Some(key) = kept.young.get(&conversation) {
            return Ok(Arc::clone(key));
        }
        if let Some(key) = kept.old.remove(&conversation) {
            kept.keep(conversation, &key);
            return Ok(key);
        }
        Err(Purges(kept.purges))
    }

    /// Keeps a key that was read from the store, unless something was purged meanwhile: then it might be that.
    pub fn remember(&self, conversation: ConversationId, key: &Arc<ConversationKey>, read_at: Purges) {
        let mut kept = self.kept();
        if kept.purges != read_at.0 {
            return;
        }
        kept.keep(conversation, key);
    }

    /// Forgets a destroyed key.
    pub fn forget(&self, conversation: ConversationId) {
        let mut kept = self.kept();
        kept.purges += 1;
        kept.young.remove(&conversation);
        kept.old.remove(&conversation);
    }

    /// A body under its conversation's key, bound to its place of origin.
    pub fn seal(&self, key: &ConversationKey, origin: Origin, text: &str) -> Result<Sealed, KeyError> {
        Ok(Sealed(self.seal_under(&key.0, &origin.to_aad(), text.as_bytes())?))
    }

    /// A key for a new file, and the same under its conversation's.
    pub fn fresh_file(
        &self,
        key: &ConversationKey,
        origin: FileOrigin,
    ) -> Result<(Sealed, FileKey), KeyError> {
        let file = Zeroizing::new(self.random::<32>()?);
        let sealed = self.seal_under(&key.0, &origin.to_aad(b"wardline/1 file key\0"), file.as_ref())?;
        Ok((Sealed(sealed), FileKey(aead(&file)?)))
    }

    /// A file's key.
    pub fn open_file(
        &self,
        key: &ConversationKey,
        origin: FileOrigin,
        sealed: Sealed,
    ) -> Result<FileKey, KeyError> {
        let mut file = Zeroizing::new(sealed.0);
        Self::open_under(&key.0, &origin.to_aad(b"wardline/1 file key\0"), &mut file)?;
        let file: &[u8; 32] = file.as_slice().try_into().map_err(|_| KeyError::DoesNotOpen)?;
        Ok(FileKey(aead(file)?))
    }

    /// What a file is called.
    pub fn seal_title(
        &self,
        key: &ConversationKey,
        origin: FileOrigin,
        name: &str,
    ) -> Result<Sealed, KeyError> {
        Ok(Sealed(self.seal_under(&key.0, &origin.to_aad(b"wardline/1 file name\0"), name.as_bytes())?))
    }

    /// What it is called.
    pub fn open_title(
        &self,
        key: &ConversationKey,
        origin: FileOrigin,
        sealed: Sealed,
    ) -> Result<String, KeyError> {
        let mut name = sealed.0;
        Self::open_under(&key.0, &origin.to_aad(b"wardline/1 file name\0"), &mut name)?;
        String::from_utf8(name).map_err(|_| KeyError::DoesNotOpen)
    }

    /// The small picture of a file; of none, none.
    pub fn seal_thumbnail(&self, key: &FileKey, picture: &[u8]) -> Result<Sealed, KeyError> {
        if picture.is_empty() {
            return Ok(Sealed(Vec::new()));
        }
        Ok(Sealed(self.seal_under(&key.0, b"wardline/1 thumbnail", picture)?))
    }

    /// The same, opened.
    pub fn open_thumbnail(&self, key: &FileKey, sealed: Sealed) -> Result<Vec<u8>, KeyError> {
        let mut picture = sealed.0;
        if !picture.is_empty() {
            Self::open_under(&key.0, b"wardline/1 thumbnail", &mut picture)?;
        }
        Ok(picture)
    }

    /// A piece of a file, bound to its place. Random nonces: a piece may be sealed again with other bytes, when an upload was cut; a file
    /// has at most some thousand, far from where such nonces would meet.
    pub fn seal_piece(&self, key: &FileKey, index: u64, piece: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.seal_under(&key.0, &piece_aad(index), piece)
    }

    /// A piece, in its own place.
    pub fn open_piece(key: &FileKey, index: u64, piece: &mut Vec<u8>) -> Result<(), KeyError> {
        Self::open_under(&key.0, &piece_aad(index), piece)
    }

    /// The text that was sealed. What the box itself said is not: that is its words in English.
    pub fn open(&self, key: &ConversationKey, origin: Origin, sealed: Sealed) -> Result<String, KeyError> {
        if let Some(said) = Said::of_body(&sealed) {
            return Ok(said.words().to_owned());
        }
        let mut body = sealed.0;
        Self::open_under(&key.0, &origin.to_aad(), &mut body)?;
        String::from_utf8(body).map_err(|_| KeyError::DoesNotOpen)
    }
}

fn expand(secret: &hkdf::Prk, info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    let okm = secret.expand(info, hkdf::HKDF_SHA256).map_err(|_| KeyError::DoesNotOpen)?;
    okm.fill(key.as_mut()).map_err(|_| KeyError::DoesNotOpen)?;
    Ok(key)
}

fn piece_aad(index: u64) -> [u8; 24] {
    let mut aad = *b"wardline/1 piece________";
    aad[16..].copy_from_slice(&index.to_be_bytes());
    aad
}

/// What a file's key and its name are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOrigin {
    /// Where it is to be said.
    pub conversation: ConversationId,
    /// The device that brings it.
    pub device: DeviceId,
    /// That device's name for it.
    pub upload: UploadId,
}

impl FileOrigin {
    fn to_aad(self, what: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(64);
        aad.extend_from_slice(what);
        aad.extend_from_slice(&self.conversation.value().to_be_bytes());
        aad.extend_from_slice(&self.device.value().to_be_bytes());
        aad.extend_from_slice(&self.upload.0);
        aad
    }
}

/// What a body is bound to: moved to another message, device or conversation, or put back over a later edit, it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it was said.
    pub conversation: ConversationId,
    /// Its name.
    pub message: MessageId,
    /// The device that sent it.
    pub device: DeviceId,
    /// The how many-eth edit of it; 0: as it was sent.
    pub version: u32,
}

impl Origin {
    fn to_aad(self) -> Vec<u8> {
        let mut aad = Vec::with_capacity(52);
        aad.extend_from_slice(if self.version == 0 { b"wardline/1 body\0" } else { b"wardline/1 edit\0" });
        aad.extend_from_slice(&self.conversation.value().to_be_bytes());
        aad.extend_from_slice(&self.message.0);
        aad.extend_from_slice(&self.device.value().to_be_bytes());
        if self.version > 0 {
            aad.extend_from_slice(&self.version.to_be_bytes());
        }
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(conversation: u64) -> Origin {
        Origin {
            conversation: ConversationId::new(conversation).unwrap(),
            message: MessageId([3; 16]),
            device: DeviceId::new(9).unwrap(),
            version: 0,
        }
    }

    #[test]
    fn a_body_opens_where_it_was_sealed_and_nowhere_else() {
        let ring = Keyring::new(&BoxKeys::derive(&[1; 32]).unwrap()).unwrap();
        let wrapped = ring.fresh().unwrap();
        let key = ring.unwrap(&wrapped).unwrap();
        let sealed = ring.seal(&key, origin(1), "bed 4 is free").unwrap();
        assert_eq!(ring.open(&key, origin(1), sealed.clone()).unwrap(), "bed 4 is free");
        assert_eq!(ring.open(&key, origin(2), sealed.clone()), Err(KeyError::DoesNotOpen));
        let edited = Origin { version: 1, ..origin(1) };
        assert_eq!(ring.open(&key, edited, sealed), Err(KeyError::DoesNotOpen));
        let sealed = ring.seal(&key, edited, "bed 5 is free").unwrap();
        assert_eq!(ring.open(&key, edited, sealed.clone()).unwrap(), "bed 5 is free");
        let again = Origin { version: 2, ..origin(1) };
        assert_eq!(ring.open(&key, again, sealed), Err(KeyError::DoesNotOpen));
        let other = Keyring::new(&BoxKeys::derive(&[2; 32]).unwrap()).unwrap();
        assert!(other.unwrap(&wrapped).is_err());
    }

    /// Frozen: devices hold what was sealed so.
    #[test]
    fn a_lease_is_the_same_for_ever_and_opens_what_its_device_sealed_alone() {
        let ring = Keyring::new(&BoxKeys::derive(&[1; 32]).unwrap()).unwrap();
        let device = DeviceId::new(0x0123_4567_89ab_cdef).unwrap();
        let (lease, message) = (Lease(1_795_435_261_000), MessageId(std::array::from_fn(|at| at as u8)));
        let key = ring.lease_key(device, lease).unwrap();
        let told: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told, "150b7ea928aa633959614403ba80c905cfd92ed3a99674ec6294e8ee13b5c1f6");
        let drafts = ring.drafts_key(device).unwrap();
        let told: String = drafts.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told, "9bf36a52fbc65d9fae00caebaf285fcdd24f20a4e8627e5bb539853423582a8d");
        let context = composing::context(device, lease, message);
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.as_ref());
        let key = aead(&expand(&secret, &[&context]).unwrap()).unwrap();
        let sealed = ring.seal_under(&key, &context, b"bed 4").unwrap();
        let open = |device, lease, message| {
            let mut sealed = sealed.clone();
            ring.open_composed((device, lease, message), &mut sealed).map(|()| sealed)
        };
        assert_eq!(open(device, lease, message).unwrap(), b"bed 4");
        let other = DeviceId::new(device.value() ^ 1).unwrap();
        assert_eq!(open(other, lease, message), Err(KeyError::DoesNotOpen));
        assert_eq!(open(device, Lease(lease.0 + 1), message), Err(KeyError::DoesNotOpen));
        assert_eq!(open(device, lease, MessageId([0; 16])), Err(KeyError::DoesNotOpen));
        let shorter =
            |length: usize| ring.open_composed((device, lease, message), &mut sealed[..length].to_vec());
        assert!((0..sealed.len()).all(|length| shorter(length).is_err()));
    }

    #[test]
    fn keys_in_use_stay_and_their_number_is_bounded() {
        let ring = Keyring::new(&BoxKeys::derive(&[1; 32]).unwrap()).unwrap();
        let key = ring.unwrap(&ring.fresh().unwrap()).unwrap();
        let id = |which: usize| ConversationId::new(1 + which as u64).unwrap();
        let most = 2 * GENERATION_MAX;
        for which in 0..most {
            ring.remember(id(which), &key, Purges(0));
        }
        // Whatever is old is used again: the young must not be twice as many for it.
        for which in 0..most {
            if let Err(read_at) = ring.at_hand(id(which)) {
                ring.remember(id(which), &key, read_at);
            }
            let kept = ring.kept();
            assert!(kept.young.len() <= GENERATION_MAX && kept.old.len() <= GENERATION_MAX);
        }
        assert!(ring.at_hand(id(most - 1)).is_ok());
    }

    #[test]
    fn a_key_read_before_a_purge_is_not_kept_after_it() {
        let ring = Keyring::new(&BoxKeys::derive(&[1; 32]).unwrap()).unwrap();
        let id = ConversationId::new(1).unwrap();
        let key = ring.unwrap(&ring.fresh().unwrap()).unwrap();
        let Err(read_at) = ring.at_hand(id) else { panic!("nothing was kept yet") };
        ring.forget(id);
        ring.remember(id, &key, read_at);
        assert!(ring.at_hand(id).is_err());
    }
}
