//! `wardline`: Wardline in a terminal, and its administration.
//!
//! Exit codes: 0 done; 1 something on this machine (no profile, in use, damaged, output that cannot be written); 2 wrong
//! usage; 3 the box refused, or this device's access has ended; 4 the box cannot be reached; 5 the session is locked and
//! no PIN was at hand; 6 the message is kept on this device and goes later; 7 `doctor` or `bench` has warnings; 8 `doctor`:
//! what answers is not to be trusted.
//!
//! Refuses to print a PIN, a key or a token, and to send a terminal what steers one: control characters in names and
//! texts are shown as `�`, in JSON as escapes.

#![forbid(unsafe_code)]

mod access;
mod admin;
mod agency;
mod alter;
mod announce;
mod attachment;
mod availability;
mod bench;
mod break_glass;
mod chat;
mod clearing;
mod commands;
mod completion;
mod conversation;
mod demo;
mod doctor;
mod editor;
mod exit;
mod export;
mod family;
mod find;
mod hardening;
mod hold;
mod json;
mod load;
mod members;
mod naming;
mod notice;
mod order;
mod patient;
mod pin;
mod react;
mod records;
mod retention;
mod role;
mod rota;
mod say;
mod search;
mod seen;
mod send;
mod shift;
mod signed;
mod stat;
mod station;
mod styled;
mod suspensions;
mod tail;
mod task;
mod template;
mod unit;
mod until;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use wardline_client::{Error, Sequence};

use crate::exit::Failure;

/// Messages to colleagues, from a terminal.
#[derive(Parser)]
#[command(name = "wardline", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 this machine's files or output, 2 usage, 3 refused, 4 unreachable, 5 locked, \
                  6 kept: the message goes later, 7 it works with warnings, 8 not trusted."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command knows.
