//! Words: how a text and what somebody looks for come to the same terms. The index, the query and whoever shows a hit share
//! this, so they agree.
//!
//! A *term* is a word or number as it is compared: lower case, without accents. Terms: "Müller" is `muller`; "MRN-00123" is
//! `mrn`, `00123` and, as a whole, `mrn00123`; "120/80" is `120`, `80` and `120-80`, because two numbers run together would
//! be a third. Words are cut by Unicode's rules (UAX 29), so a Chinese character is a word of its own.
//!
//! It refuses to
//! - rank by how rare a word is: that would tell of messages that the person may not see;
//! - look for one letter as the beginning of words: it would find nearly everything.

use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroizing;

use crate::ids::{ConversationId, PersonId, Sequence};
use crate::limits;
use crate::refusal::Refusal;
use crate::text;
use crate::time::Wall;
use crate::wire::proto;

/// Parts of one number or name that are joined into a whole: "00-11-22-33-44-55" is six.
const PARTS_MAX: usize = 8;

/// One word or number as it is compared: 1 to [`limits::SEARCH_TERM_MAX`] bytes of UTF-8; a longer one is cut there, in texts
/// and in queries alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(Box<str>);

impl Term {
    fn new(text: &str) -> Self {
        let end = text.floor_char_boundary(limits::SEARCH_TERM_MAX);
        Self(text[..end].into())
    }

    /// Its bytes: for the index, never for a log.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Term(…)")
    }
}

/// Every term of a text, once: the first [`limits::SEARCH_TERMS_OF_MESSAGE_MAX`] by place; what comes behind is not found.
pub fn terms(text: &str) -> BTreeSet<Term> {
    let mut terms = BTreeSet::new();
    for word in words(text) {
        for part in word.parts.iter().chain(&word.whole) {
            if terms.len() >= limits::SEARCH_TERMS_OF_MESSAGE_MAX {
                return terms;
            }
            if !terms.contains(part) {
                terms.insert(part.clone());
            }
        }
    }
    terms
}

/// What stands together without a blank: its parts in order, and the whole where there are several.
struct Word {
    parts: Vec<Term>,
    whole: Option<Term>,
}

impl Word {
    /// As a query has it: the whole, or the one part.
    fn into_wanted(self) -> Vec<Term> {
        match self.whole {
            Some(whole) => vec![whole],
            None => self.parts,
        }
    }
}

fn words(text: &str) -> Vec<Word> {
    let folded = fold(text);
    let mut words = Vec::new();
    let mut parts: Vec<&str> = Vec::new();
    // A joiner that was met, and what comes next belongs to what was before it.
    let mut joined = false;
    for piece in folded.split_word_bounds() {
        if piece.chars().any(char::is_alphanumeric) {
            if !joined {
                finish(&mut parts, &mut words);
            }
            // "3.5" and "can't" are one word to Unicode.
            parts.extend(piece.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()));
            joined = false;
        } else if is_joiner(piece) && !joined && !parts.is_empty() {
            joined = true;
        } else {
            finish(&mut parts, &mut words);
            joined = false;
        }
    }
    finish(&mut parts, &mut words);
    words
}

fn finish(parts: &mut Vec<&str>, words: &mut Vec<Word>) {
    for parts in parts.chunks(PARTS_MAX) {
        let whole = (parts.len() > 1).then(|| Term::new(&whole(parts)));
        words.push(Word { parts: parts.iter().map(|part| Term::new(part)).collect(), whole });
    }
    parts.clear();
}

/// Run together, but two numbers with a dash between them.
fn whole(parts: &[&str]) -> String {
    let mut whole = String::new();
    for part in parts {
        let digits = whole.ends_with(char::is_numeric) && part.starts_with(char::is_numeric);
        if digits {
            whole.push('-');
        }
        whole.push_str(part);
    }
    whole
}

/// Between the parts of one number, name or address.
fn is_joiner(piece: &str) -> bool {
    const JOINERS: &str = "-\u{2010}\u{2011}\u{2013}\u{2212}/\\._:#'\u{2019}+&@";
    let mut characters = piece.chars();
    matches!((characters.next(), characters.next()), (Some(one), None) if JOINERS.contains(one))
}

