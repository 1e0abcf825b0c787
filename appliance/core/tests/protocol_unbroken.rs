//! The protocol only grows: what version 1 once said keeps its number, its type, its name and its oneof for ever. The
//! baseline is a compiled copy of the definition, frozen in `docs/protocol/baseline-v1.binpb`;
//! `WARDLINE_BASELINE=update` freezes today's, which is right only for additions and once for a release.
#![expect(clippy::disallowed_methods, reason = "a test reads the definitions that it compares")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

fn folder() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("../../docs/protocol")
}

fn compiled() -> FileDescriptorSet {
    let mut set =
        protox::compile([folder().join("wardline.proto")], [folder()]).expect("the definition compiles");
    for file in &mut set.file {
        // Comments may change.
        file.source_code_info = None;
    }
    set
}

fn messages(set: &FileDescriptorSet) -> BTreeMap<String, DescriptorProto> {
    fn descend(prefix: &str, message: &DescriptorProto, found: &mut BTreeMap<String, DescriptorProto>) {
        let name = format!("{prefix}.{}", message.name());
        for nested in &message.nested_type {
            descend(&name, nested, found);
        }
        found.insert(name, message.clone());
    }
    let mut found = BTreeMap::new();
    for file in &set.file {
        for message in &file.message_type {
            descend(file.package(), message, &mut found);
        }
    }
    found
}

fn enums(set: &FileDescriptorSet) -> BTreeMap<String, EnumDescriptorProto> {
    let mut found = BTreeMap::new();
    for file in &set.file {
        for one in &file.enum_type {
            found.insert(format!("{}.{}", file.package(), one.name()), one.clone());
        }
    }
    for (name, message) in messages(set) {
        for one in &message.enum_type {
            found.insert(format!("{name}.{}", one.name()), one.clone());
        }
    }
    found
}

/// All of a field that its bytes and its users depend on.
fn face(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let oneof = field.oneof_index.map(|at| message.oneof_decl[at as usize].name().to_owned());
    format!(
        "{} = {}: {:?} {:?} {} in {oneof:?}",
        field.name(),
        field.number(),
        field.r#type(),
        field.label(),
        field.type_name()
    )
}

/// Everything of `old` that `new` does not say any more.
fn broken(old: &FileDescriptorSet, new: &FileDescriptorSet) -> Vec<String> {
    let mut broken = Vec::new();
    let (new_messages, new_enums) = (messages(new), enums(new));
    for (name, was) in messages(old) {
        let Some(is) = new_messages.get(&name) else {
            broken.push(format!("{name} is gone"));
            continue;
        };
        for field in &was.field {
            let was = face(&was, field);
            if !is.field.iter().any(|field| face(is, field) == was) {
                broken.push(format!("{name}: {was}"));
            }
        }
    }
    for (name, was) in enums(old) {
        for value in &was.value {
            let kept = new_enums.get(&name).is_some_and(|is| {
                is.value.iter().any(|now| (now.name(), now.number()) == (value.name(), value.number()))
            });
            if !kept {
                broken.push(format!("{name}: {} = {}", value.name(), value.number()));
            }
        }
    }
    broken
}

#[test]
fn nothing_that_was_said_is_taken_back() {
    let path = folder().join("baseline-v1.binpb");
    let today = compiled();
    if std::env::var("WARDLINE_BASELINE").is_ok_and(|wish| wish == "update") {
        std::fs::write(&path, today.encode_to_vec()).expect("the baseline is written");
    }
    let frozen = std::fs::read(&path).expect("the baseline; WARDLINE_BASELINE=update makes one");
    let frozen = FileDescriptorSet::decode(frozen.as_slice()).expect("the baseline is a descriptor set");
    let broken = broken(&frozen, &today);
    assert!(broken.is_empty(), "the protocol says no more:\n  {}", broken.join("\n  "));
}

/// The alarm works: each kind of break is seen.
#[test]
fn every_kind_of_break_is_seen() {
    let old = compiled();
    let edit = |change: fn(&mut FileDescriptorSet)| {
        let mut new = old.clone();
        change(&mut new);
        broken(&old, &new).len()
    };
    fn message<'a>(set: &'a mut FileDescriptorSet, name: &str) -> &'a mut DescriptorProto {
        set.file[0].message_type.iter_mut().find(|message| message.name() == name).expect("a message")
    }
    assert_eq!(edit(|_| ()), 0);
    assert_eq!(edit(|set| drop(message(set, "Hello").field.remove(0))), 1);
    assert_eq!(edit(|set| message(set, "Hello").field[0].number = Some(90)), 1);
    assert_eq!(edit(|set| message(set, "Hello").field[0].name = Some("other".to_owned())), 1);
    assert_eq!(
        edit(
            |set| message(set, "Hello").field[0].set_type(prost_types::field_descriptor_proto::Type::Fixed64)
        ),
        1
    );
    assert_eq!(edit(|set| message(set, "ClientFrame").field[1].oneof_index = None), 1);
    assert_eq!(edit(|set| set.file[0].enum_type[0].value[3].number = Some(99)), 1);
    assert_eq!(edit(|set| drop(set.file[0].enum_type[0].value.pop())), 1);
    assert_eq!(edit(|set| set.file[0].message_type.retain(|message| message.name() != "Done")), 1);
    // Growth is allowed.
    let grow = |set: &mut FileDescriptorSet| {
        let mut field = message(set, "Hello").field[0].clone();
        (field.name, field.number) = (Some("later".to_owned()), Some(100));
        message(set, "Hello").field.push(field);
    };
    assert_eq!(edit(grow), 0);
}

fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn screaming(name: &str) -> String {
    let mut found = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !found.is_empty() {
            found.push('_');
        }
        found.push(letter.to_ascii_uppercase());
    }
    found
}

#[test]
fn names_follow_the_style() {
    let set = compiled();
    let mut offences = Vec::new();
    for (name, message) in messages(&set) {
        // One of an optional field's own is made by the compiler, with a `_` in front.
        let oneofs = message.oneof_decl.iter().map(|oneof| oneof.name().to_owned());
        let oneofs = oneofs.filter(|oneof| !oneof.starts_with('_'));
        let fields = message.field.iter().map(|field| field.name().to_owned());
        offences.extend(
            fields.chain(oneofs).filter(|field| !is_snake(field)).map(|field| format!("{name}.{field}")),
        );
    }
    for (name, one) in enums(&set) {
        let prefix = screaming(one.name());
        if one.value.first().map(|zero| (zero.number(), zero.name().to_owned()))
            != Some((0, format!("{prefix}_UNSPECIFIED")))
        {
            offences.push(format!("{name} begins with something else than {prefix}_UNSPECIFIED = 0"));
        }
        let prefixed = |value: &str| value.starts_with(&format!("{prefix}_"));
        offences.extend(
            one.value.iter().filter(|v| !prefixed(v.name())).map(|v| format!("{name}: {}", v.name())),
        );
    }
    assert!(offences.is_empty(), "{offences:?}");
}
