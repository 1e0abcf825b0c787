//! Files cut at random bytes, each several times, the relay killed in the midst of some: each arrives, is what it was, and costs little
//! more than its bytes once.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `WARDLINE_UPLOADS` | files | 5 |
//! | `WARDLINE_UPLOAD_BYTES` | of each | 2,000,000; 20 MB when there are more than 5 |
//! | `WARDLINE_SEED` | of the chance | the clock |
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

mod support;

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::Notify;
use wardline_client::attachments::{FileToSend, Uploaded};
use wardline_client::event::Message;
use wardline_client::stat::Urgency;
use wardline_client::{Calls as _, Client, ConversationId, Error, Sequence};

use support::Fixture;
use support::pair::Pair;

/// Generous: the machine that runs this may be busy. Nothing here measures.
const PATIENCE: Duration = Duration::from_secs(300);
/// Bytes that a cut may cost beyond those that it cut off: what had left and was not in a whole piece, and windows.
const LOST_BY_A_CUT: u64 = 1 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Chance that is the same for a seed (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

/// Brings a file up to a byte, and is cut there.
async fn cut_at(client: &Client, place: ConversationId, file: &FileToSend, byte: u64) -> Option<Uploaded> {
    let reached = Notify::new();
    let told = |sent, _| {
        if sent >= byte {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => None,
        done = client.upload(place, file, told) => Some(done.expect("nothing refuses it")),
    }
}

/// Who only listened learns that the relay was killed by asking it: the first question may be lost.
async fn newest(ben: &Client, place: ConversationId, sequence: Sequence) -> Result<Message> {
    let asked = async {
        loop {
            ben.ready().await?;
            match ben.history(place, sequence.next(), 1).await {
                Ok(page) => return page.messages.into_iter().next().context("the message"),
                Err(Error::Offline(_) | Error::Interrupted) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await?
}

async fn cut_and_resumed(fixture: &mut Fixture, dice: &mut Dice, files: u64, bytes: u64) -> Result<()> {
    let pair = Pair::join(fixture).await?;
    let place = pair.conversation;
    let (mut cuts, mut kills) = (0, 0);
    let mut counted = 0;
    for number in 0..files {
        let mut content = b"\xff\xd8\xff".to_vec();
        content.extend((3..bytes).map(|_| dice.below(256) as u8));
        let path = fixture.path(&format!("photo-{number}.jpg"));
        std::fs::write(&path, &content)?;
        let file = FileToSend::open(&path)?;
        let mut uploaded = None;
        for _ in 0..1 + dice.below(3) {
            uploaded = cut_at(&pair.ana, place, &file, 1 + dice.below(bytes)).await;
            if uploaded.is_some() {
                break;
            }
            cuts += 1;
            if number % 5 == 1 {
                // What it has counted goes with it.
                counted += fixture.metric("wardline_relay_attachment_bytes_in_total")?;
                fixture.devbox.kill_relay();
                fixture.devbox.start_relay()?;
                kills += 1;
            }
        }
        let uploaded = match uploaded {
            Some(uploaded) => uploaded,
            None => tokio::time::timeout(PATIENCE, pair.ana.upload(place, &file, |_, _| {})).await??,
        };
        let text = format!("photo {number}");
        let mut sent =
            pair.ana.send_with(place, &text, Urgency::default(), Default::default(), vec![uploaded]).await?;
        let accepted = tokio::time::timeout(PATIENCE, sent.outcome()).await??;
        let message = newest(&pair.ben, place, accepted.sequence).await?;
        let attachment = message.attachments.first().context("its file")?;
        let into = fixture.path(&format!("saved-{number}.jpg"));
        let of = (place, accepted.sequence);
        tokio::time::timeout(PATIENCE, pair.ben.fetch(of, 0, attachment, &into, |_, _| {})).await??;
        ensure!(std::fs::read(&into)? == content, "file {number} is another");
        std::fs::remove_file(&into)?;
        std::fs::remove_file(&path)?;
    }
    let came = counted + fixture.metric("wardline_relay_attachment_bytes_in_total")?;
    eprintln!("{files} files of {bytes} bytes, {cuts} cuts, {kills} kills: {came} bytes came");
    ensure!(came <= files * bytes + cuts * LOST_BY_A_CUT, "{came} bytes came for {files} of {bytes}");
    pair.ana.close().await;
    pair.ben.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_cut_at_random_bytes_go_on_and_hash_right() {
    let files = setting("WARDLINE_UPLOADS", 5);
    let bytes = setting("WARDLINE_UPLOAD_BYTES", if files > 5 { 20_000_000 } else { 2_000_000 });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = setting("WARDLINE_SEED", now) | 1;
    eprintln!("seed {seed}");
    let mut fixture = Fixture::start(&[]).unwrap();
    cut_and_resumed(&mut fixture, &mut Dice(seed), files, bytes).await.unwrap();
    fixture.devbox.stop();
}