/// The words of a name, one blank between them, as they are compared: two names that come to the same are written alike by
/// somebody in a hurry.
pub(crate) fn folded(name: &str) -> String {
    let folded = fold(name);
    let words: Vec<&str> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Lower case, decomposed (NFKD), without accents, and with letters that decompose into nothing written as people without
/// such a keyboard write them. The folded text is wiped when dropped, as the text is.
fn fold(text: &str) -> Zeroizing<String> {
    let mut folded = Zeroizing::new(String::with_capacity(text.len() + text.len() / 4));
    for character in text.nfkd().filter(|character| !is_accent(*character) && !is_nothing(*character)) {
        for lower in character.to_lowercase() {
            match lower {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'þ' => folded.push_str("th"),
                'ø' => folded.push('o'),
                'ð' | 'đ' => folded.push('d'),
                'ł' => folded.push('l'),
                'ħ' => folded.push('h'),
                'ı' => folded.push('i'),
                'ς' => folded.push('σ'),
                // What lower case itself brings: İ.
                accent if is_accent(accent) => {}
                other => folded.push(other),
            }
        }
    }
    folded
}

/// What nobody sees between the letters of a word, but what ends a line or stands for a blank.
pub(crate) fn is_nothing(character: char) -> bool {
    let parts = matches!(character, '\u{2028}' | '\u{2029}' | '\u{2800}');
    !parts && (text::is_unseen(character) || text::is_joiner(character))
}

/// Marks that a reader may leave out: of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic. Those of Indic
/// scripts and the sound marks of kana are letters to their readers, and stay.
fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// What somebody looks for: every one of its terms must be in a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Wanted>,
    /// Quoted words that must follow each other.
    phrases: Vec<Vec<Term>>,
}

/// One term of a query.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The term.
    pub term: Term,
    /// Longer words that begin with it do as well.
    pub prefix: bool,
}

/// How a message fits a query.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Rank(pub u8);

impl Query {
    /// Parses what a person typed: words, each the beginning of a word unless in "quotes"; several in one pair of quotes must
    /// follow each other. Refuses more than [`limits::SEARCH_QUERY_MAX`] bytes or [`limits::SEARCH_WORDS_MAX`] words, and
    /// what has no word.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        if typed.len() > limits::SEARCH_QUERY_MAX {
            return Err(Refusal::SearchTooLong);
        }
        let (mut terms, mut phrases): (Vec<Wanted>, Vec<Vec<Term>>) = (Vec::new(), Vec::new());
        for (at, piece) in typed.split(['"', '\u{201c}', '\u{201d}', '\u{201e}']).enumerate() {
            let quoted = at % 2 == 1;
            let wanted: Vec<Term> = words(piece).into_iter().flat_map(Word::into_wanted).collect();
            for term in &wanted {
                let prefix = !quoted && term.0.chars().nth(1).is_some();
                let wanted = Wanted { term: term.clone(), prefix };
                if !terms.contains(&wanted) {
                    terms.push(wanted);
                }
            }
            if quoted && wanted.len() > 1 {
                phrases.push(wanted);
            }
        }
        match terms.len() {
            0 => Err(Refusal::SearchEmpty),
            1..=limits::SEARCH_WORDS_MAX => Ok(Self { terms, phrases }),
            _ => Err(Refusal::SearchTooLong),
        }
    }

    /// Its terms, 1 to [`limits::SEARCH_WORDS_MAX`].
    pub fn terms(&self) -> &[Wanted] {
        &self.terms
    }

    /// Whether words must follow each other, which only a look at the text can tell.
    pub fn has_phrases(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// How well a text fits: with how many of the terms as whole words. `None`: not at all.
    pub fn rank(&self, text: &str) -> Option<Rank> {
        let terms = terms(text);
        let mut whole = 0;
        for wanted in &self.terms {
            if terms.contains(&wanted.term) {
                whole += 1;
            } else if !wanted.prefix || !terms.iter().any(|term| wanted.fits(term)) {
                return None;
            }
        }
        self.follow_each_other(text).then_some(Rank(whole))
    }

    /// Whether the words of every phrase follow each other in the text.
    pub fn follow_each_other(&self, text: &str) -> bool {
        if self.phrases.is_empty() {
            return true;
        }
        let words = words(text);
        let fits = |word: &Word, term: &Term| word.whole.as_ref() == Some(term) || word.parts.contains(term);
        self.phrases.iter().all(|phrase| {
            let mut windows = words.windows(phrase.len());
            windows.any(|window| window.iter().zip(phrase).all(|(word, term)| fits(word, term)))
        })
    }

    /// The line of a text that has most of the terms: the first such.
    pub fn line<'t>(&self, text: &'t str) -> &'t str {
        let mut best = ("", 0);
        for line in text.lines() {
            let terms = terms(line);
            let found = |wanted: &&Wanted| terms.iter().any(|term| wanted.fits(term));
            let count = self.terms.iter().filter(found).count();
            if count > best.1 || best.0.is_empty() {
                best = (line, count);
            }
        }
        best.0
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({} terms)", self.terms.len())
    }
}

