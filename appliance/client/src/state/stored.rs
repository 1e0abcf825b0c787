//! What is in the profile's `state` file, before it is sealed.

use serde::{Deserialize, Serialize};
use wardline_core::wire::proto;

use super::Marks;

#[derive(Serialize, Deserialize, Default)]
pub(super) struct Stored {
    pub(super) people: Vec<StoredPerson>,
    pub(super) conversations: Vec<StoredConversation>,
    /// Missing in files from before there was a list: the person is then told of every other device once.
    #[serde(default)]
    pub(super) devices: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum StoredPerson {
    Wire {
        #[serde(with = "compact")]
        wire: Vec<u8>,
    },
    /// As files of before have them: identifier, name, title, suspended, administrator.
    Before(u64, String, String, bool, bool),
}

impl StoredPerson {
    /// As the box said it.
    pub(super) fn wire(self) -> Option<proto::Person> {
        match self {
            Self::Wire { wire } => prost::Message::decode(wire.as_slice()).ok(),
            Self::Before(person, name, title, suspended, administrator) => Some(proto::Person {
                person,
                name,
                title,
                suspended,
                administrator,
                ..proto::Person::default()
            }),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredConversation {
    #[serde(with = "compact")]
    pub(super) wire: Vec<u8>,
    pub(super) taken: Marks,
}

/// Bytes as base 64. Files of before have them as a list of numbers, which is three times as long.
mod compact {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Text(String),
        Numbers(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match Stored::deserialize(from)? {
            Stored::Text(text) => STANDARD.decode(text).map_err(de::Error::custom),
            Stored::Numbers(bytes) => Ok(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_before_is_read() {
        let old = r#"{"people":[[7,"Ben","MD",false,true]],"conversations":[],"devices":[3]}"#;
        let mut stored: Stored = serde_json::from_str(old).unwrap();
        let ben = stored.people.pop().unwrap().wire().unwrap();
        assert_eq!((ben.person, ben.name.as_str(), ben.administrator), (7, "Ben", true));
        let wire = prost::Message::encode_to_vec(&ben);
        let again = serde_json::to_string(&StoredPerson::Wire { wire }).unwrap();
        let again: StoredPerson = serde_json::from_str(&again).unwrap();
        assert!(again.wire() == Some(ben));
    }
}
