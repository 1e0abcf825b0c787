//! A write where it stands.

use minicbor::{Decode, Encode};

use super::Write;
use crate::ids::Change;

/// A write and its global number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Numbered {
    /// 1, 2, 3 … without gaps.
    #[n(0)]
    pub change: Change,
    /// What changed.
    #[n(1)]
    pub write: Write,
}