#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every command")]
struct Common {
    /// Where this device's profile lies.
    #[arg(long, global = true, env = "WARDLINE_PROFILE", value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Read the PIN from the first line of this file, which nobody else may read, instead of asking.
    #[arg(long, global = true, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Make this machine one of your devices, with the link you were given.
    Join {
        /// wardline://HOST:PORT/join?code=…&root=…
        link: String,
        /// What to call this device; this machine's name by default.
        #[arg(long)]
        device_name: Option<String>,
        /// With the link from a patient's bed: who you are, as the nurse is to read it.
        #[arg(long)]
        name: Option<String>,
        /// With the link from a patient's bed: what you are to the patient, as in daughter.
        #[arg(long, requires = "name", default_value = "")]
        relation: String,
        /// With the link from a patient's bed: how many seconds to wait until somebody of the team lets you in. The same command
        /// goes on later.
        #[arg(long, default_value_t = 900, value_name = "SECONDS", requires = "name")]
        wait: u64,
    },
    /// Choose another PIN on this device, which ten wrong ones have locked, with the code that your charge nurse gave you.
    NewPin {
        /// As ABCDE-FGHJK; asked for when it is left out.
        code: Option<String>,
    },
    /// Who this device is, whether its box answers, and which devices are yours.
    Whoami {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Everybody in the directory.
    People {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Send one message.
    Send {
        /// A person or conversation: a part of the name that fits one alone, or an identifier.
        to: String,
        /// What to say; - alone: standard input. With --attach it may be left out: the first file's name stands for it.
        #[arg(
            required_unless_present_any = ["attach", "template", "quick"],
            conflicts_with_all = ["template", "quick"]
        )]
        text: Vec<String>,
        /// A photo, PDF or audio note to go with it; up to eight times.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
        /// Fill in this template; what is missing is asked for at a terminal: wardline template list.
        #[arg(long, value_name = "NAME", conflicts_with = "quick")]
        template: Option<String>,
        /// One field of the template; given once for each.
        #[arg(long, value_name = "FIELD=WORDS", requires = "template")]
        field: Vec<String>,
        /// The quick reply that these words begin, or are a part of.
        #[arg(long, value_name = "WORDS")]
        quick: Option<String>,
        /// The number of the earlier message of this conversation that it answers: history shows them.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
        reply_to: Option<u64>,
        /// Mention this member, or whoever of the conversation holds this role; may be given again. @Name in the text does the same.
        #[arg(long, value_name = "NAME")]
        mention: Vec<String>,
        /// How many seconds to wait for the box, connecting included; then the message is kept and goes later. 10 by default, and 300 with
        /// files, which are not kept: give the same command again, and they go on.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u64>,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put another text in place of a message of yours, within 15 minutes. Everybody sees that it was edited.
    Edit {
        /// The person or conversation that it was sent to.
        to: String,
        /// Its number there: history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        /// What it is to say; - alone: standard input.
        #[arg(required = true)]
        text: Vec<String>,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Destroy the text of a message of yours, for everybody, within 24 hours. That it was there stays visible.
    Recall {
        /// The person or conversation that it was sent to.
        to: String,
        /// Its number there: history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put a word to a message, for everybody who reads it; or take it back. It never answers a STAT.
    React {
        /// The person or conversation that it was said in.
        to: String,
        /// Its number there: history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        /// Which word.
        #[arg(value_enum)]
        word: react::Word,
        /// Take yours back.
        #[arg(long)]
        take_back: bool,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write and read, line by line.
    Chat {
        /// A person or conversation to begin with.
        with: Option<String>,
    },
    /// Print what arrives, until interrupted.
    Tail {
        /// One JSON object a line; docs/protocol/README.md lists the keys.
        #[arg(long)]
        json: bool,
        /// Also tell senders that their messages were read.
        #[arg(long)]
        mark_read: bool,
        /// End once everything missed was printed.
        #[arg(long)]
        until_caught_up: bool,
        /// Count as an app that is open in front of you: colleagues see that you can be reached.
        #[arg(long)]
        here: bool,
    },
    /// Groups and channels: open, join, rename, archive, and who is in them.
    #[command(subcommand)]
    Conversation(conversation::Act),
    /// The facility's units, and who works there.
    #[command(subcommand)]
    Unit(unit::Act),
    /// Staff from an agency: admit somebody for a shift, let them stay longer, and who is here.
    #[command(subcommand)]
    Agency(agency::Act),
    /// Suspensions by charge nurses that wait for an administrator: see them, confirm or reverse them.
    Suspensions(suspensions::Suspensions),
    /// STAT: messages that ring until somebody answers.
    #[command(subcommand)]
    Stat(stat::Act),
    /// Be a station screen: show what rings in the unit, until interrupted. For a device that joined as one.
    Station {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Patients: admit, move, discharge, and who is in their care team.
    Patient(patient::Patient),
    /// Beds for a shift: take, end, and who holds which.
    #[command(subcommand)]
    Shift(shift::Act),
    /// Orders by text: given, read back, confirmed, filed. Off until administration lists roles.
    #[command(subcommand)]
    Order(order::Act),
    /// Tasks: what somebody of a conversation is to do.
    #[command(subcommand)]
    Task(task::Act),
    /// When you want to be disturbed, who covers for you, and where you are called off site.
    #[command(subcommand)]
    Availability(availability::Act),
    /// Templates and quick replies: what your unit writes often.
    #[command(subcommand)]
    Template(template::Act),
    /// Roles: who is on call for what, and when.
    #[command(subcommand)]
    Role(role::Act),
    /// Announcements: what a unit or the facility tells everybody, and how many have read it.
    #[command(subcommand)]
    Announce(announce::Act),
    /// A patient's family: consent, the code at the bed, who waits, who is let in, and how it ends.
    #[command(subcommand)]
    Family(family::Act),
    /// Legal holds: what must be kept for a court or an investigation. For privacy officers.
    #[command(subcommand)]
    Hold(hold::Act),
    /// Exports: a patient's or a person's record for whoever may ask for it, and whether one is unchanged. For privacy officers.
    #[command(subcommand)]
    Export(export::Act),
    /// What is attached to messages: list it, save it.
    #[command(subcommand)]
    Attachment(attachment::Act),
    /// Breaking the glass: into the thread of a patient who is not yours, in an emergency.
    #[command(subcommand)]
    BreakGlass(break_glass::Act),
    /// Your conversations.
    Conversations {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// The newest messages of a conversation, oldest first.
    History {
        /// A person or conversation.
        conversation: String,
        /// How many, at most 100.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// Only those before this sequence.
        #[arg(long, default_value_t = 0)]
        before: u64,
        /// Those around this one: half of them came after it. As search found it.
        #[arg(long, value_name = "SEQUENCE", conflicts_with = "before")]
        around: Option<u64>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// People, patients and messages with these words, among those that you may see and read: the best fit first.
    ///
    /// Patients are those in whose threads you are, and those of a unit that you lead; a restricted one by alias, where you are not named.
    /// --in, --from, --since and --until are about messages, --unit and --here about people and patients.
    ///
    /// Each word is the beginning of a word; "quoted" ones are whole, several in one pair of quotes follow each other. Accents
    /// and case make no difference. Numbers such as MRN-00123 are found whole and by part.
    Search {
        /// At most eight words.
        #[arg(required = true)]
        words: Vec<String>,
        /// Only these of the three; several may be given.
        #[arg(long)]
        people: bool,
        /// See --people.
        #[arg(long)]
        patients: bool,
        /// See --people.
        #[arg(long)]
        messages: bool,
        /// Only people who work in this unit, and patients who lie there.
        #[arg(long, conflicts_with = "messages")]
        unit: Option<String>,
        /// Only patients who are here, not those who are discharged.
        #[arg(long, conflicts_with = "messages")]
        here: bool,
        /// Only in the conversation with this person, or in this group or channel.
        #[arg(long = "in", value_name = "CONVERSATION", conflicts_with_all = ["people", "patients", "unit", "here"])]
        within: Option<String>,
        /// Only what this person wrote.
        #[arg(long, value_name = "PERSON", conflicts_with_all = ["people", "patients", "unit", "here"])]
        from: Option<String>,
        /// Only from this day on.
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["people", "patients", "unit", "here"])]
        since: Option<jiff::civil::Date>,
        /// Only before this day.
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["people", "patients", "unit", "here"])]
        until: Option<jiff::civil::Date>,
        /// How many of each, at most 50.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=50))]
        limit: u32,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Whether the box can be reached from here, and if not, why and what to do next.
    ///
    /// Exit codes: 0 healthy, 7 reachable with warnings, 4 not reachable, 8 not trusted, 3 reachable and refused, 1 this
    /// machine's files.
    Doctor {
        /// HOST:PORT, or a join link, whose code is not used up; without either, the box of this device's profile.
        #[arg(value_name = "LINK|HOST:PORT")]
        place: Option<String>,
        /// With HOST:PORT: SHA-256 of the facility root that the box must come from, hexadecimal or base64url.
        #[arg(long, value_name = "SHA256", allow_hyphen_values = true)]
        root: Option<String>,
        /// On the box itself: look at its local socket too.
        #[arg(long, value_name = "PATH")]
        socket: Option<PathBuf>,
        /// One JSON object a line; docs/protocol/README.md lists the keys.
        #[arg(long)]
        json: bool,
    },
    /// How long messages take over this network, with messages that only you are sent.
    ///
    /// They go into a group of your own that is left again at the end. Exit codes: 0 good, 7 less than good, 4 nothing
    /// arrived.
    Bench {
        /// How many messages, at most 1,000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(bench::MESSAGES_MAX)))]
        messages: u32,
        /// Messages a second, at most 20: a ward does not notice it.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=i64::from(bench::RATE_MAX)))]
        rate: u32,
        /// The profile of a second device, yours at best, to measure when messages are on its screen.
        #[arg(long, value_name = "DIR")]
        with: Option<PathBuf>,
        /// The file with the second profile's PIN.
        #[arg(long, value_name = "FILE", requires = "with")]
        with_pin_file: Option<PathBuf>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Administration: by an administrator from the administration network, or on the box with --socket.
    Admin(admin::Admin),
    /// Play a shift in a made-up unit of 40 beds against a box that runs, and print what happens.
    ///
    /// Makes the unit "Demo 4 West" with staff and patients that nobody is, by the box's local socket. They stay there, and a second
    /// run goes on with them. Refuses a box with patients of anybody else. The box may be stopped and started in the midst of it.
    Demo(demo::Demo),
    /// A script for your shell, which then finishes commands and options with the Tab key.
    ///
    /// bash: add  source <(wardline completion bash)  to ~/.bashrc. zsh: the same in ~/.zshrc, behind compinit, with zsh. fish:
    /// wardline completion fish > ~/.config/fish/completions/wardline.fish
    Completion {
        /// Which shell.
        #[arg(value_enum)]
        shell: completion::Shell,
    },
}

impl Common {
    /// `$XDG_DATA_HOME/wardline`, or ~/.local/share/wardline.
    fn profile(&self) -> Result<PathBuf, Failure> {
        if let Some(profile) = &self.profile {
            return Ok(profile.clone());
        }
        let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        set("XDG_DATA_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("wardline"))
            .ok_or(Failure::Usage(
                "No home directory is set: say where the profile lies with --profile.".into(),
            ))
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(failure) = hardening::no_core_files() {
        return ended(&failure);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli));
            // A terminal that is still being read from must not hold the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::Machine(error.to_string())),
    };
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(&failure),
    };
    say::lasts();
    code
}

fn ended(failure: &Failure) -> ExitCode {
    if !matches!(failure, Failure::Reported(_)) {
        say::problem(&failure.to_string());
    }
    if let Failure::Client(Error::Unreachable(_) | Error::Offline(_)) = failure {
        say::note("To see what is in the way: wardline doctor");
    }
    if failure.is_locked_out() {
        say::note("With that code: wardline new-pin CODE. Nothing on this device is lost.");
    }
    ExitCode::from(failure.code())
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let common = cli.common;
    match cli.command {
        Command::Join { link, device_name, name: None, .. } => {
            commands::join(&common, &link, device_name).await
        }
        Command::Join { link, device_name, name: Some(name), relation, wait } => {
            let visit = commands::Visit { name, relation, wait: Duration::from_secs(wait) };
            commands::visit(&common, &link, device_name, visit).await
        }
        Command::NewPin { code } => clearing::choose(&common, code).await,
        Command::Whoami { json } => commands::whoami(&common, json).await,
        Command::People { json } => commands::people(&common, json).await,
        Command::Send { to, text, attach, template, field, quick, reply_to, mention, wait, json } => {
            let wait = wait.unwrap_or(if attach.is_empty() { 10 } else { 300 });
            let (text, wait) = (text.join(" "), Duration::from_secs(wait));
            let reply_to = reply_to.map(Sequence);
            let filling = template::Filling { template, fields: field, quick };
            let said = send::Said { text, attach, filling, reply_to, mention, wait, json };
            send::send(&common, &to, said).await
        }
        Command::Edit { to, number, text, json } => {
            let text = Some(text.join(" "));
            alter::alter(&common, &to, Sequence(number), alter::Wish { text, json }).await
        }
        Command::Recall { to, number, json } => {
            alter::alter(&common, &to, Sequence(number), alter::Wish { text: None, json }).await
        }
        Command::React { to, number, word, take_back, json } => {
            react::react(&common, &to, Sequence(number), react::Wish { word, take_back, json }).await
        }
        Command::Chat { with } => chat::chat(&common, with).await,
        Command::Tail { json, mark_read, until_caught_up, here } => {
            tail::tail(&common, tail::Wish { json, mark_read, until_caught_up, here }).await
        }
        Command::Conversation(act) => conversation::conversation(&common, act).await,
        Command::Unit(act) => unit::unit(&common, act).await,
        Command::Agency(act) => agency::agency(&common, act).await,
        Command::Suspensions(suspensions) => suspensions::suspensions(&common, suspensions).await,
        Command::Stat(act) => stat::stat(&common, act).await,
        Command::Station { json } => station::station(&common, json).await,
        Command::Patient(patient) => patient::patient(&common, patient).await,
        Command::Shift(act) => shift::shift(&common, act).await,
        Command::Order(act) => order::order(&common, act).await,
        Command::Task(act) => task::task(&common, act).await,
        Command::Availability(act) => availability::availability(&common, act).await,
        Command::Template(act) => template::template(&common, act).await,
        Command::Role(act) => role::role(&common, act).await,
        Command::Announce(act) => announce::announce(&common, act).await,
        Command::Family(act) => family::family(&common, act).await,
        Command::Export(act) => export::export(&common, act).await,
        Command::Hold(act) => hold::hold(&common, act).await,
        Command::Attachment(act) => attachment::attachment(&common, act).await,
        Command::BreakGlass(act) => break_glass::break_glass(&common, act).await,
        Command::Conversations { json } => commands::conversations(&common, json).await,
        Command::History { conversation, limit, before, around, json } => {
            // Half of them behind it: the sequence in front of which they stand.
            let before = around.map_or(before, |around| around.saturating_add(u64::from(limit / 2) + 1));
            commands::history(&common, &conversation, commands::Wanted { before, limit, json }).await
        }
        Command::Search {
            words,
            people,
            patients,
            messages,
            unit,
            here,
            within,
            from,
            since,
            until,
            limit,
            json,
        } => {
            let words = words.join(" ");
            let of_messages = within.is_some() || from.is_some() || since.is_some() || until.is_some();
            let of_others = unit.is_some() || here;
            let kinds = match (people, patients, messages) {
                (false, false, false) => {
                    search::Kinds { people: !of_messages, patients: !of_messages, messages: !of_others }
                }
                (people, patients, messages) => search::Kinds { people, patients, messages },
            };
            let wish = search::Wish { words, within, from, since, until, limit, json };
            search::search(&common, kinds, search::Place { unit, here }, wish).await
        }
        Command::Doctor { place, root, socket, json } => {
            doctor::doctor(&common, doctor::Wish { place, root, socket, json }).await
        }
        Command::Bench { messages, rate, with, with_pin_file, json } => {
            bench::bench(&common, bench::Wish { messages, rate, with, with_pin_file, json }).await
        }
        Command::Admin(admin) => admin::admin(&common, admin).await,
        Command::Demo(demo) => demo::demo(demo).await,
        Command::Completion { shell } => completion::completion(shell),
    }
}