impl Wanted {
    /// Whether a term of a text is what is wanted.
    pub fn fits(&self, term: &Term) -> bool {
        if self.prefix { term.0.starts_with(&*self.term.0) } else { *term == self.term }
    }
}

/// Among which of one's messages to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// In this conversation alone.
    pub conversation: Option<ConversationId>,
    /// Of this author alone.
    pub author: Option<PersonId>,
    /// Not before this moment.
    pub since: Option<Wall>,
    /// Before this moment.
    pub until: Option<Wall>,
}

/// Where a page of hits begins: behind this one. Hits come by rank, then the newest first, then by conversation and place, so
/// that no two are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behind {
    /// How well it fits.
    pub rank: Rank,
    /// When it was said.
    pub at: Wall,
    /// Where.
    pub conversation: ConversationId,
    /// Its place there.
    pub sequence: Sequence,
}

impl Behind {
    /// As the wire has it: rank (1) || time (8, big-endian) || conversation (8) || sequence (8). Nothing in it is more than
    /// the hit itself says, so it is not sealed: who makes one up begins somewhere else in what is theirs.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![self.rank.0];
        bytes.extend(self.at.0.to_be_bytes());
        bytes.extend(self.conversation.value().to_be_bytes());
        bytes.extend(self.sequence.0.to_be_bytes());
        bytes
    }

    /// Refuses what is no such thing.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let word =
            |at: usize| bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map(u64::from_be_bytes);
        match (bytes.first(), word(1), word(9), word(17), bytes.len()) {
            (Some(rank), Some(at), Some(conversation), Some(sequence), 25) => Ok(Self {
                rank: Rank(*rank),
                at: Wall(at.cast_signed()),
                conversation: ConversationId::new(conversation).ok_or(Refusal::Invalid)?,
                sequence: Sequence(sequence),
            }),
            _ => Err(Refusal::Invalid),
        }
    }

    /// Higher comes first.
    pub fn order(self) -> impl Ord {
        let Self { rank, at, conversation, sequence } = self;
        (rank, at.0, std::cmp::Reverse(conversation), sequence)
    }
}

/// A search, parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// For what.
    pub query: Query,
    /// Among what.
    pub filter: Filter,
    /// Behind which hit; `None`: the first page.
    pub behind: Option<Behind>,
    /// How many at most: 1 to [`limits::SEARCH_HITS_MAX`].
    pub limit: u32,
}

