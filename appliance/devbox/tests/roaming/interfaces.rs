//! The same on real interfaces: a phone in a network namespace of its own with two radios, which go down and come up. The
//! address that its socket sends from is truly gone then.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use wardline_client::{Calls as _, Client, JoinLink, Pin};
use wardline_devbox::devbox::{Devbox, Options};

use crate::support::crowd::{join_by, seed};
use crate::support::not_run;
use crate::support::roamer::Roamer;

const AT: &str = "10.99.0.1:7443";

/// The box's namespace and the phone's, with two cables between; removed when dropped.
struct Networks {
    at: String,
    phone: String,
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|done| done.status.success())
}

impl Networks {
    /// `None` where there is no right to make namespaces.
    fn make() -> Option<Self> {
        let pid = std::process::id();
        let made = Self { at: format!("wardline-box-{pid}"), phone: format!("wardline-phone-{pid}") };
        let Self { at, phone } = &made;
        let mut steps = vec![format!("netns add {at}"), format!("netns add {phone}")];
        steps.extend([format!("-n {at} link set lo up"), format!("-n {phone} link set lo up")]);
        steps.push(format!("-n {at} addr add 10.99.0.1/32 dev lo"));
        for radio in 0..2 {
            steps.push(format!("-n {at} link add wl{radio} type veth peer name wl{radio} netns {phone}"));
            steps.push(format!("-n {at} addr add 10.77.{radio}.1/24 dev wl{radio}"));
            steps.push(format!("-n {at} link set wl{radio} up"));
            steps.push(format!("-n {phone} addr add 10.77.{radio}.2/24 dev wl{radio}"));
        }
        steps.iter().all(|step| ip(step)).then_some(())?;
        made.up(0);
        Some(made)
    }

    fn up(&self, radio: u8) {
        assert!(ip(&format!("-n {} link set wl{radio} up", self.phone)));
        let default = format!("-n {} route replace default via 10.77.{radio}.1", self.phone);
        assert!(ip(&default));
    }

    fn down(&self, radio: u8) {
        assert!(ip(&format!("-n {} link set wl{radio} down", self.phone)));
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for namespace in [&self.at, &self.phone] {
            ip(&format!("netns del {namespace}"));
        }
    }
}

/// From now on this thread's sockets are made there.
fn enter(namespace: &str) {
    setns(File::open(format!("/var/run/netns/{namespace}")).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
}

/// The phone's client, on a thread of its own in the phone's namespace, until the sender is dropped.
async fn phone(namespace: &str, link: JoinLink, home: &TempDir) -> (Client, oneshot::Sender<()>) {
    let ((stop, stopped), (made, client)) = (oneshot::channel::<()>(), oneshot::channel());
    let (namespace, profile) = (namespace.to_owned(), home.path().join("phone"));
    thread::spawn(move || {
        enter(&namespace);
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let pin = Pin::choose("739154".to_owned()).unwrap();
            let client = Client::join(&link, &pin, "phone", &profile).await.unwrap();
            made.send(client).ok().unwrap();
            let _ = stopped.await;
        });
    });
    (client.await.unwrap(), stop)
}

#[test]
fn addresses_come_and_go() {
    let Some(networks) = Networks::make() else {
        not_run("a phone whose interfaces come and go", "no right to make network namespaces here");
        return;
    };
    enter(&networks.at);
    Builder::new_current_thread().enable_all().build().unwrap().block_on(walk(&networks));
}

async fn walk(networks: &Networks) {
    let seed = seed();
    let home = TempDir::new().unwrap();
    let listen: SocketAddr = AT.parse().unwrap();
    let mut options = Options { listen, ..Options::local(&home.path().join("box")).unwrap() };
    options.relay.extend(["--idle-lock".into(), "86400".into()]);
    let devbox = Devbox::start(options).unwrap();
    let person = |name| devbox.console().unwrap().add_person(name, "", false).unwrap();
    let desk = join_by(&devbox, person("desk"), &home.path().join("desk"), listen.port()).await;
    let link = devbox.join_link(person("phone")).unwrap().parse().unwrap();
    let (phone, stop) = phone(&networks.phone, link, &home).await;
    let conversation = phone.open_direct(desk.identity().person).await.unwrap().id;
    let mut roamer = Roamer::of("interfaces", phone, desk, conversation, ());
    roamer.talks().await;
    for (step, told) in [true, false, true, false].into_iter().enumerate() {
        let (old, new) = if step % 2 == 0 { (0, 1) } else { (1, 0) };
        let moved = Instant::now();
        networks.down(old);
        networks.up(new);
        if told {
            roamer.phone.network_changed().await.unwrap();
        }
        roamer.both_hear(moved).await;
    }
    assert_eq!(roamer.resumed(), 0, "the connection moves along");
    // No network at all, for longer than a look takes; then the other one. Nobody tells.
    networks.down(0);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let back = Instant::now();
    networks.up(1);
    roamer.both_hear(back).await;
    roamer.ends(seed).await;
    drop(stop);
    devbox.stop();
}
