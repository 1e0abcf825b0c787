//! Somebody who talks while walking: a phone behind an access point, a colleague at a desk, messages both ways.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardline_client::{Calls as _, Client, ConversationId};
use wardline_devbox::devbox::Devbox;

use super::crowd::{Books, PATIENCE, Reader, join_by, listen, talk};
use super::wifi::AccessPoint;

/// Between an answer and the next message. Short against what is measured.
const APART: Duration = Duration::from_millis(20);

/// The two, and the talk between them.
pub(crate) struct Roamer<A = AccessPoint> {
    pub(crate) name: String,
    /// What is between the phone and the box.
    pub(crate) ap: A,
    pub(crate) phone: Client,
    pub(crate) desk: Client,
    pub(crate) conversation: ConversationId,
    pub(crate) books: Arc<Books>,
    stop: Arc<AtomicBool>,
    talkers: Vec<JoinHandle<()>>,
    before: u64,
}

impl Roamer {
    /// Both join; the talk begins with [`Roamer::talks`].
    pub(crate) async fn join(devbox: &Devbox, name: &str, profiles: &Path, seed: u64) -> Self {
        let ap = AccessPoint::open(devbox.reached_at(), seed).await;
        let mut clients = Vec::new();
        for (end, port) in [("phone", ap.address().port()), ("desk", devbox.reached_at().port())] {
            let name = format!("{name} {end}");
            let person = devbox.console().unwrap().add_person(&name, "", false).unwrap();
            clients.push(join_by(devbox, person, &profiles.join(&name), port).await);
        }
        let (desk, phone) = (clients.pop().unwrap(), clients.pop().unwrap());
        let conversation = phone.open_direct(desk.identity().person).await.unwrap().id;
        Self::of(name, phone, desk, conversation, ap)
    }

    /// The phone's program ends and is started again where there is no network; an attempt to connect is under way.
    pub(crate) async fn begins_out_of_reach(&mut self, profiles: &Path) {
        self.phone.close().await;
        self.ap.away().await;
        let lost = self.ap.counts().await.lost;
        self.phone = Client::open(&profiles.join(format!("{} phone", self.name))).await.unwrap();
        listen(&self.phone, &self.books);
        let tried = async {
            let mut look = tokio::time::interval(Duration::from_millis(5));
            while self.ap.counts().await.lost == lost {
                look.tick().await;
            }
        };
        self.in_time("it tries", tried).await;
    }
}

impl<A> Roamer<A> {
    /// Two who have joined, and what is between them.
    pub(crate) fn of(name: &str, phone: Client, desk: Client, conversation: ConversationId, ap: A) -> Self {
        let books = Arc::new(Books::default());
        listen(&phone, &books);
        listen(&desk, &books);
        let (stop, talkers) = (Arc::new(AtomicBool::new(false)), Vec::new());
        Self { name: name.to_owned(), ap, phone, desk, conversation, books, stop, talkers, before: 0 }
    }

    /// The phone talks, the desk too, until the end.
    pub(crate) async fn talks(&mut self) {
        for client in [&self.phone, &self.desk] {
            let (client, books, stop) = (client.clone(), Arc::clone(&self.books), Arc::clone(&self.stop));
            self.talkers.push(tokio::spawn(talk(client, self.conversation, books, stop, APART)));
        }
        self.both_hear(Instant::now()).await;
        self.before = self.sign_ins();
    }

    /// Sends a message beside the talk, and waits until the box has it.
    pub(crate) async fn says(&self, from: &Client, text: &str) {
        let mut tracked = from.send_tracked(self.conversation, text).await.unwrap();
        let accepted = self.in_time("a message is accepted", tracked.outcome()).await.unwrap();
        self.books.accepted(self.conversation, accepted.sequence, text.to_owned());
    }

    /// Sign-ins of the phone since it began to talk: 0 says that its connection has survived everything.
    pub(crate) fn resumed(&self) -> u64 {
        self.sign_ins() - self.before
    }

    fn sign_ins(&self) -> u64 {
        self.books.reader(&self.phone).sign_ins
    }

    /// Waits until each has been shown a message that the other composed after this moment. How long after it that was,
    /// from the phone and to it.
    pub(crate) async fn both_hear(&self, since: Instant) -> (Duration, Duration) {
        let after = |reader: Reader| reader.shown.filter(|_| reader.composed.is_some_and(|at| at >= since));
        self.both(since, after).await
    }

    /// The same with messages composed at any time: for after an outage, during which nothing is shown.
    pub(crate) async fn both_are_shown(&self, since: Instant) -> (Duration, Duration) {
        self.both(since, |reader| reader.shown.filter(|at| *at >= since)).await
    }

    async fn both(
        &self,
        since: Instant,
        first: impl Fn(Reader) -> Option<Instant> + Copy,
    ) -> (Duration, Duration) {
        let hears = |client: &Client| {
            let (client, books) = (client.clone(), Arc::clone(&self.books));
            async move {
                let mut look = tokio::time::interval(Duration::from_millis(2));
                loop {
                    look.tick().await;
                    if let Some(at) = first(books.reader(&client)) {
                        return at.duration_since(since);
                    }
                }
            }
        };
        let both = async { tokio::join!(hears(&self.desk), hears(&self.phone)) };
        self.in_time("each hears the other", both).await
    }

    /// Bounds patience; what takes so long will not come.
    pub(crate) async fn in_time<T>(&self, what: &str, does: impl Future<Output = T>) -> T {
        timeout(PATIENCE, does)
            .await
            .unwrap_or_else(|_| panic!("{}: not in {} s: {what}", self.name, PATIENCE.as_secs()))
    }

    /// Ends the talk and closes the books. Says what was seen.
    pub(crate) async fn ends(self, seed: u64) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for talker in self.talkers {
            timeout(PATIENCE, talker).await.expect("a message was never answered").unwrap();
        }
        let messages = self.books.close(seed).await;
        let signed_in = self.books.reader(&self.phone).sign_ins - self.before;
        let how = match signed_in {
            0 => "its connection survived".to_owned(),
            times => format!("resumed from its cursor {times} times"),
        };
        eprintln!("{}: {how}; {messages} messages", self.name);
        self.phone.close().await;
        self.desk.close().await;
        messages
    }
}
