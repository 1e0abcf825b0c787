//! What may be attached: which types of file, how large, and how one is told by its first bytes.

use minicbor::{Decode, Encode};

use crate::limits;
use crate::refusal::Refusal;
use crate::wire::proto;

/// A type of file, as its sender says and its first bytes show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub enum Media {
    /// A photo: JPEG (ISO/IEC 10918-1).
    #[n(1)]
    Jpeg,
    /// A photo: PNG (RFC 2083).
    #[n(2)]
    Png,
    /// A photo: HEIC (ISO/IEC 23008-12), as iPhones take them.
    #[n(3)]
    Heic,
    /// A photo: WebP.
    #[n(4)]
    Webp,
    /// A document: PDF (ISO 32000).
    #[n(5)]
    Pdf,
    /// An audio note in Ogg (RFC 3533).
    #[n(6)]
    Ogg,
    /// An audio note in WebM, as browsers record them.
    #[n(7)]
    Webm,
    /// An audio note in MPEG-4 (ISO/IEC 14496-12), as phones record them.
    #[n(8)]
    M4a,
    /// An audio note in WAVE.
    #[n(9)]
    Wav,
}

/// What the policy tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Photos.
    Photo,
    /// PDF.
    Document,
    /// Audio notes.
    Audio,
}

/// Of each sort the largest file in bytes, or 0: none is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AttachmentPolicy {
    /// Photos.
    #[n(0)]
    pub photo: u32,
    /// PDF.
    #[n(1)]
    pub document: u32,
    /// Audio notes.
    #[n(2)]
    pub audio: u32,
}

/// Every type.
pub const ALL: [Media; 9] = [
    Media::Jpeg,
    Media::Png,
    Media::Heic,
    Media::Webp,
    Media::Pdf,
    Media::Ogg,
    Media::Webm,
    Media::M4a,
    Media::Wav,
];

/// Major brands of ISO base media files (ISO/IEC 14496-12, 4.3) that hold photos, and audio as phones record it. The second says
/// nothing of what else is in there: a film passes for an audio note.
const PHOTO_BRANDS: [&[u8; 4]; 6] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"];
const AUDIO_BRANDS: [&[u8; 4]; 8] = [b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso5", b"3gp4", b"3gp5"];

impl Media {
    /// What the policy counts it as.
    pub fn sort(self) -> Sort {
        match self {
            Self::Jpeg | Self::Png | Self::Heic | Self::Webp => Sort::Photo,
            Self::Pdf => Sort::Document,
            Self::Ogg | Self::Webm | Self::M4a | Self::Wav => Sort::Audio,
        }
    }

    /// Whether a file that begins so, with [`limits::SNIFFED_BYTES`] or all there is, can be one.
    pub fn fits(self, head: &[u8]) -> bool {
        let at = |from: usize, word: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(word));
        let brand =
            |brands: &[&[u8; 4]]| at(4, b"ftyp") && brands.iter().any(|brand| at(8, brand.as_slice()));
        match self {
            Self::Jpeg => at(0, b"\xff\xd8\xff"),
            Self::Png => at(0, b"\x89PNG\r\n\x1a\n"),
            Self::Heic => brand(&PHOTO_BRANDS),
            Self::Webp => at(0, b"RIFF") && at(8, b"WEBP"),
            Self::Pdf => at(0, b"%PDF-"),
            Self::Ogg => at(0, b"OggS"),
            Self::Webm => at(0, b"\x1a\x45\xdf\xa3"),
            Self::M4a => brand(&AUDIO_BRANDS),
            Self::Wav => at(0, b"RIFF") && at(8, b"WAVE"),
        }
    }

    /// What a file that begins so is; none of ours.
    pub fn of(head: &[u8]) -> Option<Self> {
        ALL.into_iter().find(|media| media.fits(head))
    }

    /// As programs call it (RFC 6838).
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Heic => "image/heic",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Ogg => "audio/ogg",
            Self::Webm => "audio/webm",
            Self::M4a => "audio/mp4",
            Self::Wav => "audio/wav",
        }
    }

    /// As the store and the audit number it.
    pub fn number(self) -> u32 {
        ALL.iter().position(|media| *media == self).map_or(0, |at| at as u32 + 1)
    }

    /// The type with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    /// As the wire has it.
    pub fn to_wire(self) -> proto::MediaType {
        match self {
            Self::Jpeg => proto::MediaType::Jpeg,
            Self::Png => proto::MediaType::Png,
            Self::Heic => proto::MediaType::Heic,
            Self::Webp => proto::MediaType::Webp,
            Self::Pdf => proto::MediaType::Pdf,
            Self::Ogg => proto::MediaType::Ogg,
            Self::Webm => proto::MediaType::Webm,
            Self::M4a => proto::MediaType::M4a,
            Self::Wav => proto::MediaType::Wav,
        }
    }

    /// The type behind the wire's number. One of a later version is none that is taken here.
    pub fn from_wire(number: i32) -> Result<Self, Refusal> {
        let number = u32::try_from(number).map_err(|_| Refusal::AttachmentType)?;
        Self::from_number(number).ok_or(Refusal::AttachmentType)
    }
}

