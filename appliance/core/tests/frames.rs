//! Frames on the wire, frozen: `vectors/frames.json` has the bytes of every kind of frame and what they mean, for this
//! code and for every other that speaks the protocol. Bytes that are there never change; `WARDLINE_VECTORS=update`
//! adds what is missing.
#![expect(clippy::disallowed_methods, reason = "a test reads the vectors that it holds the code against")]

use std::path::{Path, PathBuf};

use prost::Message as _;
use protox::prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use serde_json::{Map, Value as Json, json};
use wardline_core::wire::proto::{self, server_frame};
use wardline_core::wire::{self, PREFIX};

fn folder() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("vectors")
}

fn pool() -> DescriptorPool {
    let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .join("../../docs/protocol");
    let set = protox::compile([folder.join("wardline.proto")], [folder]).expect("the definition compiles");
    DescriptorPool::from_file_descriptor_set(set).expect("descriptors")
}

/// A value for a field that tells it from every other: made of its number, and of nothing by chance.
fn sample(field: &FieldDescriptor) -> Value {
    let number = field.number();
    let one = match field.kind() {
        Kind::Uint32 => Value::U32(number * 11),
        Kind::Uint64 => Value::U64(u64::from(number) * 1_000_000_007),
        Kind::Fixed64 => Value::U64(0x0102_0304_0506_0700 | u64::from(number)),
        Kind::Int64 => Value::I64(1_800_000_000_000 + i64::from(number)),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(format!("{} é", field.name())),
        Kind::Bytes => Value::Bytes(vec![number as u8; 16].into()),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(message) => Value::Message(filled(&message)),
        other => panic!("the protocol has no {other:?}"),
    };
    if field.is_list() { Value::List(vec![one.clone(), one]) } else { one }
}

/// A message with every field set; of a oneof, the first.
fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let first = field.containing_oneof().is_none_or(|oneof| oneof.fields().next() == Some(field.clone()));
        if first {
            message.set_field(&field, sample(&field));
        }
    }
    message
}

/// Every kind of frame of one side, by name.
fn kinds(pool: &DescriptorPool, side: &str) -> Vec<(String, DynamicMessage)> {
    let frame = pool.get_message_by_name(side).expect("a frame");
    let mut found = Vec::new();
    let request = frame.get_field_by_name("request").expect("a request");
    let body = frame.oneofs().next().expect("a body");
    for field in body.fields() {
        let mut message = DynamicMessage::new(frame.clone());
        message.set_field(&request, Value::U64(300));
        message.set_field(&field, sample(&field));
        if field.name() == "submit" {
            // Whose frozen bytes are from before there were attachments.
            found.push((format!("{}.{} with files", frame.name(), field.name()), message.clone()));
        }
        if ["answer_stat", "history_page"].contains(&field.name()) {
            // Whose frozen bytes are from before answers were signed.
            found.push((format!("{}.{} signed", frame.name(), field.name()), message.clone()));
        }
        if ["join", "prove", "signed_in"].contains(&field.name()) {
            // Whose frozen bytes are from before there were login secrets.
            found.push((format!("{}.{} with a login secret", frame.name(), field.name()), message.clone()));
        }
        if ["pin_needed", "locked"].contains(&field.name()) {
            // Whose frozen bytes are from before there were passkeys.
            found.push((format!("{}.{} with a passkey", frame.name(), field.name()), message.clone()));
        }
        if field.name() == "signed_in" {
            // And from before there were leases.
            found.push((format!("{}.{} with a lease", frame.name(), field.name()), message.clone()));
        }
        found.push((format!("{}.{}", frame.name(), field.name()), message));
    }
    found
}

/// Deliveries of every kind of event.
fn deliveries(pool: &DescriptorPool) -> Vec<(String, DynamicMessage)> {
    let frame = pool.get_message_by_name("wardline.v1.ServerFrame").expect("a frame");
    let event = pool.get_message_by_name("wardline.v1.Event").expect("an event");
    let delivery = pool.get_message_by_name("wardline.v1.Delivery").expect("a delivery");
    let mut found = Vec::new();
    for kind in event.oneofs().next().expect("kinds").fields() {
        let mut inner = DynamicMessage::new(event.clone());
        inner.set_field(&kind, sample(&kind));
        let mut outer = DynamicMessage::new(delivery.clone());
        outer.set_field_by_name("cursor", Value::Bytes(vec![9; 16].into()));
        outer.set_field_by_name("event", Value::Message(inner));
        let mut message = DynamicMessage::new(frame.clone());
        message.set_field_by_name("delivery", Value::Message(outer));
        found.push((format!("Event.{}", kind.name()), message.clone()));
        if kind.name() == "person" {
            // Whose frozen bytes are from before there were agencies.
            found.push((format!("Event.{} from an agency", kind.name()), message.clone()));
        }
        // Whose frozen bytes are from before there were attachments.
        if kind.name() == "message" {
            found.push((format!("Event.{} with files", kind.name()), message.clone()));
        }
        // Whose frozen bytes are from before a call note said when.
        if kind.name() == "escalation" {
            found.push((format!("Event.{} by a call note", kind.name()), message.clone()));
        }
        // Whose frozen bytes are from before there were patients.
        if ["conversation", "conversation_changed"].contains(&kind.name()) {
            found.push((format!("Event.{} of a patient", kind.name()), message));
        }
    }
    found
}

