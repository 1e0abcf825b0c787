//! The line editor of `wardline chat`. What arrives is printed above the line being typed; a PIN is shown as dots and
//! never enters the history.
//!
//! It runs on a thread of its own, because a terminal is read by blocking.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::DefaultHistory;
use rustyline::{
    Cmd, Completer, Editor, ExternalPrinter, Helper, Hinter, KeyCode, KeyEvent, Modifiers, Validator,
};
use tokio::sync::mpsc;

use crate::exit::Failure;
use crate::say;

/// What the person did.
pub(crate) enum Typed {
    /// A line.
    Line { text: String, hidden: Hidden },
    /// Ctrl-C, Ctrl-D.
    Leave,
}

/// How much of a line was typed behind the mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Nothing, or only its end: it was begun as a message.
    No,
    /// It was begun as a PIN, and the session opened meanwhile.
    Begun,
    /// All of it.
    All,
}

/// Shared with the thread.
pub(crate) struct Terminal {
    pub(crate) typed: mpsc::Receiver<Typed>,
    printer: Box<dyn ExternalPrinter + Send>,
    masked: Arc<AtomicBool>,
}

#[derive(Helper, Completer, Hinter, Validator)]
struct Mask(Arc<AtomicBool>);

impl Highlighter for Mask {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if self.0.load(Ordering::Relaxed) {
            Cow::Owned("•".repeat(line.chars().count()))
        } else {
            Cow::Borrowed(line)
        }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Terminal {
    /// Starts reading.
    pub(crate) fn open() -> Result<Self, Failure> {
        let failed = |error: ReadlineError| Failure::Machine(format!("The terminal cannot be used: {error}"));
        let mut editor: Editor<Mask, DefaultHistory> = Editor::new().map_err(failed)?;
        let masked = Arc::new(AtomicBool::new(false));
        editor.set_helper(Some(Mask(masked.clone())));
        // Completion has nothing to offer; a tab is no part of a message.
        editor.bind_sequence(KeyEvent(KeyCode::Tab, Modifiers::NONE), Cmd::Noop);
        let printer = editor.create_external_printer().map_err(failed)?;
        let (tell, typed) = mpsc::channel(16);
        let mask = masked.clone();
        std::thread::spawn(move || read(&mut editor, &mask, &tell));
        Ok(Self { typed, printer: Box::new(printer), masked })
    }

    /// Prints a line above the one being typed. Parts of it may come from the other end.
    pub(crate) fn print(&mut self, text: &str) {
        let _ = self.printer.print(format!("{}\n", say::clean(text)));
    }

    /// Whether what is typed is hidden.
    pub(crate) fn mask(&self, masked: bool) {
        self.masked.store(masked, Ordering::Relaxed);
    }
}

fn read(editor: &mut Editor<Mask, DefaultHistory>, mask: &AtomicBool, tell: &mpsc::Sender<Typed>) {
    loop {
        let begun = mask.load(Ordering::Relaxed);
        match editor.readline("> ") {
            Ok(text) => {
                let ended = mask.load(Ordering::Relaxed);
                if !begun && !ended && !text.trim().is_empty() {
                    let _ = editor.add_history_entry(&text);
                }
                let hidden = match (begun, ended) {
                    (false, _) => Hidden::No,
                    (true, false) => Hidden::Begun,
                    (true, true) => Hidden::All,
                };
                if tell.blocking_send(Typed::Line { text, hidden }).is_err() {
                    return;
                }
            }
            Err(_) => {
                let _ = tell.blocking_send(Typed::Leave);
                return;
            }
        }
    }
}
