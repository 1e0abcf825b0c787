//! A box of a later version. There is none yet: this entry alone has the box whose words a test writes.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use super::client::{ClientUnderTest, Reason, Seen};
use super::scripted::{self, Line, ScriptedBox};
use super::ward::{PATIENCE, PIN, Stage};

/// What a later version adds to a message: 900 to 903, a number, bytes, and the two fixed widths.
const UNKNOWN: [u8; 25] = [
    0xa0, 0x38, 7, 0xaa, 0x38, 3, b'n', b'e', b'w', 0xb1, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0xbd, 0x38, 1, 2, 3,
    4,
];

/// A message's bytes inside another one.
fn field(number: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(body.len() as u64, &mut bytes);
    [bytes.as_slice(), body].concat()
}

/// This message, and what a later version added.
fn grown(message: &impl prost::Message) -> Vec<u8> {
    [message.encode_to_vec().as_slice(), &UNKNOWN].concat()
}

/// A frame with this body, both grown.
fn frame(request: u64, number: u32, body: &impl prost::Message) -> Vec<u8> {
    let head = proto::ServerFrame { request, body: None }.encode_to_vec();
    [head.as_slice(), &UNKNOWN, &field(number, &grown(body))].concat()
}

/// A delivery of an event of this kind, all of it grown.
fn delivery(cursor: u8, kind: u32, event: &[u8]) -> Vec<u8> {
    let event = [field(kind, event).as_slice(), &UNKNOWN].concat();
    let cursor = field(1, &[cursor; 16]);
    let delivery = [cursor.as_slice(), &field(2, &event), &UNKNOWN].concat();
    field(10, &delivery)
}

async fn sign_in(the_box: &ScriptedBox) -> Result<Line> {
    let (mut line, device) = the_box.welcome().await;
    ensure!(device == scripted::DEVICE, "another device");
    let (request, Ask::Prove(_)) = line.ask().await else { bail!("no proof") };
    let Answer::SignedIn(signed_in) = scripted::signed_in(0) else { bail!("not signed in") };
    line.bytes(&frame(request, 4, &signed_in)).await;
    Ok(line)
}

/// A client that has the proof behind it.
async fn opened<C: ClientUnderTest>(the_box: &ScriptedBox, client: &C) -> Result<Line> {
    let opening = async { Ok(client.open().await?) };
    let ((), line) = tokio::try_join!(opening, sign_in(the_box))?;
    Ok(line)
}

pub(crate) async fn passes_over<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let the_box = ScriptedBox::open();
    let profile = stage.ward.fixture().path(&format!("profile-later-{}", C::NAME));
    let client = C::start(&profile)?;
    let link = the_box.link.to_string();
    let joining = async {
        let (mut line, _) = the_box.welcome().await;
        let (request, Ask::Join(_)) = line.ask().await else { bail!("no join") };
        let Answer::SignedIn(signed_in) = scripted::signed_in(0) else { bail!("not signed in") };
        line.bytes(&frame(request, 4, &signed_in)).await;
        Ok(line)
    };
    let joined = async { Ok(client.join(&link, PIN, "a phone").await?) };
    let ((), first) = tokio::try_join!(joined, joining)?;
    client.leave().await?;
    drop(first);

    let mut client = C::start(&profile)?;
    let mut line = opened(&the_box, &client).await?;
    let (request, cursor) = line.sync().await;
    ensure!(cursor.is_empty(), "a cursor that nobody gave");
    line.bytes(&frame(request, 6, &proto::SyncStarted { snapshot: true })).await;
    let proto::event::Kind::Conversation(mut conversation) = scripted::conversation() else {
        bail!("no conversation")
    };
    conversation.kind = 9;
    line.bytes(&delivery(1, 2, &grown(&conversation))).await;
    // An event, a frame and an answer to nobody that no version has.
    line.bytes(&delivery(2, 99, b"news")).await;
    line.bytes(&field(500, b"a body")).await;
    line.bytes(&[&[8, 77][..], &UNKNOWN].concat()).await;
    line.bytes(&frame(request, 7, &proto::Synced { cursor: vec![3; 16] })).await;
    let proto::event::Kind::Message(message) = scripted::message(1, "from a later version") else {
        bail!("no message")
    };
    line.bytes(&delivery(4, 1, &grown(&message))).await;
    line.bytes(&delivery(5, 99, b"more news")).await;
    heard(&mut client).await?;

    // A reason that nobody knows: the message has failed, whatever it was.
    let name = client.send(scripted::WARD, "to a later version").await?;
    let (request, submit) = loop {
        match line.ask().await {
            (request, Ask::Submit(submit)) => break (request, submit),
            (0, Ask::Receipt(_)) => {}
            _ => bail!("neither a submission nor a receipt"),
        }
    };
    ensure!(submit.message == name, "another message");
    let refused = proto::Refused { code: 999, advice: "Later.".to_owned(), retry_after: 0, tries_left: 0 };
    line.bytes(&frame(request, 5, &refused)).await;
    let failed = async {
        loop {
            if let Seen::Failed { name: failed, code } = client.event().await? {
                return anyhow::Ok((failed, code));
            }
        }
    };
    let failed = tokio::time::timeout(PATIENCE, failed).await.context("it did not fail")??;
    ensure!(failed == (name, Reason(RefusalCode::Unspecified)), "{failed:?}");

    // The cursor of what was passed over is kept as any other.
    client.leave().await?;
    let client = C::start(&profile)?;
    let mut line = opened(&the_box, &client).await?;
    let (_, cursor) = line.sync().await;
    ensure!(cursor == [5; 16], "the cursor {cursor:?}");
    Ok(())
}

/// The conversation, caught up, and the message: in this order.
async fn heard<C: ClientUnderTest>(client: &mut C) -> Result<()> {
    let mut told = Vec::new();
    let all = async {
        loop {
            match client.event().await? {
                Seen::Conversation { conversation, .. } if conversation == scripted::WARD => {
                    told.push("conversation")
                }
                Seen::CaughtUp => told.push("caught up"),
                Seen::Message(message) if message.text == "from a later version" => return anyhow::Ok(()),
                Seen::Reconnecting { why, .. } => bail!("it gave up: {why}"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.context("no message")??;
    ensure!(told == ["conversation", "caught up"], "{told:?}");
    Ok(())
}