fn all(pool: &DescriptorPool) -> Vec<(String, DynamicMessage)> {
    let mut all = kinds(pool, "wardline.v1.ClientFrame");
    all.extend(kinds(pool, "wardline.v1.ServerFrame"));
    all.extend(deliveries(pool));
    all
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// A message in protobuf's own JSON mapping: 64-bit numbers and bytes are strings, enums their names.
fn meaning(message: &DynamicMessage) -> Json {
    let mut object = Map::new();
    for (field, value) in message.fields() {
        let shown = match value {
            Value::List(list) => Json::Array(list.iter().map(|value| meaning_of(&field, value)).collect()),
            value => meaning_of(&field, value),
        };
        object.insert(field.json_name().to_owned(), shown);
    }
    Json::Object(object)
}

fn meaning_of(field: &FieldDescriptor, value: &Value) -> Json {
    match (value, field.kind()) {
        (Value::Bool(value), _) => json!(value),
        (Value::U32(value), _) => json!(value),
        (Value::U64(value), _) => json!(value.to_string()),
        (Value::I64(value), _) => json!(value.to_string()),
        (Value::String(value), _) => json!(value),
        (Value::Bytes(value), _) => json!(base64(value)),
        (Value::EnumNumber(number), Kind::Enum(kind)) => {
            json!(kind.get_value(*number).expect("a value of the enum").name())
        }
        (Value::Message(message), _) => meaning(message),
        (other, _) => panic!("the protocol has no {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn frozen() -> Vec<Json> {
    let path = folder().join("frames.json");
    let mut frozen: Vec<Json> =
        std::fs::read(&path).map(|bytes| serde_json::from_slice(&bytes).expect("JSON")).unwrap_or_default();
    if std::env::var("WARDLINE_VECTORS").is_ok_and(|wish| wish == "update") {
        for (name, message) in all(&pool()) {
            if !frozen.iter().any(|vector| vector["name"] == json!(name)) {
                let bytes = hex(&message.encode_to_vec());
                frozen.push(json!({ "name": name, "hex": bytes, "means": meaning(&message) }));
            }
        }
        let text = serde_json::to_string_pretty(&frozen).expect("JSON");
        std::fs::write(&path, text + "\n").expect("the vectors are written");
    }
    frozen
}

#[test]
fn frozen_frames_mean_what_they_meant() {
    let (pool, frozen) = (pool(), frozen());
    for (name, _) in all(&pool) {
        assert!(frozen.iter().any(|vector| vector["name"] == json!(name)), "{name} has no vector");
    }
    for vector in &frozen {
        let name = vector["name"].as_str().expect("a name");
        let bytes = unhex(vector["hex"].as_str().expect("bytes"));
        let client = name.starts_with("ClientFrame");
        let side = if client { "wardline.v1.ClientFrame" } else { "wardline.v1.ServerFrame" };
        let descriptor = pool.get_message_by_name(side).expect("a frame");
        let message = DynamicMessage::decode(descriptor, bytes.as_slice()).expect("frozen bytes are a frame");
        assert_eq!(meaning(&message), vector["means"], "{name}");
        let again = if client {
            let frame = wire::decode_client(&bytes).expect("frozen bytes are a client's frame");
            assert!(frame.body.is_some(), "{name} is known to the code");
            wire::encode_frame(&frame)
        } else {
            let frame =
                proto::ServerFrame::decode(bytes.as_slice()).expect("frozen bytes are a server's frame");
            assert!(frame.body.is_some(), "{name} is known to the code");
            wire::encode_frame(&frame)
        };
        assert_eq!(hex(&again[PREFIX..]), hex(&bytes), "{name}");
        let prefix: [u8; PREFIX] = again[..PREFIX].try_into().expect("four bytes");
        assert_eq!(wire::frame_length(prefix, bytes.len()), Ok(bytes.len()), "{name}");
    }
}

/// A fan-out writes its event once and a head for each device; together they are what prost would write.
#[test]
fn a_delivery_by_hand_is_a_delivery() {
    let mut seen = 0;
    for vector in frozen() {
        let bytes = unhex(vector["hex"].as_str().expect("bytes"));
        if !vector["name"].as_str().expect("a name").starts_with("Event.") {
            continue;
        }
        let frame = proto::ServerFrame::decode(bytes.as_slice()).expect("a frame");
        let Some(server_frame::Body::Delivery(delivery)) = frame.body else { panic!("a delivery") };
        let cursor: [u8; 16] = delivery.cursor.as_slice().try_into().expect("a cursor");
        let event = wire::encode_event(delivery.event.and_then(|event| event.kind).expect("an event"));
        let mut whole = wire::delivery_head(&cursor, event.len());
        whole.extend_from_slice(&event);
        assert_eq!(hex(&whole[PREFIX..]), hex(&bytes), "{}", vector["name"]);
        let length = u32::from_be_bytes(whole[..PREFIX].try_into().expect("four bytes"));
        assert_eq!(length as usize, bytes.len());
        seen += 1;
    }
    assert!(seen >= 5, "every kind of event");
}

#[test]
fn a_delivery_of_any_length_is_a_delivery() {
    for length in [1, 100, 126, 127, 128, 129, 8_192, 16_383, 16_384, 16_385, 70_000] {
        let message = proto::Message { text: "x".repeat(length), ..Default::default() };
        let event = proto::Event { kind: Some(proto::event::Kind::Message(message.clone())) };
        let bytes = wire::encode_event(proto::event::Kind::Message(message));
        let mut whole = wire::delivery_head(&[3; 16], bytes.len());
        whole.extend_from_slice(&bytes);
        let delivery = proto::Delivery { cursor: vec![3; 16], event: Some(event) };
        let frame = proto::ServerFrame { request: 0, body: Some(server_frame::Body::Delivery(delivery)) };
        assert!(whole == wire::encode_frame(&frame), "{length} bytes of text");
    }
}
