//! A bed of a unit, and the order in which people count beds.

use std::cmp::Ordering;
use std::fmt;

use minicbor::{Decode, Encode};

use crate::limits;
use crate::refusal::Refusal;

/// A bed of a unit, as the staff call it: 1 to [`limits::BED_MAX`] ASCII characters that print: "B-12".
///
/// Beds are in the order in which people count them: 1, 2, 10, 11, 11A, 12. Digits that stand together are one number, whatever
/// zeros lead it, and letters come without their case; beds that differ in nothing else come in the order of their bytes, so
/// that two are equal only when they are called the same.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Bed(#[n(0)] String);

impl Bed {
    /// The bed, with blanks around it taken off. Refuses empty, oversize, and what is not ASCII that prints.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim_matches(' ');
        if text.len() > limits::BED_MAX {
            return Err(Refusal::TooLarge);
        }
        let prints = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || !prints { Err(Refusal::Invalid) } else { Ok(Self(text.to_owned())) }
    }

    /// In front of every bed: where a unit's begin.
    pub(crate) fn first() -> Self {
        Self(String::new())
    }

    /// The bed itself: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether people mean the same bed by both: "b-7" and "B-07".
    pub fn is_alike(&self, other: &Self) -> bool {
        counted(self.0.as_bytes(), other.0.as_bytes()) == Ordering::Equal
    }
}

impl Ord for Bed {
    fn cmp(&self, other: &Self) -> Ordering {
        counted(self.0.as_bytes(), other.0.as_bytes()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Bed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bed(…)")
    }
}

/// The order in which people count: number by number and letter by letter. One pass over both.
fn counted(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        let (Some(first), Some(second)) = (one.first(), other.first()) else {
            return one.len().cmp(&other.len());
        };
        let ordering = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (number, number_of_other) = (take_number(&mut one), take_number(&mut other));
            number.len().cmp(&number_of_other.len()).then_with(|| number.cmp(number_of_other))
        } else {
            (one, other) = (&one[1..], &other[1..]);
            first.to_ascii_uppercase().cmp(&second.to_ascii_uppercase())
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// Takes the digits at the beginning off, and gives them without the zeros that lead them.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bed(name: &str) -> Bed {
        Bed::parse(name).expect("a bed")
    }

    #[test]
    fn beds_are_in_the_order_in_which_people_count_them() {
        let counted = [
            "1",
            "2",
            "2A",
            "2b",
            "2C",
            "10",
            "11",
            "11A",
            "12 window",
            "99",
            "100",
            "A-9",
            "A-10",
            "B2-1",
            "B2-11",
            "B10-1",
            "ICU 3",
            "icu 4",
        ];
        let beds: Vec<Bed> = counted.iter().map(|name| bed(name)).collect();
        for (at, one) in beds.iter().enumerate() {
            for (other_at, other) in beds.iter().enumerate() {
                assert_eq!(one.cmp(other), at.cmp(&other_at), "{} and {}", one.reveal(), other.reveal());
            }
        }
    }

    #[test]
    fn beds_that_are_called_otherwise_are_other_beds() {
        for (one, other) in [("7", "07"), ("B-7", "b-7"), ("B-007", "b-7"), ("0", "00")] {
            assert!(bed(one).is_alike(&bed(other)), "{one} and {other}");
            assert_ne!(bed(one).cmp(&bed(other)), Ordering::Equal, "{one} and {other}");
            assert_eq!(bed(one).cmp(&bed(other)), bed(other).cmp(&bed(one)).reverse(), "{one} and {other}");
        }
        assert!(!bed("7").is_alike(&bed("7A")) && !bed("7").is_alike(&bed("70")));
    }

    #[test]
    fn the_order_is_one_for_all_short_names() {
        let letters = ["0", "1", "a", "A", "-"];
        let mut names: Vec<String> = vec![String::new()];
        for _ in 0..3 {
            let longer = names.iter().flat_map(|name| letters.map(|letter| format!("{name}{letter}")));
            names = names.iter().cloned().chain(longer).collect();
        }
        names.sort();
        names.dedup();
        let mut beds: Vec<Bed> = names.iter().filter(|name| !name.is_empty()).map(|name| bed(name)).collect();
        beds.sort();
        for (at, one) in beds.iter().enumerate() {
            for (other_at, other) in beds.iter().enumerate() {
                assert_eq!(one.cmp(other), at.cmp(&other_at), "{} and {}", one.reveal(), other.reveal());
            }
        }
    }
}
