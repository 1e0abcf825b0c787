//! What stands between an exported record and the names of other patients: whoever writes in one patient's thread names another, and
//! the record goes to somebody who may know of one alone.
//!
//! Names and record numbers are found as a search finds them, without case and accents, in the order in which they are recorded and with
//! the family name first, whatever stands between the words. What is found gives way to [`MASK`]. What is not found is what nobody
//! recorded: a nickname, a surname by itself, a bed. So whoever gives an export away reads it first.

use std::collections::{BTreeMap, BTreeSet};

use crate::search::{folded, is_nothing};

/// What stands in a name's place. No longer than the shortest that is hidden, so that no text grows.
pub const MASK: &str = "[#]";

/// Bytes of the shortest name that is hidden, and of the shortest record number: a number of three would be every dose.
const NAME_MIN: usize = MASK.len();
const NUMBER_MIN: usize = 5;

/// Bytes between two words that may be one name: `Alvarez, R.` and `Alvarez -- Rosa`.
const GAP_MAX: usize = 4;

/// Names by their first word and their second, of one word by none; each is a list of words. By both, since thousands are called Maria: a
/// text that repeats one word costs a look for each, whatever a facility's patients are called.
#[derive(Default)]
pub struct Veil(BTreeMap<String, BTreeMap<Option<String>, BTreeSet<Vec<String>>>>);

/// A word of a text: where it begins and ends, and how it is compared.
struct Word {
    from: usize,
    to: usize,
    folded: String,
}

fn words(text: &str) -> Vec<Word> {
    // Accents that stand by themselves, as some keyboards write them, and what nobody sees.
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}') || is_nothing(c);
    let mut all: Vec<Word> = Vec::new();
    let mut open: Option<usize> = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (open, is_of_word(character)) {
            (None, true) => open = Some(at),
            (Some(from), false) => {
                let folded = folded(&text[from..at]);
                if !folded.is_empty() {
                    all.push(Word { from, to: at, folded });
                }
                open = None;
            }
            _ => {}
        }
    }
    all
}

/// Bytes between two words, but for what nobody sees.
fn gap(between: &str) -> usize {
    between.chars().filter(|c| !is_nothing(*c)).map(char::len_utf8).sum()
}

/// The ways in which a name is written: as recorded, without what stands in the middle, and with the family name first.
fn forms(name: &str) -> Vec<Vec<String>> {
    let words: Vec<String> = words(name).into_iter().map(|word| word.folded).collect();
    let [first, middle @ .., last] = &words[..] else { return vec![words] };
    let family_first = std::iter::once(last).chain([first]).chain(middle).cloned().collect();
    let mut forms = vec![words.clone(), family_first];
    if !middle.is_empty() {
        forms.push(vec![first.clone(), last.clone()]);
        forms.push(vec![last.clone(), first.clone()]);
    }
    forms
}

impl Veil {
    fn enter(&mut self, form: Vec<String>, at_least: usize) {
        let long = form.iter().map(String::len).sum::<usize>() >= at_least;
        let Some(first) = form.first().filter(|_| long).cloned() else { return };
        let second = form.get(1).cloned();
        self.0.entry(first).or_default().entry(second).or_default().insert(form);
    }

    /// A name that is not to be read.
    pub fn hide(&mut self, name: &str) {
        forms(name).into_iter().for_each(|form| self.enter(form, NAME_MIN));
    }

    /// A record number that is not to be read.
    pub fn hide_number(&mut self, number: &str) {
        self.enter(words(number).into_iter().map(|word| word.folded).collect(), NUMBER_MIN);
    }

    /// No word of this name is to be read: whom a whole thread is about is called by one.
    pub fn hide_words(&mut self, name: &str) {
        words(name).into_iter().for_each(|word| self.enter(vec![word.folded], NAME_MIN));
    }

    /// Whoever is called so may be read: asked after everything that is hidden.
    pub fn show(&mut self, name: &str) {
        for form in forms(name) {
            let known = form.first().and_then(|first| self.0.get_mut(first));
            if let Some(known) = known.and_then(|known| known.get_mut(&form.get(1).cloned())) {
                known.remove(&form);
            }
        }
    }

