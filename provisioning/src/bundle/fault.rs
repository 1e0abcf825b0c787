//! Why a bundle is refused: one number a reason, on the box's screen, on the serial line and on the laptop.
//!
//! Numbers are two digits and never used again for another reason: a page of a printed guide outlives a release. 30 to 59
//! are left to whoever applies a bundle on the box, 60 to 99 to kinds of bundle that are not there yet. No sentence names
//! a person, an address or a key.

use core::fmt;

/// Why a bundle is refused. Nothing of it was used, and nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// The first eight bytes are not a bundle's.
    #[error("this file is not a Wardline bundle")]
    NotABundle,
    /// A version of the format that this program does not know.
    #[error("the bundle is of a newer format than this program knows")]
    Version,
    /// It ends before it should.
    #[error("the bundle is cut short")]
    Truncated,
    /// Something stands behind its end.
    #[error("something stands behind the bundle's end")]
    Trailing,
    /// The manifest's length is nothing, or above [`super::frame::MANIFEST_MAX`].
    #[error("the bundle's list of contents has an impossible length")]
    ManifestLength,
    /// The manifest is not CBOR of the shape that it should have.
    #[error("the bundle's list of contents cannot be read")]
    ManifestMalformed,
    /// The manifest is not in the one encoding that it may have.
    #[error("the bundle's list of contents is not written in the one way it may be")]
    ManifestNotCanonical,
    /// A bundle of another kind than the one that is wanted here.
    #[error("this is another kind of bundle than the one that is wanted here")]
    OtherKind,
    /// The manifest lacks a field that its kind has, or has one that its kind has not.
    #[error("the bundle's list of contents does not fit its kind")]
    Fields,
    /// Number or length of the chunks is out of bounds.
    #[error("the bundle says that it holds more, or less, than one may")]
    ChunkBounds,
    /// The signature or quote has an impossible length, or cannot be read.
    #[error("the bundle's signature cannot be read")]
    SealMalformed,
    /// Signed by another key than the one this box belongs to.
    #[error("the bundle is from another facility than the one this box belongs to")]
    OtherSigner,
    /// The signature is not the key's over this manifest.
    #[error("the bundle's signature does not hold: it was changed after it was written")]
    BadSignature,
    /// For another box.
    #[error("the bundle is for another box")]
    OtherBox,
    /// Its serial is not above the last one's.
    #[error("the bundle was already used, or an older one than what was used")]
    Replayed,
    /// It follows another receipt than the last that this box gave.
    #[error("the bundle does not follow this box's last receipt")]
    OutOfTurn,
    /// A chunk is not what the manifest says.
    #[error("the bundle's contents are not what its list of contents says")]
    ChunkChanged,
    /// The body is not CBOR of the shape that it should have.
    #[error("the bundle's contents cannot be read")]
    BodyMalformed,
    /// The body is not in the one encoding that it may have.
    #[error("the bundle's contents are not written in the one way they may be")]
    BodyNotCanonical,
    /// A version of the body that this program does not know.
    #[error("the bundle's contents are of a newer form than this program knows")]
    BodyVersion,
    /// A value is out of bounds, or two do not go together.
    #[error("a value in the bundle is out of bounds, or two of them contradict each other")]
    BodyValue,
    /// A secret does not open on this box.
    #[error("a secret in the bundle does not open on this box")]
    SecretClosed,
    /// The box that a request or receipt names is not the one whose keys it holds.
    #[error("the bundle names another box than the one whose keys it holds")]
    NotItself,
    /// The quote does not hold.
    #[error("the box's chip did not vouch for this bundle")]
    BadQuote,
    /// The request for a certificate is unsound.
    #[error("the request for a certificate in the bundle is unsound")]
    BadCertificateRequest,
    /// The receipt answers another configuration than the one that was sent.
    #[error("the receipt is not for the configuration that was sent last")]
    OtherConfiguration,
    /// The box applied something else than what was sent.
    #[error("the box has something else in force than what was sent")]
    AppliedOtherwise,
    /// PCR 11 is in no approval that was sent.
    #[error("the box runs another image than the approved ones")]
    OtherImage,
}

/// The number of a [`Fault`], 1 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

impl Fault {
    /// Every reason, by its number.
    pub const ALL: [(u8, Self); 28] = [
        (1, Self::NotABundle),
        (2, Self::Version),
        (3, Self::Truncated),
        (4, Self::Trailing),
        (5, Self::ManifestLength),
        (6, Self::ManifestMalformed),
        (7, Self::ManifestNotCanonical),
        (8, Self::OtherKind),
        (9, Self::Fields),
        (10, Self::ChunkBounds),
        (11, Self::SealMalformed),
        (12, Self::OtherSigner),
        (13, Self::BadSignature),
        (14, Self::OtherBox),
        (15, Self::Replayed),
        (16, Self::OutOfTurn),
        (17, Self::ChunkChanged),
        (18, Self::BodyMalformed),
        (19, Self::BodyNotCanonical),
        (20, Self::BodyVersion),
        (21, Self::BodyValue),
        (22, Self::SecretClosed),
        (23, Self::NotItself),
        (24, Self::BadQuote),
        (25, Self::BadCertificateRequest),
        (26, Self::OtherConfiguration),
        (27, Self::AppliedOtherwise),
        (28, Self::OtherImage),
    ];

