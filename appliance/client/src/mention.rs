//! Names in a text, each behind an `@`: whom somebody means who types them.
//!
//! The box never sees a text, so whoever composes it says whom it names. A name that nobody bears is a text like any other; one that
//! several bear is for whoever typed it to write out.

/// What stands behind one `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<T> {
    /// This one.
    One(T),
    /// Any of these: their names.
    Several(Vec<String>),
    /// Nobody: the word as typed.
    Nobody(String),
}

/// Every name in a text that begins behind an `@`, which itself begins a word. A name counts when it is there as a whole, the longest
/// first; else a single word of it, where it is the word of one alone. Case makes no difference.
pub fn named<T: Copy + PartialEq>(text: &str, all: &[(T, &str)]) -> Vec<(String, Named<T>)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text[..at].chars().next_back();
        let rest = &text[at + 1..];
        let begins = rest.chars().next().is_some_and(char::is_alphanumeric);
        if !begins
            || before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '@' | '.' | '_'))
        {
            continue;
        }
        let word: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’')).collect();
        found.push((word.clone(), one(rest, word, all)));
    }
    found
}

fn one<T: Copy + PartialEq>(rest: &str, word: String, all: &[(T, &str)]) -> Named<T> {
    let whole = |name: &str| begins_with(rest, name).filter(|end| ends_a_word(&rest[*end..]));
    let longest = all.iter().filter_map(|(_, name)| whole(name)).max();
    let fits: Vec<&(T, &str)> = match longest {
        Some(longest) => all.iter().filter(|(_, name)| whole(name) == Some(longest)).collect(),
        None => {
            let has =
                |name: &str| name.split_whitespace().any(|part| begins_with(part, &word) == Some(part.len()));
            all.iter().filter(|(_, name)| has(name)).collect()
        }
    };
    match fits[..] {
        [] => Named::Nobody(word),
        [(it, _)] => Named::One(*it),
        _ => Named::Several(fits.into_iter().map(|(_, name)| (*name).to_owned()).collect()),
    }
}

/// Where in `text` a name ends that it begins with.
fn begins_with(text: &str, name: &str) -> Option<usize> {
    let mut rest = text.chars();
    for wanted in name.chars() {
        let found = rest.next()?;
        if !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    (!name.is_empty()).then(|| text.len() - rest.as_str().len())
}

fn ends_a_word(rest: &str) -> bool {
    !rest.chars().next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[(u8, &str)] = &[
        (1, "Ben Okafor"),
        (2, "Ben Hale"),
        (3, "Ana Flores"),
        (4, "Ana"),
        (5, "Éva Nagy"),
        (6, "Physician on call"),
    ];

    fn of(text: &str) -> Vec<Named<u8>> {
        named(text, ALL).into_iter().map(|(_, named)| named).collect()
    }

    #[test]
    fn a_whole_name_is_found_and_the_longest_counts() {
        assert_eq!(of("@Ben Okafor, bed 4?"), [Named::One(1)]);
        assert_eq!(of("ask @ana flores and (@ana)"), [Named::One(3), Named::One(4)]);
        assert_eq!(of("@PHYSICIAN ON CALL please"), [Named::One(6)]);
        assert_eq!(of("@éva"), [Named::One(5)]);
    }

    #[test]
    fn one_word_is_enough_where_it_is_one_persons_alone() {
        assert_eq!(of("@Okafor?"), [Named::One(1)]);
        let both = vec!["Ben Okafor".to_owned(), "Ben Hale".to_owned()];
        assert_eq!(of("@Ben"), [Named::Several(both)]);
        assert_eq!(of("@Benjamin"), [Named::Nobody("Benjamin".to_owned())]);
        assert_eq!(of("@Anastasia"), [Named::Nobody("Anastasia".to_owned())]);
    }

    #[test]
    fn what_is_no_name_is_a_text() {
        for text in ["", "@", "@ Ben", "a@Ben Okafor", "ben@okafor.example", "5 @ 3", "@@Ana", "._@Ana"] {
            assert_eq!(of(text), [], "{text}");
        }
    }

    #[test]
    fn two_of_one_name_are_for_whoever_typed_it() {
        let all = [(1, "Ana Flores"), (2, "ana flores")];
        assert!(matches!(&named("@Ana Flores", &all)[..], [(_, Named::Several(names))] if names.len() == 2));
    }
}
