//! What a person means by the beds that they write: names, ranges, or both, among the beds that a unit is known to have.
//!
//! The box takes beds by name alone. It knows of no bed that is empty and that nobody holds, so a range is spelled out here,
//! before it is asked for, and whoever asked can be shown what came of it.
//!
//! | written | means |
//! |---|---|
//! | `7`, `B-12` | that bed; where the unit calls exactly one so but for case and leading zeros, that one |
//! | `20-34`, `B-20-34`, `B-20-B-34` | every bed that the unit is known to have with such a number, with a letter or without; and by its number alone each that it is not known to have, unless its beds there have letters |
//! | `12A-12D` | the beds of that number from the one letter to the other |
//! | `1-4,7` | both |

use std::collections::BTreeSet;

use wardline_core::limits;
use wardline_core::particulars::Bed;

/// What somebody wrote, spelled out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meant {
    /// These beds, in the order in which people count them, each once: 1 to [`limits::BEDS_OF_ASSIGNMENT_MAX`].
    pub beds: Vec<String>,
    /// Those of them in which nobody lies and which nobody holds: the box does not know them yet.
    pub unknown: Vec<String>,
    /// Numbers within a range for which no bed was taken: the unit's beds there have letters, and none with this number is known.
    pub left_out: Vec<String>,
}

/// Why what somebody wrote names no beds. Each says what to write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BedsFault {
    /// No bed's name.
    #[error("“{0}” is no bed's name: 1 to {max} letters, digits and signs.", max = limits::BED_MAX)]
    NoName(String),
    /// The end comes first.
    #[error("{0} ends before it begins. Write {1}, or for a bed that is called so --bed \"{0}\".")]
    Backwards(String, String),
    /// Letters in more than one room.
    #[error(
        "A range with letters stays within one number, as 12A-12D does. For every bed of these numbers write {0}."
    )]
    LettersApart(String),
    /// A bed is called so, and there are beds in that range.
    #[error(
        "{0} is one bed, and a range that has other beds in it. Write --bed \"{0}\" for the one, or name those that you mean."
    )]
    BedAndRange(String),
    /// Other beds are called like it.
    #[error(
        "{0} may be one bed, as {1} is, or a range. Write --bed \"{0}\" for the one, or name those that you mean."
    )]
    LooksLikeBed(String, String),
    /// No such bed.
    #[error(
        "The unit has no bed from {0} that anybody lies in or holds{1}. Name the beds as the unit calls them."
    )]
    NoneKnown(String, String),
    /// More than one assignment names.
    #[error("{0} beds are more than one shift names ({max} at most). Write fewer, or --all for the whole unit.", max = limits::BEDS_OF_ASSIGNMENT_MAX)]
    TooMany(u64),
}

/// Spells out what somebody wrote. `known` are the beds of the unit in which somebody lies, or which somebody holds; `exact` are
/// beds by their very names.
pub fn meant(written: &[String], exact: &[String], known: &[&str]) -> Result<Meant, BedsFault> {
    let known: BTreeSet<Bed> = known.iter().filter_map(|bed| Bed::parse(bed).ok()).collect();
    let (mut beds, mut left_out) = (BTreeSet::new(), Vec::new());
    for name in exact {
        beds.insert(parse(name)?);
    }
    for word in written {
        // A comma may be part of a name that is known.
        let is_known = Bed::parse(word).is_ok_and(|bed| known.contains(&bed));
        let parts = if is_known { vec![word.as_str()] } else { word.split(',').collect() };
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            read(part, &known, &mut beds, &mut left_out)?;
        }
    }
    let count = beds.len();
    if count == 0 {
        return Err(BedsFault::NoName(written.join(" ")));
    }
    if count > limits::BEDS_OF_ASSIGNMENT_MAX {
        return Err(BedsFault::TooMany(count as u64));
    }
    let names = |beds: &mut dyn Iterator<Item = &Bed>| beds.map(|bed| bed.reveal().to_owned()).collect();
    let unknown = names(&mut beds.difference(&known));
    left_out.dedup();
    Ok(Meant { beds: names(&mut beds.iter()), unknown, left_out })
}

fn parse(name: &str) -> Result<Bed, BedsFault> {
    Bed::parse(name).map_err(|_| BedsFault::NoName(name.to_owned()))
}