impl Search {
    /// Out of its frame.
    pub(crate) fn parse(asked: &proto::Search) -> Result<Self, Refusal> {
        let moment = |value: i64| (value != 0).then_some(Wall(value));
        let (since, until) = (moment(asked.since), moment(asked.until));
        if asked.limit == 0
            || asked.limit > limits::SEARCH_HITS_MAX
            || since.zip(until).is_some_and(|(since, until)| since.0 >= until.0)
        {
            return Err(Refusal::Invalid);
        }
        let conversation = match asked.conversation {
            0 => None,
            value => Some(ConversationId::new(value).ok_or(Refusal::NoSuchConversation)?),
        };
        let author = match asked.author {
            0 => None,
            value => Some(PersonId::new(value).ok_or(Refusal::NoSuchPerson)?),
        };
        let behind = if asked.after.is_empty() { None } else { Some(Behind::parse(&asked.after)?) };
        let filter = Filter { conversation, author, since, until };
        Ok(Self { query: Query::parse(&asked.words)?, filter, behind, limit: asked.limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|term| term.0.into()).collect()
    }

    fn found(query: &str, text: &str) -> Option<u8> {
        Query::parse(query).unwrap().rank(text).map(|rank| rank.0)
    }

    #[test]
    fn accents_and_case_make_no_difference() {
        for (one, other) in [
            ("Müller", "MULLER"),
            ("Straße", "strasse"),
            ("Søren Ærø", "soren aero"),
            ("Łódź", "lodz"),
            ("ışık", "isik"),
            ("İstanbul", "istanbul"),
            ("Ångström", "angstrom"),
            ("ﬁne", "fine"),
            ("ΟΔΟΣ", "οδός"),
            ("na\u{308}ive", "naïve"),
        ] {
            assert_eq!(all(one), all(other), "{one} {other}");
        }
    }

    #[test]
    fn record_numbers_are_found_whole_and_by_part() {
        assert_eq!(all("MRN-00123"), ["00123", "mrn", "mrn00123"]);
        assert_eq!(all("bed 4471-B."), ["4471", "4471b", "b", "bed"]);
        assert_eq!(all("BP 120/80"), ["120", "120-80", "80", "bp"]);
        for query in ["mrn-00123", "MRN00123", "mrn-001", "00123", "mrn", "\"MRN-00123\""] {
            assert!(found(query, "see MRN-00123 today").is_some(), "{query}");
        }
        assert_eq!(found("12080", "BP 120/80"), None);
        assert_eq!(found("\"0012\"", "MRN-00123"), None);
    }

    #[test]
    fn each_word_is_a_beginning_unless_quoted_and_whole_words_rank_higher() {
        assert_eq!(found("cardio", "Cardiology called"), Some(0));
        assert_eq!(found("cardiology call", "Cardiology called"), Some(1));
        assert_eq!(found("\"cardio\"", "Cardiology called"), None);
        assert_eq!(found("b", "bed 4471-B"), Some(1));
        assert_eq!(found("b", "bed"), None);
        assert_eq!(found("\"called cardiology\"", "Cardiology called"), None);
        assert_eq!(found("\"cardiology called\"", "Cardiology called"), Some(2));
        assert_eq!(found("cardiology surgery", "Cardiology called"), None);
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        assert_eq!(Query::parse("").unwrap_err(), Refusal::SearchEmpty);
        assert_eq!(Query::parse(" ... \"\" ").unwrap_err(), Refusal::SearchEmpty);
        assert_eq!(Query::parse("a b c d e f g h i").unwrap_err(), Refusal::SearchTooLong);
        assert_eq!(
            Query::parse(&"a".repeat(limits::SEARCH_QUERY_MAX + 1)).unwrap_err(),
            Refusal::SearchTooLong
        );
        assert!(Query::parse("a b c d e f g h").is_ok());
    }

    #[test]
    fn the_line_with_the_words_is_shown() {
        let query = Query::parse("potassium low").unwrap();
        assert_eq!(query.line("labs are back\nPotassium is low\nthanks"), "Potassium is low");
        assert_eq!(query.line("potassium\nlow"), "potassium");
    }

    #[test]
    fn nothing_that_was_typed_prints_itself() {
        let query = Query::parse("MRN-00123").unwrap();
        assert!(!format!("{query:?} {:?}", query.terms()[0].term).contains("123"));
    }
}
