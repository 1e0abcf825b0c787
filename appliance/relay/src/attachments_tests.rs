//! Uploads that are cut at any byte, against a file that is what was announced, or is not.

use super::*;
use crate::keyring::BoxKeys;
use wardline_core::ids::{ConversationId, DeviceId, UploadId};

struct Bench {
    directory: tempfile::TempDir,
    files: Arc<Attachments>,
    keyring: Arc<Keyring>,
    conversation: Arc<crate::keyring::ConversationKey>,
    sealed: wardline_core::text::Sealed,
    origin: crate::keyring::FileOrigin,
}

const FILE: Change = Change(70);

fn photo(length: usize) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff".to_vec();
    bytes.extend((3..length).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    bytes
}

fn said(bytes: &[u8]) -> Said {
    let sha256 = digest::digest(&SHA256, bytes).as_ref().try_into().unwrap();
    Said { length: bytes.len() as u64, sha256, media: Media::Jpeg }
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = Arc::new(Attachments::open(directory.path().join("attachments")).unwrap());
        let keyring = Arc::new(Keyring::new(&BoxKeys::derive(&[1; 32]).unwrap()).unwrap());
        let conversation = keyring.unwrap(&keyring.fresh().unwrap()).unwrap();
        let origin = crate::keyring::FileOrigin {
            conversation: ConversationId::new(1).unwrap(),
            device: DeviceId::new(2).unwrap(),
            upload: UploadId([3; 16]),
        };
        let (sealed, _) = keyring.fresh_file(&conversation, origin).unwrap();
        Self { directory, files, keyring, conversation, sealed, origin }
    }

    fn key(&self) -> FileKey {
        self.keyring.open_file(&self.conversation, self.origin, self.sealed.clone()).unwrap()
    }

    async fn resume(&self, said: Said) -> Incoming {
        let claim = self.files.claim(FILE).unwrap();
        Incoming::resume(claim, self.key(), said).await.unwrap_or_else(|_| panic!("it opens"))
    }

    /// Sends what is missing up to a byte, and is cut there.
    async fn send_up_to(&self, bytes: &[u8], said: Said, end: usize) -> Result<u64, Stop> {
        let mut incoming = self.resume(said).await;
        let from = incoming.have() as usize;
        for part in bytes[from.min(end)..end].chunks(9_999) {
            incoming = incoming.push(&self.keyring, part).await?;
        }
        let have = incoming.have();
        if have == said.length { Err(incoming.end().await) } else { Ok(have) }
    }

    async fn read(&self, length: u64, from: u64) -> io::Result<Vec<u8>> {
        let mut outgoing = self.files.read(FILE, length, from, Arc::new(self.key())).await?;
        let mut all = Vec::new();
        loop {
            let (rest, bytes) = outgoing.next().await?;
            if bytes.is_empty() {
                return Ok(all);
            }
            all.extend(bytes);
            outgoing = rest;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_at_any_byte_goes_on_and_is_the_same_in_the_end() {
    const PIECE: usize = ATTACHMENT_PIECE;
    let bytes = photo(3 * PIECE + 777);
    let cuts = [0, 1, 11, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE, 3 * PIECE + 776];
    for cut in cuts {
        let bench = Bench::new();
        let have = bench.send_up_to(&bytes, said(&bytes), cut).await.unwrap();
        assert_eq!(have as usize, cut / PIECE * PIECE, "whole pieces are kept");
        assert_eq!(bench.files.received(FILE), Received::Part);
        let end = bench.send_up_to(&bytes, said(&bytes), bytes.len()).await;
        assert!(matches!(end, Err(Stop::Judged(Received::Whole))), "cut at {cut}");
        assert_eq!(bench.files.received(FILE), Received::Whole);
        for from in [0, 1, PIECE - 1, PIECE, 2 * PIECE + 5, bytes.len() - 1, bytes.len()] {
            assert!(
                bench.read(bytes.len() as u64, from as u64).await.unwrap() == bytes[from..],
                "from {from}"
            );
        }
    }
}

#[tokio::test]
async fn half_a_piece_of_a_power_cut_and_everything_behind_what_does_not_open_come_again() {
    let bytes = photo(4 * ATTACHMENT_PIECE);
    let bench = Bench::new();
    bench.send_up_to(&bytes, said(&bytes), 3 * ATTACHMENT_PIECE).await.unwrap();
    let path = bench.files.path(FILE);
    let mut stored = fs::read(&path).unwrap();
    stored.truncate(stored.len() - 5);
    fs::write(&path, &stored).unwrap();
    assert_eq!(bench.resume(said(&bytes)).await.have(), 2 * ATTACHMENT_PIECE as u64);
    stored[RECORD + 100] ^= 1;
    fs::write(&path, &stored).unwrap();
    assert_eq!(bench.resume(said(&bytes)).await.have(), ATTACHMENT_PIECE as u64);
    let end = bench.send_up_to(&bytes, said(&bytes), bytes.len()).await;
    assert!(matches!(end, Err(Stop::Judged(Received::Whole))));
}

#[tokio::test]
async fn what_is_not_what_was_announced_is_refused_and_begins_anew() {
    let bytes = photo(100_000);
    let bench = Bench::new();
    let other = Said { sha256: [0; 32], ..said(&bytes) };
    let end = bench.send_up_to(&bytes, other, bytes.len()).await;
    assert!(matches!(end, Err(Stop::Judged(Received::Damaged))));
    assert_eq!(bench.files.received(FILE), Received::Damaged);
    assert_eq!(fs::metadata(bench.files.path(FILE)).unwrap().len(), 0);
    let lies = Said { media: Media::Pdf, ..said(&bytes) };
    let end = bench.send_up_to(&bytes, lies, bytes.len()).await;
    assert!(matches!(end, Err(Stop::Judged(Received::Mistyped))));
    // More than was announced.
    let shorter = said(&bytes[..70_000]);
    let incoming = bench.resume(shorter).await;
    let end = incoming.push(&bench.keyring, &bytes).await;
    assert!(matches!(end, Err(Stop::Judged(Received::Damaged))));
    let end = bench.send_up_to(&bytes, said(&bytes), bytes.len()).await;
    assert!(matches!(end, Err(Stop::Judged(Received::Whole))));
}

#[tokio::test]
async fn the_disk_shows_neither_the_file_nor_another_key_and_one_writes_at_a_time() {
    let mut bytes = photo(200_000);
    bytes[5_000..5_027].copy_from_slice(b"CANARY-wound-of-Rosa-Diaz-!");
    let bench = Bench::new();
    let _ = bench.send_up_to(&bytes, said(&bytes), bytes.len()).await;
    let stored = fs::read(bench.files.path(FILE)).unwrap();
    assert!(!stored.windows(27).any(|part| part == b"CANARY-wound-of-Rosa-Diaz-!"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(bench.files.path(FILE)).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let (_, other) = bench.keyring.fresh_file(&bench.conversation, bench.origin).unwrap();
    let outgoing = bench.files.read(FILE, bytes.len() as u64, 0, Arc::new(other)).await.unwrap();
    assert!(outgoing.next().await.is_err());
    let elsewhere = crate::keyring::FileOrigin { upload: UploadId([4; 16]), ..bench.origin };
    assert!(bench.keyring.open_file(&bench.conversation, elsewhere, bench.sealed.clone()).is_err());
    let first = bench.files.claim(FILE).unwrap();
    assert!(bench.files.claim(FILE).is_none());
    drop(first);
    assert!(bench.files.claim(FILE).is_some());
    drop(bench.directory);
}