/// Reads one name or range.
fn read(
    text: &str,
    known: &BTreeSet<Bed>,
    beds: &mut BTreeSet<Bed>,
    left_out: &mut Vec<String>,
) -> Result<(), BedsFault> {
    // As phones and word processors write it.
    let text = text.replace(['–', '—'], "-");
    let named = Bed::parse(&text).ok();
    let same = named.as_ref().and_then(|named| known.get(named));
    let Some(range) = Range::parse(&text) else {
        let named = parse(&text)?;
        let mut alike = known.iter().filter(|bed| bed.is_alike(&named));
        let one = same.or_else(|| alike.next().filter(|_| alike.next().is_none()));
        beds.insert(one.cloned().unwrap_or(named));
        return Ok(());
    };
    let within: Vec<(&Bed, Name<'_>)> =
        known.iter().filter_map(|bed| Some((bed, Name::parse(bed.reveal())?))).collect();
    let within: Vec<(&Bed, Name<'_>)> = within.into_iter().filter(|(_, name)| range.has(name)).collect();
    if let Some(same) = same {
        if !within.is_empty() {
            return Err(BedsFault::BedAndRange(text));
        }
        beds.insert(same.clone());
        return Ok(());
    }
    range.check(&text, known, within.is_empty())?;
    beds.extend(within.iter().map(|(bed, _)| (*bed).clone()));
    // Zeros as the unit writes them.
    let like = within.iter().map(|(_, name)| name).find(|name| name.digits.starts_with('0'));
    let like = like.or_else(|| within.first().map(|(_, name)| name)).unwrap_or(&range.from);
    let width = if like.digits.starts_with('0') { like.digits.len() } else { 1 };
    let called = |number: u32| format!("{}{number:0width$}", like.prefix);
    if let Some(letters) = range.letters() {
        let is_there = |letter| within.iter().any(|(_, name)| name.letter() == Some(letter));
        for letter in letters.filter(|letter| !is_there(*letter)) {
            beds.insert(parse(&format!("{}{letter}", called(range.from.number)))?);
        }
        return Ok(());
    }
    let has_letters = within.iter().any(|(_, name)| name.letter.is_some());
    for number in range.from.number..=range.to.number {
        let is_there = within.iter().any(|(_, name)| name.number == number);
        if is_there {
            continue;
        } else if has_letters {
            left_out.push(called(number));
        } else {
            beds.insert(parse(&called(number))?);
        }
    }
    Ok(())
}

/// What a bed is called by: "B-", 12, "A".
#[derive(Clone, Copy)]
struct Name<'a> {
    prefix: &'a str,
    digits: &'a str,
    number: u32,
    letter: Option<char>,
}

impl<'a> Name<'a> {
    /// None for what does not end with a number, or with a number and one letter.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let last = text.chars().next_back()?;
        let letter = last.is_ascii_alphabetic().then_some(last);
        let head = if letter.is_some() { &text[..text.len() - 1] } else { text };
        let at = head
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
        let (prefix, digits) = head.split_at(at);
        // No ward counts further, and nothing that is longer fits into a bed's name beside its prefix.
        let number = (1..=6).contains(&digits.len()).then(|| digits.parse().ok()).flatten()?;
        Some(Self { prefix, digits, number, letter })
    }

    /// Without its case.
    fn letter(&self) -> Option<char> {
        self.letter.map(|letter| letter.to_ascii_uppercase())
    }
}

/// From one bed to another.
struct Range<'a> {
    /// The first with the hyphen behind it, as it is written.
    stem: &'a str,
    from: Name<'a>,
    to: Name<'a>,
}

impl<'a> Range<'a> {
    /// None for what has not the form of one.
    fn parse(text: &'a str) -> Option<Self> {
        text.match_indices('-').find_map(|(at, _)| {
            let (from, to) = (Name::parse(&text[..at])?, Name::parse(&text[at + 1..])?);
            let same = to.prefix.is_empty() || to.prefix.eq_ignore_ascii_case(from.prefix);
            same.then_some(Self { stem: &text[..=at], from, to })
        })
    }

    /// Whether a bed is of this range: an end without a letter has every letter.
    fn has(&self, name: &Name<'_>) -> bool {
        let numbers = self.from.number..=self.to.number;
        let fits =
            self.letters().is_none_or(|mut letters| letters.any(|letter| name.letter() == Some(letter)));
        name.prefix.eq_ignore_ascii_case(self.from.prefix) && numbers.contains(&name.number) && fits
    }

    /// The letters from one end to the other, where both have one.
    fn letters(&self) -> Option<impl Iterator<Item = char>> {
        Some(self.from.letter()?..=self.to.letter()?)
    }