    /// A text as it may be read, and how many names were hidden in it.
    pub fn over(&self, text: &str) -> (String, u32) {
        let words = words(text);
        let (mut read, mut told, mut count) = (String::with_capacity(text.len()), 0, 0);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let end = self.found(text, &words[at..]);
            // Letters that fold to more than they are: none that a name has.
            let end = end.filter(|end| words[at + end - 1].to - word.from >= MASK.len());
            let Some(end) = end else {
                at += 1;
                continue;
            };
            read.push_str(&text[told..word.from]);
            read.push_str(MASK);
            told = words[at + end - 1].to;
            (at, count) = (at + end, count + 1);
        }
        read.push_str(&text[told..]);
        (read, count)
    }

    /// How many of these words are a hidden name: the longest that fits.
    fn found(&self, text: &str, words: &[Word]) -> Option<usize> {
        let known = self.0.get(&words.first()?.folded)?;
        let second = words.get(1).map(|word| word.folded.clone());
        let alone = known.get(&None).filter(|_| second.is_some());
        let known = known.get(&second).into_iter().chain(alone).flatten();
        let fits = |form: &&Vec<String>| {
            form.len() <= words.len()
                && form.iter().zip(words).all(|(wanted, word)| *wanted == word.folded)
                && words[..form.len()].windows(2).all(|two| gap(&text[two[0].to..two[1].from]) <= GAP_MAX)
        };
        known.filter(fits).map(Vec::len).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil() -> Veil {
        let mut veil = Veil::default();
        veil.hide("Rosa María Álvarez");
        veil.hide("Li Na");
        veil.hide_number("MRN-00123");
        veil.hide_number("12");
        veil
    }

    fn over(text: &str) -> String {
        veil().over(text).0
    }

    #[test]
    fn another_patients_name_gives_way_however_it_is_written() {
        for written in [
            "Rosa María Álvarez",
            "rosa maria alvarez",
            "ALVAREZ, Rosa",
            "Rosa A\u{301}lvarez",
            "Álvarez Rosa María",
            "MRN-00123",
            "mrn 00123",
            "Na, Li",
        ] {
            assert_eq!(
                over(&format!("Swapped with {written}: see her.")),
                "Swapped with [#]: see her.",
                "{written}"
            );
        }
        // What nobody sees between letters and words hides nothing: soft hyphens and marks that came with a copied text.
        for (written, read) in [
            ("Ro\u{2060}sa Al\u{200b}varez", "[#]"),
            ("Rosa \u{200b}\u{feff}\u{200b} Alvarez", "[#]"),
            ("\u{202a}Rosa\u{202c} \u{200e}Alvarez", "[#]"),
            ("MRN-00\u{ad}123", "[#]"),
            ("L\u{3164}i Na", "[#]"),
        ] {
            assert_eq!(
                over(&format!("Swapped with {written}: see her.")),
                format!("Swapped with {read}: see her.")
            );
        }
        let (read, count) = veil().over("Li Na and Rosa Alvarez’s charts");
        assert_eq!((read.as_str(), count), ("[#] and [#]’s charts", 2));
    }

    #[test]
    fn nothing_else_does() {
        for plain in
            ["", "Rosa is the nurse", "12 mg at 12:00", "alvarez by itself", "Li was here.\n\n\nNa 140", "é"]
        {
            assert_eq!(veil().over(plain), (plain.to_owned(), 0));
        }
    }

    #[test]
    fn whom_a_thread_is_about_is_hidden_by_every_word() {
        let mut veil = Veil::default();
        veil.hide_words("Rosa María Álvarez");
        assert_eq!(veil.over("Mrs Alvarez (Rosa) slept").0, "Mrs [#] ([#]) slept");
    }

    #[test]
    fn whose_record_it_is_is_shown_though_another_is_called_so() {
        let mut veil = veil();
        veil.show("Rosa María Álvarez");
        assert_eq!(veil.over("Rosa Maria Alvarez, not Li Na").0, "Rosa Maria Alvarez, not [#]");
    }

    #[test]
    fn no_text_grows() {
        let mut veil = Veil::default();
        for short in ["A B", "a", "ab", "abc", "Åbc"] {
            veil.hide(short);
            veil.hide_words(short);
        }
        for text in ["a b", "A.B", "abc Åbc ab a", "a b c", "AB"] {
            assert!(veil.over(text).0.len() <= text.len(), "{text}");
        }
    }
}
