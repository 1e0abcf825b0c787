//! What is known of a patient as such, each thing its own type. None of these prints itself: not in `Debug`, not in an error.

use std::fmt;

use minicbor::{Decode, Encode};

pub use crate::bed::Bed;
use crate::limits;
use crate::refusal::Refusal;
use crate::text::Name;
use crate::wire::proto;

/// The number of a patient's medical record, unique in the facility (HL7 v2 PID-3): 1 to [`limits::RECORD_NUMBER_MAX`] ASCII
/// characters that print, without spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct RecordNumber(#[n(0)] String);

/// A day of the Gregorian calendar, 1800-01-01 to 9999-12-31, in no time zone: year * 10,000 + month * 100 + day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct BirthDate(#[n(0)] u32);

/// HL7 v2 table 0001, administrative sex.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Sex {
    /// F.
    #[n(1)]
    Female,
    /// M.
    #[n(2)]
    Male,
    /// O.
    #[n(3)]
    Other,
    /// U.
    #[n(4)]
    Unknown,
    /// A.
    #[n(5)]
    Ambiguous,
    /// N.
    #[n(6)]
    NotApplicable,
}

/// What identifies a patient to people.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Particulars {
    /// Unique in the facility.
    #[n(0)]
    pub record: RecordNumber,
    /// As the staff know them.
    #[n(1)]
    pub name: Name,
    /// When they were born.
    #[n(2)]
    pub birth: BirthDate,
    /// Administrative sex.
    #[n(3)]
    pub sex: Sex,
}

impl RecordNumber {
    /// The number. Refuses empty, oversize, spaces, and what is not ASCII that prints.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > limits::RECORD_NUMBER_MAX {
            return Err(Refusal::TooLarge);
        }
        let prints = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !prints { Err(Refusal::Invalid) } else { Ok(Self(text.to_owned())) }
    }

    /// The number itself: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl BirthDate {
    /// The day behind "1947-03-09" (ISO 8601-1, 5.2.2.1, extended). Refuses anything else, and days that no calendar has.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let part = |from: usize, to: usize| {
            let digits = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u32>().ok()).ok_or(Refusal::Invalid)
        };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(Refusal::Invalid);
        }
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        if year < 1800 || day == 0 || day > days_of(year, month) {
            return Err(Refusal::Invalid);
        }
        Ok(Self(year * 10_000 + month * 100 + day))
    }

    /// "1947-03-09": for the wire and the store, never for a log.
    pub fn reveal(self) -> String {
        format!("{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

/// None for a month that there is not.
fn days_of(year: u32, month: u32) -> u32 {
    let leaps = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u32::from(leaps),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl Sex {
    /// HL7's letter, which is what the store has.
    pub fn letter(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
            Self::Other => 'O',
            Self::Unknown => 'U',
            Self::Ambiguous => 'A',
            Self::NotApplicable => 'N',
        }
    }

    /// The sex behind HL7's letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Female, Self::Male, Self::Other, Self::Unknown, Self::Ambiguous, Self::NotApplicable]
            .into_iter()
            .find(|sex| sex.letter() == letter)
    }

    fn from_wire(sex: proto::Sex) -> Result<Self, Refusal> {
        Ok(match sex {
            proto::Sex::Unspecified => return Err(Refusal::Invalid),
            proto::Sex::Female => Self::Female,
            proto::Sex::Male => Self::Male,
            proto::Sex::Other => Self::Other,
            proto::Sex::Unknown => Self::Unknown,
            proto::Sex::Ambiguous => Self::Ambiguous,
            proto::Sex::NotApplicable => Self::NotApplicable,
        })
    }

    fn to_wire(self) -> proto::Sex {
        match self {
            Self::Female => proto::Sex::Female,
            Self::Male => proto::Sex::Male,
            Self::Other => proto::Sex::Other,
            Self::Unknown => proto::Sex::Unknown,
            Self::Ambiguous => proto::Sex::Ambiguous,
            Self::NotApplicable => proto::Sex::NotApplicable,
        }
    }
}

impl Particulars {
    pub(crate) fn from_wire(wire: &proto::Particulars) -> Result<Self, Refusal> {
        Ok(Self {
            record: RecordNumber::parse(&wire.record_number)?,
            name: Name::parse(&wire.name)?,
            birth: BirthDate::parse(&wire.birth_date)?,
            sex: Sex::from_wire(wire.sex())?,
        })
    }

    pub(crate) fn to_wire(&self) -> proto::Particulars {
        proto::Particulars {
            record_number: self.record.reveal().to_owned(),
            name: self.name.reveal().to_owned(),
            birth_date: self.birth.reveal(),
            sex: self.sex.to_wire().into(),
        }
    }
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
silent!(RecordNumber, BirthDate, Sex, Particulars);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_date_is_a_day_of_the_calendar() {
        for day in ["1947-03-09", "2000-02-29", "2024-02-29", "1800-01-01", "9999-12-31"] {
            assert_eq!(BirthDate::parse(day).map(BirthDate::reveal), Ok(day.to_owned()));
        }
        for none in [
            "",
            "1947-3-9",
            "1900-02-29",
            "2023-02-29",
            "2023-04-31",
            "2023-13-01",
            "2023-00-10",
            "2023-01-00",
            "1799-12-31",
            "47-03-09",
            "1947/03/09",
            "+947-03-09",
            "1947-03-09T",
            "１947-03-9",
        ] {
            assert_eq!(BirthDate::parse(none), Err(Refusal::Invalid), "{none}");
        }
    }

    #[test]
    fn a_record_number_has_no_spaces_and_a_bed_may() {
        assert!(RecordNumber::parse("MRN-0042/7").is_ok() && Bed::parse(" 12 window ").is_ok());
        for none in ["", "4 2", "42\n", "4²"] {
            assert_eq!(RecordNumber::parse(none), Err(Refusal::Invalid));
        }
        assert_eq!(RecordNumber::parse(&"1".repeat(33)), Err(Refusal::TooLarge));
        assert_eq!(Bed::parse(&"1".repeat(17)), Err(Refusal::TooLarge));
        assert_eq!(Bed::parse("  "), Err(Refusal::Invalid));
    }

    #[test]
    fn nothing_of_a_patient_prints_itself() {
        let particulars = Particulars {
            record: RecordNumber::parse("42").expect("a number"),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let bed = Bed::parse("B-12").expect("a bed");
        let shown = format!(
            "{particulars:?} {:?} {:?} {:?} {bed:?}",
            particulars.record, particulars.birth, particulars.sex
        );
        assert_eq!(shown, "Particulars(…) RecordNumber(…) BirthDate(…) Sex(…) Bed(…)");
    }

    #[test]
    fn every_sex_has_its_letter() {
        for letter in "FMOUAN".chars() {
            let sex = Sex::from_letter(letter).expect("a sex");
            assert_eq!(sex.letter(), letter);
            assert_eq!(Sex::from_wire(sex.to_wire()), Ok(sex));
        }
        assert_eq!(Sex::from_letter('X'), None);
    }
}