    /// Whether it can be one, and the only thing that can be meant.
    fn check(&self, text: &str, known: &BTreeSet<Bed>, is_empty: bool) -> Result<(), BedsFault> {
        let Self { stem, from, to } = self;
        let whole =
            |from: &Name<'_>, to: &Name<'_>| format!("{}{}-{}", self.from.prefix, from.digits, to.digits);
        // Where rooms and beds are numbered 3-1, 3-2.
        let like = known
            .iter()
            .find(|bed| bed.reveal().get(..stem.len()).is_some_and(|head| head.eq_ignore_ascii_case(stem)));
        if let Some(like) = like {
            return Err(BedsFault::LooksLikeBed(text.to_owned(), like.reveal().to_owned()));
        }
        match (from.letter, to.letter) {
            (Some(first), Some(last)) if from.number == to.number => {
                if from.letter() > to.letter() {
                    let (prefix, digits) = (from.prefix, from.digits);
                    let other = format!("{prefix}{digits}{last}-{prefix}{digits}{first}");
                    return Err(BedsFault::Backwards(text.to_owned(), other));
                }
            }
            (None, None) => {}
            _ if from.number <= to.number => return Err(BedsFault::LettersApart(whole(from, to))),
            _ => return Err(BedsFault::LettersApart(whole(to, from))),
        }
        if from.number > to.number {
            return Err(BedsFault::Backwards(text.to_owned(), whole(to, from)));
        }
        let count = u64::from(to.number - from.number) + 1;
        if count > limits::BEDS_OF_ASSIGNMENT_MAX as u64 {
            return Err(BedsFault::TooMany(count));
        }
        // A unit of which nothing is known contradicts nothing.
        if is_empty && let Some(other) = known.first() {
            let called = format!("; one is called {}", other.reveal());
            let numbers = format!("{}{} to {}", from.prefix, from.digits, to.digits);
            return Err(BedsFault::NoneKnown(numbers, called));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(written: &str, known: &str) -> Result<Meant, BedsFault> {
        let written: Vec<String> = written.split(' ').map(str::to_owned).collect();
        meant(&written, &[], &known.split(' ').filter(|bed| !bed.is_empty()).collect::<Vec<_>>())
    }

    fn beds(written: &str, known: &str) -> String {
        spelled(written, known).map(|meant| meant.beds.join(" ")).expect("beds")
    }

    #[test]
    fn a_range_is_every_bed_that_has_such_a_number() {
        assert_eq!(beds("20-23", "19 20 21 22 23 24"), "20 21 22 23");
        assert_eq!(beds("9-11", "9 10 11"), "9 10 11");
        assert_eq!(beds("20–22", "20 21"), "20 21 22");
        assert_eq!(beds("20-22", "20A 20B 21A 22A 22B 23A"), "20A 20B 21A 22A 22B");
        assert_eq!(beds("B-20-22", "A-20 B-20 B-21 B-22"), "B-20 B-21 B-22");
        assert_eq!(beds("b-20-b-21", "B-20 B-21"), "B-20 B-21");
        assert_eq!(beds("1-3", "01 02 10"), "01 02 03");
        assert_eq!(beds("12A-12D", "12A 12C 12E"), "12A 12B 12C 12D");
        assert_eq!(beds("12a-12b", "12A 12B"), "12A 12B");
    }

    #[test]
    fn what_is_not_known_is_taken_and_said() {
        let meant = spelled("20-23 B-12", "20 22").expect("beds");
        assert_eq!(meant.beds, ["20", "21", "22", "23", "B-12"]);
        assert_eq!((meant.unknown, meant.left_out), (vec!["21".into(), "23".into(), "B-12".into()], vec![]));
        let meant = spelled("20-23", "20A 20B 22A").expect("beds");
        assert_eq!((meant.beds.join(" "), meant.left_out.join(" ")), ("20A 20B 22A".into(), "21 23".into()));
        assert_eq!(spelled("1-3", "").expect("an empty unit").unknown, ["1", "2", "3"]);
    }

    #[test]
    fn a_name_is_a_name() {
        assert_eq!(beds("B-11 A-1", "B-11"), "A-1 B-11");
        assert_eq!(beds("20-34", "20-34 19"), "20-34");
        assert_eq!(beds("b-07", "B-7 B-8"), "B-7", "alike");
        assert_eq!(beds("b-7", "B-7 B-07"), "b-7", "two are alike: as it is written");
        assert_eq!(beds("3,5-6", "3 5 6"), "3 5 6");
        assert_eq!(beds("3,5", "3,5"), "3,5");
        let exact = meant(&[], &["3-12".to_owned()], &["3-1"]).expect("by its very name");
        assert_eq!(exact.beds, ["3-12"]);
    }

    #[test]
    fn what_can_be_two_things_is_refused_with_what_to_write() {
        let fault = |written, known| spelled(written, known).expect_err("refused");
        assert_eq!(fault("34-20", "20 34"), BedsFault::Backwards("34-20".into(), "20-34".into()));
        assert_eq!(fault("12D-12A", "12A"), BedsFault::Backwards("12D-12A".into(), "12A-12D".into()));
        assert_eq!(fault("12A-14B", "12A"), BedsFault::LettersApart("12-14".into()));
        assert_eq!(fault("20-34", "20 20-34"), BedsFault::BedAndRange("20-34".into()));
        assert_eq!(fault("3-12", "3-1 3-2"), BedsFault::LooksLikeBed("3-12".into(), "3-1".into()));
        assert!(matches!(fault("20-34", "B-20 B-21"), BedsFault::NoneKnown(..)));
        assert_eq!(fault("1-65", "1"), BedsFault::TooMany(65));
        assert_eq!(fault("1-40 41-80", "1 41"), BedsFault::TooMany(80));
        assert_eq!(fault("1-999999", "1"), BedsFault::TooMany(999_999));
        assert!(matches!(fault("B-123456789012345", ""), BedsFault::NoName(_)));
        assert!(matches!(fault(",", ""), BedsFault::NoName(_)));
    }

    #[test]
    fn any_text_is_read_or_refused() {
        for text in
            ["-", "--", "1-", "-1", "1--2", "é-1", "1-é", "A-é1", "0-0", "000000-000001", "1A-", "–", "1-2-3"]
        {
            let _ = spelled(text, "1 2 A-1");
        }
    }
}