    /// Its number.
    #[must_use]
    pub fn code(self) -> Code {
        // Every variant stands in the list (a test holds that); 0 would show that one does not.
        Code(Self::ALL.iter().find(|(_, fault)| *fault == self).map_or(0, |(number, _)| *number))
    }

    /// What IT does now, in one or two sentences.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotABundle => {
                "Take the file that wardline-provision or the box wrote, named .wlb, as it is."
            }
            Self::Version | Self::BodyVersion => {
                "Use the wardline-provision of the box's own release, or update the box first."
            }
            Self::Truncated | Self::Trailing | Self::ChunkChanged => {
                "The copy is damaged. Write the file to the stick again, eject the stick before you pull it, and try another stick if it stays so."
            }
            Self::ManifestLength
            | Self::ManifestMalformed
            | Self::ManifestNotCanonical
            | Self::Fields
            | Self::ChunkBounds
            | Self::SealMalformed
            | Self::BodyMalformed
            | Self::BodyNotCanonical => {
                "The file is damaged or was not made by wardline-provision or a box. Make it again; if it stays so, do not use the stick and report it."
            }
            Self::OtherKind => {
                "Give the box's request to configure, its receipt to verify, and to the box the file that configure wrote."
            }
            Self::OtherSigner => {
                "Configure from the facility directory that this box was first configured from. If somebody else did that, erase the box and begin anew."
            }
            Self::BadSignature => {
                "Somebody or something changed the file. Configure again, and carry the stick yourself."
            }
            Self::OtherBox => {
                "Take the stick to the box whose eight words it was made for, or configure again from this box's request."
            }
            Self::Replayed => {
                "Nothing is to be done if this stick was in the box before. Otherwise configure again: only the newest file counts."
            }
            Self::OutOfTurn => "Bring the box's receipt to the laptop, verify it there, and configure again.",
            Self::BodyValue => {
                "Configure again with the wardline-provision of the box's own release, and look at what it says of the answers."
            }
            Self::SecretClosed => {
                "The secrets were wrapped for other keys than this box has. Fetch a new request from the box and configure again."
            }
            Self::NotItself | Self::BadQuote => {
                "Do not trust this file. Let the box write it anew on an empty stick; if it stays so, do not put the box into service."
            }
            Self::BadCertificateRequest => "Let the box write its request anew on an empty stick.",
            Self::OtherConfiguration => {
                "Take the receipt that the box wrote after the last configure. If there was a newer configure, carry its file to the box first."
            }
            Self::AppliedOtherwise => {
                "Do not put the box into service. Configure again, and verify the new receipt."
            }
            Self::OtherImage => {
                "Do not put the box into service until it runs an approved image: install it anew, or get the approval from the vendor."
            }
        }
    }
}

impl Code {
    /// What the number means, for who reads it off a screen; `None` for one that stands for nothing here.
    #[must_use]
    pub fn fault(self) -> Option<Fault> {
        Fault::ALL.iter().find(|(number, _)| *number == self.0).map(|(_, fault)| *fault)
    }

    /// The number, 1 to 99.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// `BAD BUNDLE 07`, as the box shows it.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BAD BUNDLE {:02}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new variant must come into this list too: the compiler asks for it.
    fn place(fault: Fault) -> u8 {
        match fault {
            Fault::NotABundle => 1,
            Fault::Version => 2,
            Fault::Truncated => 3,
            Fault::Trailing => 4,
            Fault::ManifestLength => 5,
            Fault::ManifestMalformed => 6,
            Fault::ManifestNotCanonical => 7,
            Fault::OtherKind => 8,
            Fault::Fields => 9,
            Fault::ChunkBounds => 10,
            Fault::SealMalformed => 11,
            Fault::OtherSigner => 12,
            Fault::BadSignature => 13,
            Fault::OtherBox => 14,
            Fault::Replayed => 15,
            Fault::OutOfTurn => 16,
            Fault::ChunkChanged => 17,
            Fault::BodyMalformed => 18,
            Fault::BodyNotCanonical => 19,
            Fault::BodyVersion => 20,
            Fault::BodyValue => 21,
            Fault::SecretClosed => 22,
            Fault::NotItself => 23,
            Fault::BadQuote => 24,
            Fault::BadCertificateRequest => 25,
            Fault::OtherConfiguration => 26,
            Fault::AppliedOtherwise => 27,
            Fault::OtherImage => 28,
        }
    }

    #[test]
    fn numbers_are_frozen_and_lead_back_to_their_reason() {
        for (at, (number, fault)) in Fault::ALL.iter().enumerate() {
            assert_eq!(usize::from(*number), at + 1);
            assert_eq!(place(*fault), *number);
            assert_eq!(fault.code().fault(), Some(*fault));
        }
        assert_eq!(Fault::ManifestNotCanonical.code().to_string(), "BAD BUNDLE 07");
    }

    #[test]
    fn every_reason_says_what_to_do() {
        for (_, fault) in Fault::ALL {
            assert!(fault.advice().ends_with('.') && fault.advice().len() < 200, "{fault:?}");
            assert!(fault.to_string().len() < 100, "{fault:?}");
        }
    }
}
