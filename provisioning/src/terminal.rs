//! Talking with a person at a terminal: headings, lists, questions. Lines of 80 columns, readable without any colour.

use std::io::{self, BufRead, Read as _, Write};

/// Most bytes of one typed line.
const LINE_MAX: u64 = 4_096;
/// How often one question is put before it is given up.
const TRIES_MAX: usize = 10;
/// Column at which values begin.
const LABEL_WIDTH: usize = 18;
/// Columns of a line.
const WIDTH: usize = 80;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The input ended, or there was no good answer in ten.
    #[error("no answer was given, so nothing was written")]
    Ended,
    /// The terminal failed.
    #[error("the terminal cannot be used")]
    Io(#[from] io::Error),
}

/// A person at a terminal.
pub struct Terminal<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    colour: bool,
}

/// How a line of a comparison is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It stays.
    Same,
    /// It goes.
    Gone,
    /// It comes.
    New,
}

impl<'a> Terminal<'a> {
    /// `colour` for a terminal that shows it.
    pub fn new(input: &'a mut dyn BufRead, output: &'a mut dyn Write, colour: bool) -> Self {
        Self { input, output, colour }
    }

    /// A heading with air around it.
    ///
    /// # Errors
    /// [`io::Error`], as below.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        let bold = self.styled("1", text);
        writeln!(self.output, "\n{bold}\n")
    }

    /// Text, wrapped, set in by two.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        for line in wrapped(text, WIDTH - 2) {
            writeln!(self.output, "  {line}")?;
        }
        Ok(())
    }

    /// A label and its value.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn row(&mut self, label: &str, value: &str) -> io::Result<()> {
        self.marked(Mark::Same, label, value)
    }

    /// A label and its value, with what becomes of it.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn marked(&mut self, mark: Mark, label: &str, value: &str) -> io::Result<()> {
        let (sign, style) = match mark {
            Mark::Same => (' ', ""),
            Mark::Gone => ('-', "31"),
            Mark::New => ('+', "32"),
        };
        let mut label = label;
        for line in wrapped(value, WIDTH - 4 - LABEL_WIDTH) {
            let whole = self.styled(style, format!("{sign} {label:<LABEL_WIDTH$}{line}").trim_end());
            writeln!(self.output, "  {whole}")?;
            label = "";
        }
        Ok(())
    }

    /// Something that went wrong.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn complaint(&mut self, text: &str) -> io::Result<()> {
        for (at, line) in wrapped(text, WIDTH - 4).into_iter().enumerate() {
            let line = self.styled("33", &format!("{} {line}", if at == 0 { '!' } else { ' ' }));
            writeln!(self.output, "  {line}")?;
        }
        writeln!(self.output)
    }

    /// An empty line.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn space(&mut self) -> io::Result<()> {
        writeln!(self.output)
    }

    /// Asks until `read` takes what was typed; an empty line is `usual`, where there is one.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn ask<T, E: std::fmt::Display>(
        &mut self,
        usual: Option<&str>,
        mut read: impl FnMut(&str) -> Result<T, E>,
    ) -> Result<T, NoAnswer> {
        for _ in 0..TRIES_MAX {
            if let Some(usual) = usual {
                let dim = self.styled("2", &format!("Enter alone: {usual}"));
                writeln!(self.output, "  {dim}")?;
            }
            write!(self.output, "  > ")?;
            self.output.flush()?;
            let mut line = Vec::new();
            (&mut *self.input).take(LINE_MAX).read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                // Ctrl-D in the middle, or a line that is too long: neither is an answer.
                writeln!(self.output)?;
                return Err(NoAnswer::Ended);
            }
            let typed = String::from_utf8_lossy(&line);
            let typed = match (typed.trim(), usual) {
                ("", Some(usual)) => usual,
                (typed, _) => typed,
            };
            match read(typed) {
                Ok(value) => return Ok(value),
                Err(why) => self.complaint(&why.to_string())?,
            }
        }
        Err(NoAnswer::Ended)
    }

    /// Asks for yes or no, in full: a stray key is neither.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn agree(&mut self) -> Result<bool, NoAnswer> {
        self.ask(None, |typed| match typed.to_ascii_lowercase().as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err("Type yes or no, in full."),
        })
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colour && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.into() }
    }
}

/// Cuts at blanks; a word that is longer than a line stands alone. Line ends that are there stay, and so does the indent of
/// a line, under which its rest stands too; behind a dash, under its first word.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let inner = paragraph.trim_start_matches(' ');
        let dash = if inner.starts_with("- ") { 2 } else { 0 };
        let indent = paragraph.len() - inner.len();
        let mut line = " ".repeat(indent);
        let mut has_word = false;
        for word in inner.split(' ') {
            if has_word && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent + dash)));
                has_word = false;
            }
            if has_word {
                line.push(' ');
            }
            line.push_str(word);
            has_word = true;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk<T>(typed: &str, act: impl FnOnce(&mut Terminal<'_>) -> T) -> (T, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let result = act(&mut Terminal::new(&mut input, &mut output, false));
        (result, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_bad_answer_is_told_at_once_and_asked_again() {
        let read = |typed: &str| typed.parse::<u8>().map_err(|_| "Not a number. A good one: 7");
        let (answer, shown) = talk("x\n\n 12 \n", |terminal| terminal.ask(None, read));
        assert_eq!(answer.unwrap(), 12);
        assert_eq!(shown.matches("! Not a number").count(), 2);
        let (answer, _) = talk("\n", |terminal| terminal.ask(Some("9"), read));
        assert_eq!(answer.unwrap(), 9);
    }

    #[test]
    fn an_end_of_input_is_no_answer_and_asking_has_an_end() {
        for typed in ["", "ye", &"maybe\n".repeat(50), &"y".repeat(9_999)] {
            let (answer, _) = talk(typed, |terminal| terminal.agree());
            assert!(matches!(answer, Err(NoAnswer::Ended)), "{typed}");
        }
        let late = "maybe\n".repeat(TRIES_MAX) + "yes\n";
        assert!(talk(&late, |terminal| terminal.agree()).0.is_err(), "the eleventh is not heard");
        assert!(talk("YES\n", |terminal| terminal.agree()).0.unwrap());
        assert!(!talk("y\nno\n", |terminal| terminal.agree()).0.unwrap());
    }

    #[test]
    fn indents_stay() {
        assert_eq!(wrapped("  run this\n- one two", 8), ["  run", "  this", "- one", "  two"]);
        assert_eq!(wrapped("1 a   2 b", 80), ["1 a   2 b"]);
        assert_eq!(wrapped("", 80), [""]);
    }

    #[test]
    fn nothing_is_wider_than_a_terminal() {
        let long = "word ".repeat(60);
        let (_, shown) = talk("", |terminal| {
            terminal.text(&long).unwrap();
            terminal.marked(Mark::New, "Label", &long).unwrap();
            terminal.complaint(&long).unwrap();
        });
        assert!(shown.lines().all(|line| line.len() <= WIDTH), "{shown}");
        assert_eq!(shown.matches("word").count(), 180);
    }
}
