//! A bundle as bytes: where it begins and ends, what it says of itself, and what its seal must cover.
//!
//! Refuses to judge: what stands here is well formed and no more. Nothing is copied before its length was checked, and no
//! byte may be anything but what it is: there is one file for one content.

use minicbor::{Decode, Encode};
use wardline_keys_protocol::policy::sha256;

use super::codec::{self, Unreadable};
use super::fault::Fault;
use super::identity::{BoxId, Nonce, Sha256, SignerKey};

/// How a bundle begins. The first byte is no text, and the line ends tell a copy that was "translated" as text.
pub const MAGIC: [u8; 8] = *b"\x89WLB\r\n\x1a\n";
/// The version of the format.
pub const VERSION: u16 = 1;
/// Most bytes of a manifest. One of ours takes 16 chunks x 40 + 5 x 34 bytes, below 1 KiB.
pub const MANIFEST_MAX: usize = 64 * 1024;
/// Most bytes of a seal: a quote takes about 145 + 72 + 24 PCRs x 36.
pub const SEAL_MAX: usize = 2 * 1024;
/// Most chunks.
pub const CHUNKS_MAX: usize = 16;
/// Most bytes of all chunks together. A configuration takes at most 64 KiB (see `configuration.rs`).
pub const CHUNKS_SUM_MAX: u64 = 1024 * 1024;
/// Most bytes of a whole file: what a reader takes from a stick before it asks what it is.
pub const FILE_MAX: usize = HEAD + MANIFEST_MAX + 2 + SEAL_MAX + CHUNKS_SUM_MAX as usize;

/// Magic, version (2 bytes), length of the manifest (4 bytes).
const HEAD: usize = 8 + 2 + 4;

/// What a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A box asks to be configured.
    Request = 1,
    /// A facility configures a box.
    Configuration = 2,
    /// A box says what it has in force.
    Receipt = 3,
}

impl Kind {
    /// What the seal is over, before the manifest: a seal of one kind is none of another.
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Request => b"wardline-bundle-v1 request\0",
            Self::Configuration => b"wardline-bundle-v1 configuration\0",
            Self::Receipt => b"wardline-bundle-v1 receipt\0",
        }
    }

    fn from_number(number: u8) -> Result<Self, Fault> {
        match number {
            1 => Ok(Self::Request),
            2 => Ok(Self::Configuration),
            3 => Ok(Self::Receipt),
            // 4 is an update and 5 an acceptance; neither is there yet.
            _ => Err(Fault::OtherKind),
        }
    }
}

/// What a bundle says of itself. The fields that its kind has are its variant's, and no others can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// A request.
    Request {
        /// The box that asks.
        box_id: BoxId,
    },
    /// A configuration.
    Configuration {
        /// The box that it is for.
        box_id: BoxId,
        /// Counts up with each configuration of this box; at least 1.
        serial: u64,
        /// SHA-256 of the file of the last receipt of this box that was verified; none before the first.
        answers: Option<Sha256>,
        /// For the receipt's quote.
        nonce: Nonce,
        /// Who signed.
        signer: SignerKey,
    },
    /// A receipt.
    Receipt {
        /// The box that gives it.
        box_id: BoxId,
        /// The configuration's.
        serial: u64,
        /// SHA-256 of the configuration's file.
        answers: Sha256,
        /// The configuration's.
        nonce: Nonce,
    },
}

impl Manifest {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Request { .. } => Kind::Request,
            Self::Configuration { .. } => Kind::Configuration,
            Self::Receipt { .. } => Kind::Receipt,
        }
    }

    /// The box that it is from or for.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        match self {
            Self::Request { box_id } | Self::Configuration { box_id, .. } | Self::Receipt { box_id, .. } => {
                *box_id
            }
        }
    }
}

/// A chunk, as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Chunk {
    #[n(0)]
    length: u64,
    #[n(1)]
    sha256: Sha256,
}

