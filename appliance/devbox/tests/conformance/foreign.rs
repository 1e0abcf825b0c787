//! The client of another hand (`tests/foreign`): a process for each device, told in lines of JSON what to do.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::os::unix::net::UnixStream as Connecting;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wardline_core::wire::proto::RefusalCode;

use super::client::{ClientUnderTest, Ending, Message, Name, Reason, Seen, Trouble};
use super::support::until;
use super::ward::PATIENCE;

/// A Python process over one profile.
pub(crate) struct Foreign {
    input: tokio::sync::Mutex<OwnedWriteHalf>,
    asked: Arc<Asked>,
    next: AtomicU64,
    events: mpsc::UnboundedReceiver<Value>,
    pid: watch::Receiver<Option<Pid>>,
    /// Ends with the process.
    listening: JoinHandle<()>,
}

/// The process that the others fork from, which spares each of them a second of imports.
struct Nursery {
    socket: PathBuf,
    // It ends when nobody holds its input any more.
    _process: Mutex<Child>,
}

/// Requests that wait for their answer.
type Asked = Mutex<HashMap<u64, oneshot::Sender<Value>>>;

/// The interpreter that `make prepare` provides, if it could.
pub(crate) fn interpreter() -> Option<PathBuf> {
    let python = root().join(".build/foreign/bin/python");
    python.exists().then_some(python)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Started once, whoever comes first.
fn nursery() -> Result<&'static Nursery> {
    static NURSERY: OnceLock<Nursery> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(nursery) = NURSERY.get() {
        return Ok(nursery);
    }
    // The nursery removes it at its end: nothing here outlives it.
    let socket = tempfile::tempdir()?.keep().join("nursery.sock");
    let mut command = Command::new(interpreter().context("no interpreter")?);
    command.args(["-m", "wardline_foreign.nursery"]).arg(&socket);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign"));
    command.env("WARDLINE_PROTO", root().join("docs/protocol/wardline.proto"));
    command.env("PYTHONPYCACHEPREFIX", Path::new(env!("CARGO_TARGET_TMPDIR")).join("python"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn()?;
    let mut ready = String::new();
    std::io::BufReader::new(process.stdout.take().context("no output")?).read_line(&mut ready)?;
    ensure!(ready == "ready\n", "the nursery did not start");
    let nursery = Nursery { socket, _process: Mutex::new(process) };
    Ok(NURSERY.get_or_init(|| nursery))
}

impl Foreign {
    async fn ask(&self, what: &str, mut request: Value) -> Result<Value, Trouble> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        request["id"] = json!(id);
        request["do"] = json!(what);
        let (answered, answer) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answered);
        let line = format!("{request}\n");
        self.input.lock().await.write_all(line.as_bytes()).await.map_err(other)?;
        let mut answer = answer.await.map_err(|_| other("the process ended"))?;
        match answer.get_mut("done") {
            Some(done) => Ok(done.take()),
            None => Err(trouble(&answer["failed"])),
        }
    }

    /// A request of the protocol's own, whose answer has this kind.
    async fn protocol(&self, name: &str, body: Value, kind: &str) -> Result<Value, Trouble> {
        let mut answer = self.ask("ask", json!({ "name": name, "body": body })).await?;
        Ok(answer.get_mut(kind).map(Value::take).unwrap_or(Value::Null))
    }
}

impl ClientUnderTest for Foreign {
    const NAME: &'static str = "foreign";
    const RESET: &'static str = "started anew";

    fn start(profile: &Path) -> Result<Self> {
        let mut stream = Connecting::connect(&nursery()?.socket)?;
        writeln!(stream, "{}", profile.display())?;
        stream.set_nonblocking(true)?;
        let (output, input) = UnixStream::from_std(stream)?.into_split();
        let (tell, events) = mpsc::unbounded_channel();
        let (started, pid) = watch::channel(None);
        let asked = Arc::<Asked>::default();
        let listening = tokio::spawn(listen(output, Arc::clone(&asked), started, tell));
        let input = tokio::sync::Mutex::new(input);
        Ok(Self { input, asked, next: AtomicU64::new(1), events, pid, listening })
    }

