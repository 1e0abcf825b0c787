//! The line editor of `wardline chat`. What arrives is printed above the line being typed; a PIN is shown as dots and
//! never enters the history.
//!
//! It runs on a thread of its own, because a terminal is read by blocking. That thread cannot be told to stop reading, so
//! whoever ends puts the terminal back into the state it was found in, and the thread stops once it sees that.

use std::borrow::Cow;
use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::DefaultHistory;
use rustyline::{
    Cmd, Completer, Editor, ExternalPrinter, Helper, Hinter, KeyCode, KeyEvent, Modifiers, Validator,
};
use tokio::sync::mpsc;

use crate::exit::Failure;
use crate::{say, styled};

/// Ends the chat. Too short for a PIN, so it may be typed while one is asked for.
const QUIT: &str = "/quit";
/// Begins the line anew, clears it and what is below, and takes back the modes that the editor sets: pasting in brackets
/// (2004), and updates all at once (2026).
const LEFT_CLEAN: &str = "\r\x1b[J\x1b[?2004l\x1b[?2026l";

/// What the person did.
pub(crate) enum Typed {
    /// A line.
    Line { text: String, hidden: Hidden },
    /// `/quit`, Ctrl-C, Ctrl-D.
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

/// The screen and the keys, until it is dropped.
pub(crate) struct Terminal {
    pub(crate) typed: mpsc::Receiver<Typed>,
    printer: Box<dyn ExternalPrinter + Send>,
    shared: Arc<Shared>,
}

/// Shared with the thread.
struct Shared {
    masked: AtomicBool,
    /// Nothing stands in the line yet.
    empty: AtomicBool,
    /// Its first letter was typed behind the mask.
    begun_hidden: AtomicBool,
    /// How the terminal was found.
    found: Option<Termios>,
    /// It is as it was found, and stays so.
    over: AtomicBool,
}

impl Shared {
    fn restore(&self) {
        if let Some(found) = &self.found {
            let _ = tcsetattr(stdin(), OptionalActions::Drain, found);
        }
    }
}

#[derive(Helper, Completer, Hinter, Validator)]
struct Mask(Arc<Shared>);

impl Highlighter for Mask {
    /// Called for each prompt, behind the call that makes the terminal raw: where it is over by then, whichever came
    /// last, it is made as it was found, and no prompt is written any more.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _default: bool) -> Cow<'b, str> {
        while self.0.over.load(Ordering::SeqCst) {
            self.0.restore();
            std::thread::park();
        }
        Cow::Borrowed(prompt)
    }

    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        let masked = self.0.masked.load(Ordering::Relaxed);
        let was_empty = self.0.empty.swap(line.is_empty(), Ordering::Relaxed);
        if was_empty && !line.is_empty() {
            self.0.begun_hidden.store(masked, Ordering::Relaxed);
        }
        if masked { Cow::Owned("•".repeat(line.chars().count())) } else { Cow::Borrowed(line) }
    }

    /// Every letter goes by `highlight`, or the first one would not be seen.
    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        true
    }
}

impl Terminal {
    /// Starts reading.
    pub(crate) fn open() -> Result<Self, Failure> {
        let failed = |error: ReadlineError| Failure::Machine(format!("The terminal cannot be used: {error}"));
        let mut editor: Editor<Mask, DefaultHistory> = Editor::new().map_err(failed)?;
        let shared = Arc::new(Shared {
            masked: AtomicBool::new(false),
            empty: AtomicBool::new(true),
            begun_hidden: AtomicBool::new(false),
            found: tcgetattr(stdin()).ok(),
            over: AtomicBool::new(false),
        });
        editor.set_helper(Some(Mask(shared.clone())));
        // Completion has nothing to offer; a tab is no part of a message.
        editor.bind_sequence(KeyEvent(KeyCode::Tab, Modifiers::NONE), Cmd::Noop);
        let printer = editor.create_external_printer().map_err(failed)?;
        let (tell, typed) = mpsc::channel(16);
        let beside = shared.clone();
        std::thread::spawn(move || read(&mut editor, &beside, &tell));
        Ok(Self { typed, printer: Box::new(printer), shared })
    }

    /// Prints a line above the one being typed. Parts of it may come from the other end.
    pub(crate) fn print(&mut self, text: &str) {
        let text = say::wrap(&say::clean_but_marks(text), say::width());
        let _ = self.printer.print(format!("{}\n", styled::steered(&text)));
    }

    /// Whether what is typed is hidden.
    pub(crate) fn mask(&self, masked: bool) {
        self.shared.masked.store(masked, Ordering::Relaxed);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.shared.restore();
        say::steer(LEFT_CLEAN);
    }
}

fn read(editor: &mut Editor<Mask, DefaultHistory>, shared: &Shared, tell: &mpsc::Sender<Typed>) {
    let mask = &shared.masked;
    while !shared.over.load(Ordering::SeqCst) {
        // Not whether the prompt came up behind the mask: it does so at once behind a PIN, before that was looked at.
        shared.empty.store(true, Ordering::Relaxed);
        shared.begun_hidden.store(false, Ordering::Relaxed);
        match editor.readline("> ") {
            Ok(text) if text.trim() != QUIT => {
                let begun = shared.begun_hidden.load(Ordering::Relaxed);
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
            Ok(_) | Err(_) => {
                let _ = tell.blocking_send(Typed::Leave);
                return;
            }
        }
    }
}