impl AttachmentPolicy {
    /// What holds until somebody says otherwise.
    pub const STANDARD: Self = Self {
        photo: limits::ATTACHMENT_BYTES_STANDARD,
        document: limits::ATTACHMENT_BYTES_STANDARD,
        audio: limits::ATTACHMENT_BYTES_STANDARD,
    };

    /// From bytes of photos, documents, audio notes: each 0, or [`limits::ATTACHMENT_BYTES_MIN`] to
    /// [`limits::ATTACHMENT_BYTES_MAX`].
    pub fn parse(photo: u64, document: u64, audio: u64) -> Result<Self, Refusal> {
        let one = |bytes: u64| match u32::try_from(bytes) {
            Ok(0) => Ok(0),
            Ok(bytes) if (limits::ATTACHMENT_BYTES_MIN..=limits::ATTACHMENT_BYTES_MAX).contains(&bytes) => {
                Ok(bytes)
            }
            _ => Err(Refusal::AttachmentPolicyRange),
        };
        Ok(Self { photo: one(photo)?, document: one(document)?, audio: one(audio)? })
    }

    /// The largest file of a sort; 0: none is taken.
    pub fn largest(self, sort: Sort) -> u32 {
        match sort {
            Sort::Photo => self.photo,
            Sort::Document => self.document,
            Sort::Audio => self.audio,
        }
    }

    /// Whether a file of this type and length may be attached.
    pub fn takes(self, media: Media, length: u64) -> Result<(), Refusal> {
        match self.largest(media.sort()) {
            0 => Err(Refusal::AttachmentType),
            largest if length > u64::from(largest) => Err(Refusal::AttachmentTooLarge),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_with() {
        let heads: [(&[u8], Media); 9] = [
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", Media::Jpeg),
            (b"\x89PNG\r\n\x1a\n\x00\x00", Media::Png),
            (b"\x00\x00\x00\x18ftypheic", Media::Heic),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", Media::Webp),
            (b"%PDF-1.7\n", Media::Pdf),
            (b"OggS\x00\x02", Media::Ogg),
            (b"\x1a\x45\xdf\xa3\x01", Media::Webm),
            (b"\x00\x00\x00\x1cftypM4A ", Media::M4a),
            (b"RIFF\x10\x00\x00\x00WAVEfmt ", Media::Wav),
        ];
        for (head, media) in heads {
            assert_eq!(Media::of(head), Some(media));
            let fitting = ALL.into_iter().filter(|other| other.fits(head)).count();
            assert_eq!(fitting, 1, "{media:?} is told from all others");
            for cut in 0..4 {
                assert_eq!(Media::of(&head[..cut]).filter(|_| cut < 3), None);
            }
        }
        for other in
            [&b"MZ\x90\x00"[..], b"\x7fELF", b"PK\x03\x04", b"<html>", b"", b"RIFF\x10\x00\x00\x00AVI "]
        {
            assert_eq!(Media::of(other), None);
        }
    }

    #[test]
    fn a_type_keeps_its_number_and_the_wire_has_the_same() {
        for (at, media) in ALL.into_iter().enumerate() {
            assert_eq!(media.number() as usize, at + 1);
            assert_eq!(Media::from_number(media.number()), Some(media));
            assert_eq!(Media::from_wire(media.to_wire().into()), Ok(media));
        }
        for unknown in [-1, 0, 10, i32::MAX] {
            assert_eq!(Media::from_wire(unknown), Err(Refusal::AttachmentType));
        }
    }

    #[test]
    fn a_policy_takes_up_to_its_sizes_and_nothing_of_what_it_leaves_out() {
        let policy = AttachmentPolicy::parse(1 << 20, 0, 64 << 20).unwrap();
        assert_eq!(policy.takes(Media::Jpeg, 1 << 20), Ok(()));
        assert_eq!(policy.takes(Media::Png, (1 << 20) + 1), Err(Refusal::AttachmentTooLarge));
        assert_eq!(policy.takes(Media::Pdf, 1), Err(Refusal::AttachmentType));
        assert_eq!(policy.takes(Media::Ogg, 64 << 20), Ok(()));
        for wrong in [1, 1_023, (64 << 20) + 1, u64::MAX] {
            assert_eq!(AttachmentPolicy::parse(0, wrong, 0), Err(Refusal::AttachmentPolicyRange));
        }
    }
}