    async fn read_link(&self, link: &str) -> Result<(String, u16, String, String), Trouble> {
        let read = self.ask("read_link", json!({ "link": link })).await?;
        let port = read["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap_or_default();
        Ok((text(&read["host"]), port, text(&read["name"]), text(&read["code"])))
    }

    async fn join(&self, link: &str, pin: &str, device: &str) -> Result<(), Trouble> {
        self.ask("join", json!({ "link": link, "pin": pin, "device_name": device })).await.map(drop)
    }

    async fn open(&self) -> Result<(), Trouble> {
        self.ask("open", json!({})).await.map(drop)
    }

    async fn unlock(&self, pin: &str) -> Result<(), Trouble> {
        self.ask("unlock", json!({ "pin": pin })).await.map(drop)
    }

    async fn send(&self, conversation: u64, text: &str) -> Result<Name, Trouble> {
        let kept = self.ask("send", json!({ "conversation": hex(conversation), "text": text })).await?;
        Ok(name(&kept["message"]))
    }

    async fn read(&self, conversation: u64, sequence: u64) -> Result<(), Trouble> {
        let read = json!({ "conversation": hex(conversation), "sequence": sequence });
        self.ask("read", read).await.map(drop)
    }

    async fn open_direct(&self, person: u64) -> Result<u64, Trouble> {
        let opened = self.protocol("open_direct", json!({ "person": hex(person) }), "opened").await?;
        Ok(identifier(&opened["conversation"]["conversation"]))
    }

    async fn open_group(&self, title: &str, people: &[u64]) -> Result<u64, Trouble> {
        let body = json!({ "title": title, "people": hexes(people) });
        let opened = self.protocol("open_group", body, "opened").await?;
        Ok(identifier(&opened["conversation"]["conversation"]))
    }

    async fn change_members(&self, conversation: u64, add: &[u64], remove: &[u64]) -> Result<(), Trouble> {
        let body = json!({ "conversation": hex(conversation), "add": hexes(add), "remove": hexes(remove) });
        self.protocol("change_members", body, "opened").await.map(drop)
    }

    async fn history(
        &self,
        conversation: u64,
        before: u64,
        limit: u32,
    ) -> Result<(Vec<Message>, bool), Trouble> {
        let body = json!({ "conversation": hex(conversation), "before": before, "limit": limit });
        let page = self.protocol("history", body, "history_page").await?;
        let messages = page["messages"].as_array().into_iter().flatten().map(message).collect();
        Ok((messages, page["end"].as_bool().unwrap_or_default()))
    }

    async fn people(&self) -> Result<Vec<(u64, String)>, Trouble> {
        let people = self.ask("people", json!({})).await?;
        let people = people.as_array().into_iter().flatten();
        Ok(people.map(|person| (identifier(&person["person"]), text(&person["name"]))).collect())
    }

    async fn shown(&mut self, conversation: u64) -> Result<String> {
        let kept = self.ask("messages", json!({ "conversation": hex(conversation) })).await?;
        let last = kept.as_array().and_then(|messages| messages.last()).context("nothing is kept")?;
        Ok(text(&last["text_shown"]))
    }

    async fn event(&mut self) -> Result<Seen> {
        let event = self.events.recv().await.context("the process ended")?;
        Ok(seen(&event))
    }

    async fn leave(self) -> Result<()> {
        self.ask("leave", json!({})).await?;
        drop(self.input);
        gone(self.pid, self.listening).await
    }

    async fn die(mut self) -> Result<()> {
        let pid = self.pid.wait_for(Option::is_some).await?.context("no process")?;
        kill(pid, Signal::SIGKILL)?;
        gone(self.pid, self.listening).await
    }
}

/// Waits until nothing is left of a process, its lock on the profile neither.
async fn gone(mut pid: watch::Receiver<Option<Pid>>, listening: JoinHandle<()>) -> Result<()> {
    listening.await?;
    let pid = pid.borrow_and_update().context("no process")?;
    until(PATIENCE, "the process ends", || Ok(kill(pid, None).is_err())).await
}

/// Hands answers to who waits for them, and everything else on.
async fn listen(
    output: OwnedReadHalf,
    asked: Arc<Asked>,
    started: watch::Sender<Option<Pid>>,
    tell: mpsc::UnboundedSender<Value>,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        if let Some(pid) = line["pid"].as_i64().and_then(|pid| pid.try_into().ok()) {
            started.send_replace(Some(Pid::from_raw(pid)));
        }
        match line["id"].as_u64() {
            Some(id) => {
                let waits = asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                let _ = waits.map(|waits| waits.send(line));
            }
            None => drop(tell.send(line)),
        }
    }
    // Nobody is answered any more.
    asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn seen(event: &Value) -> Seen {
    let number = |key: &str| event[key].as_u64().unwrap_or_default();
    let conversation = identifier(&event["conversation"]);
    let tries_left = u32::try_from(number("tries_left")).unwrap_or_default();
    match event["event"].as_str().unwrap_or_default() {
        "connected" => Seen::Connected { device: identifier(&event["device"]) },
        "reconnecting" => {
            Seen::Reconnecting { why: text(&event["why"]), untrusted: event["untrusted"] == true }
        }
        "pin_needed" => Seen::PinNeeded { tries_left, locked: false },
        "locked" => Seen::PinNeeded { tries_left, locked: true },
        "snapshot" => Seen::Snapshot,
        "caught_up" => Seen::CaughtUp,
        "message" => Seen::Message(message(event)),
        "gap" => Seen::Gap { conversation, from: number("from"), to: number("to") },
        "conversation" => Seen::Conversation {
            conversation,
            title: text(&event["title"]),
            members: event["members"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|m| identifier(&m["person"]))
                .collect(),
            purged: event["purged"] == true,
        },
        "watermark" => Seen::Watermark {
            conversation,
            person: identifier(&event["person"]),
            delivered: number("delivered"),
            read: number("read"),
        },
        "gone" => Seen::Gone(conversation),
        "device_joined" => Seen::DeviceJoined { device: identifier(&event["device"]) },
        "accepted" => Seen::Accepted { name: name(&event["message"]), sequence: number("sequence") },
        "delayed" => Seen::Delayed { name: name(&event["message"]), code: code(&event["code"]) },
        "failed" => Seen::Failed { name: name(&event["message"]), code: code(&event["code"]) },
        "ended" => Seen::Ended(match event["why"].as_str().unwrap_or_default() {
            "superseded" => Ending::Superseded,
            "revoked" => Ending::Revoked,
            "refused" => Ending::Refused(code(&event["code"])),
            _ => Ending::Other,
        }),
        _ => Seen::Other,
    }
}

fn trouble(failed: &Value) -> Trouble {
    match failed["kind"].as_str().unwrap_or_default() {
        "damaged_link" => Trouble::Link,
        "untrusted" => Trouble::Untrusted,
        "bad_pin" => Trouble::Pin,
        "bad_text" => Trouble::Text,
        "refused" => Trouble::Refused {
            code: code(&failed["code"]),
            tries_left: failed["tries_left"]
                .as_u64()
                .and_then(|tries| tries.try_into().ok())
                .unwrap_or_default(),
        },
        _ => other(failed),
    }
}

fn message(message: &Value) -> Message {
    Message {
        conversation: identifier(&message["conversation"]),
        sequence: message["sequence"].as_u64().unwrap_or_default(),
        name: name(&message["message"]),
        sender: identifier(&message["sender"]),
        text: text(&message["text"]),
    }
}

fn other(error: impl ToString) -> Trouble {
    Trouble::Other(error.to_string())
}

fn code(value: &Value) -> Reason {
    let code = value.as_i64().and_then(|code| i32::try_from(code).ok());
    Reason(code.and_then(|code| RefusalCode::try_from(code).ok()).unwrap_or(RefusalCode::Unspecified))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn identifier(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap_or_default(), 16).unwrap_or_default()
}

fn name(value: &Value) -> Name {
    u128::from_str_radix(value.as_str().unwrap_or_default(), 16).unwrap_or_default().to_be_bytes()
}

fn hex(identifier: u64) -> String {
    format!("{identifier:016x}")
}

fn hexes(identifiers: &[u64]) -> Vec<String> {
    identifiers.iter().map(|each| hex(*each)).collect()
}
