//! What is in the profile's `state` file, before it is sealed.

use serde::{Deserialize, Serialize};

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
pub(super) struct StoredPerson {
    #[serde(with = "compact")]
    pub(super) wire: Vec<u8>,
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