/// The manifest as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Written {
    #[n(0)]
    kind: u8,
    #[n(1)]
    box_id: BoxId,
    #[n(2)]
    serial: Option<u64>,
    #[n(3)]
    answers: Option<Sha256>,
    #[n(4)]
    nonce: Option<Nonce>,
    #[n(5)]
    chunks: ChunkList,
    #[n(6)]
    signer: Option<SignerKey>,
}

/// Not a [`codec::List`]: two chunks may be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChunkList(Vec<Chunk>);

impl<C> Encode<C> for ChunkList {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(self.0.len() as u64)?;
        self.0.iter().try_for_each(|chunk| chunk.encode(e, ctx))
    }
}

impl<'b, C> Decode<'b, C> for ChunkList {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let len = d.array()?.ok_or_else(|| minicbor::decode::Error::message("indefinite array"))?;
        // One more than allowed is read, so that the bound has its own reason and not this one.
        if len > CHUNKS_MAX as u64 + 1 {
            return Err(minicbor::decode::Error::message("too many chunks"));
        }
        (0..len).map(|_| Chunk::decode(d, ctx)).collect::<Result<_, _>>().map(Self)
    }
}

/// A well-formed bundle: the parts of the file, which nobody has vouched for yet.
#[derive(Debug, Clone)]
pub(crate) struct Framed<'a> {
    pub(crate) manifest: Manifest,
    pub(crate) seal: &'a [u8],
    /// What the seal is over.
    pub(crate) sealed: Vec<u8>,
    pub(crate) file: Sha256,
    chunks: Vec<(Sha256, &'a [u8])>,
}

impl<'a> Framed<'a> {
    /// Takes a file apart.
    ///
    /// # Errors
    /// The first [`Fault`] in the order of the file.
    pub(crate) fn read(file: &'a [u8]) -> Result<Self, Fault> {
        let known = file.len().min(MAGIC.len());
        if file[..known] != MAGIC[..known] || file.is_empty() {
            return Err(Fault::NotABundle);
        }
        let mut rest = &file[known..];
        if known < MAGIC.len() {
            return Err(Fault::Truncated);
        }
        if u16::from_be_bytes(take_array(&mut rest)?) != VERSION {
            return Err(Fault::Version);
        }
        let length = u32::from_be_bytes(take_array(&mut rest)?) as usize;
        if !(1..=MANIFEST_MAX).contains(&length) {
            return Err(Fault::ManifestLength);
        }
        let bytes = take(&mut rest, length)?;
        let (manifest, chunks) = read_manifest(bytes)?;
        let length = usize::from(u16::from_be_bytes(take_array(&mut rest)?));
        if !(1..=SEAL_MAX).contains(&length) {
            return Err(Fault::SealMalformed);
        }
        let seal = take(&mut rest, length)?;
        let parts = chunks
            .iter()
            .map(|chunk| {
                // Bounded above by CHUNKS_SUM_MAX.
                let length = usize::try_from(chunk.length).map_err(|_| Fault::ChunkBounds)?;
                Ok((chunk.sha256, take(&mut rest, length)?))
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        if !rest.is_empty() {
            return Err(Fault::Trailing);
        }
        let sealed = [manifest.kind().prefix(), bytes].concat();
        Ok(Self { manifest, seal, sealed, file: Sha256::of(file), chunks: parts })
    }

    /// The one chunk that every kind of this version has, once its hash is the manifest's.
    pub(crate) fn body(&self) -> Result<&'a [u8], Fault> {
        match self.chunks.as_slice() {
            [(hash, bytes)] if Sha256::of(bytes) == *hash => Ok(bytes),
            [_] => Err(Fault::ChunkChanged),
            _ => Err(Fault::ChunkBounds),
        }
    }

    /// SHA-256 of what the seal is over: what a quote must carry.
    pub(crate) fn qualifying(&self) -> [u8; 32] {
        sha256(&[&self.sealed])
    }
}

/// A bundle that lacks nothing but its seal.
#[derive(Debug, Clone)]
pub(crate) struct Unsealed {
    manifest: Vec<u8>,
    sealed: Vec<u8>,
    body: Vec<u8>,
}

impl Unsealed {
    pub(crate) fn new(manifest: &Manifest, body: Vec<u8>) -> Self {
        let chunks = ChunkList(vec![Chunk { length: body.len() as u64, sha256: Sha256::of(&body) }]);
        let bytes = codec::encode(&written(manifest, chunks));
        let sealed = [manifest.kind().prefix(), &bytes].concat();
        Self { manifest: bytes, sealed, body }
    }

    /// What is to be signed.
    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// What is to be quoted.
    pub(crate) fn qualifying(&self) -> [u8; 32] {
        sha256(&[&self.sealed])
    }

    /// The file. The seal has [`SEAL_MAX`] bytes at most: whoever makes one bounds it.
    pub(crate) fn with_seal(self, seal: &[u8]) -> Vec<u8> {
        let mut file = Vec::with_capacity(HEAD + self.manifest.len() + 2 + seal.len() + self.body.len());
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&VERSION.to_be_bytes());
        file.extend_from_slice(&u32::try_from(self.manifest.len()).unwrap_or(u32::MAX).to_be_bytes());
        file.extend_from_slice(&self.manifest);
        file.extend_from_slice(&u16::try_from(seal.len()).unwrap_or(u16::MAX).to_be_bytes());
        file.extend_from_slice(seal);
        file.extend_from_slice(&self.body);
        file
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Fault::Truncated)?;
    *rest = left;
    Ok(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    take(rest, N)?.try_into().map_err(|_| Fault::Truncated)
}

fn read_manifest(bytes: &[u8]) -> Result<(Manifest, Vec<Chunk>), Fault> {
    let written: Written = codec::decode(bytes).map_err(|error| match error {
        Unreadable::Malformed | Unreadable::Value => Fault::ManifestMalformed,
        Unreadable::NotCanonical => Fault::ManifestNotCanonical,
    })?;
    let Written { kind, box_id, serial, answers, nonce, chunks, signer } = written;
    let manifest = match (Kind::from_number(kind)?, serial, answers, nonce, signer) {
        (Kind::Request, None, None, None, None) => Manifest::Request { box_id },
        (Kind::Configuration, Some(serial @ 1..), answers, Some(nonce), Some(signer)) => {
            Manifest::Configuration { box_id, serial, answers, nonce, signer }
        }
        (Kind::Receipt, Some(serial @ 1..), Some(answers), Some(nonce), None) => {
            Manifest::Receipt { box_id, serial, answers, nonce }
        }
        _ => return Err(Fault::Fields),
    };
    let sum = chunks.0.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.length));
    let fits = (1..=CHUNKS_MAX).contains(&chunks.0.len()) && sum.is_some_and(|sum| sum <= CHUNKS_SUM_MAX);
    if fits { Ok((manifest, chunks.0)) } else { Err(Fault::ChunkBounds) }
}

fn written(manifest: &Manifest, chunks: ChunkList) -> Written {
    let kind = manifest.kind() as u8;
    match manifest.clone() {
        Manifest::Request { box_id } => {
            Written { kind, box_id, serial: None, answers: None, nonce: None, chunks, signer: None }
        }
        Manifest::Configuration { box_id, serial, answers, nonce, signer } => Written {
            kind,
            box_id,
            serial: Some(serial),
            answers,
            nonce: Some(nonce),
            chunks,
            signer: Some(signer),
        },
        Manifest::Receipt { box_id, serial, answers, nonce } => Written {
            kind,
            box_id,
            serial: Some(serial),
            answers: Some(answers),
            nonce: Some(nonce),
            chunks,
            signer: None,
        },
    }
}
