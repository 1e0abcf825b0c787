//! Answers as people give them.

use super::*;
use crate::testing::configuration;

fn good() -> Texts {
    Answers::texts_of(&configuration())
}

fn with(at: usize, text: &str) -> Texts {
    let mut texts = good();
    texts[at] = text.into();
    texts
}

/// After examples of all the others.
fn check_alone(at: usize, text: &str) -> Result<(), BadValue> {
    let mut before = QUESTIONS.map(|question| question.example.to_string());
    before[5] = "10.2.9.0/24".into();
    Answers::check_next(&before, at, text)
}

#[test]
fn every_example_is_a_good_answer() {
    for (at, question) in QUESTIONS.iter().enumerate() {
        for example in question.example.split("   or   ") {
            assert_eq!(check_alone(at, example), Ok(()), "{}: {example}", question.flag);
        }
        assert_eq!(check_alone(at, "none").is_ok(), question.may_be_none, "{}", question.flag);
        assert!(question.asks.lines().all(|line| line.len() <= 78), "{}", question.flag);
    }
}

#[test]
fn answers_are_written_as_they_are_read() {
    let texts = good();
    let want = [
        "ward.example box.ward.example",
        "10.2.0.5/16 via 10.2.0.1",
        "10.2.0.2 10.2.0.3",
        "10.2.0.2 fd00::2",
        "America/Chicago",
        "10.2.9.0/24 vlan30=10.3.0.5/24",
        "guest=10.2.8.0/24 guest=enp3s0=fd01::5/64 emr=10.2.7.0/24 ward=10.2.9.128/25",
        "syslog=10.2.0.7:6514 directory=10.2.0.8:636 emr=[fd00::9]:2575",
    ];
    assert_eq!(texts, want.map(String::from));
    assert!(Answers::read(&texts).is_ok());
}

#[test]
fn a_bad_answer_is_told_with_a_good_one() {
    let bad: [(usize, &str); 26] = [
        (0, ""),
        (0, "ward"),
        (0, "ward.example ward.example"),
        (1, "10.2.0.5"),
        (1, "dhcp"),
        (1, "10.2.0.5/16 via"),
        (1, "10.2.0.5/16 over 10.2.0.1"),
        (1, "10.2.0.5/16 via 10.9.0.1"),
        (1, "dhcp fd00::5/64"),
        (5, "vlan30=10.2.3.5/24"),
        (6, "guest=10.2.9.0/24"),
        (6, "guest=10.2.8.0/24 emr=10.2.8.0/24"),
        (2, "dns.example"),
        (2, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5"),
        (3, "pool.ntp.org"),
        (4, "CST"),
        (5, ""),
        (5, "0.0.0.0/0"),
        (5, "admin=10.2.9.0/24"),
        (6, "10.2.8.0/24"),
        (6, "staff=10.2.8.0/24"),
        (6, "guest=vlan5000=10.4.0.5/24"),
        (7, "10.2.0.7:514"),
        (7, "syslog=log.example:514"),
        (7, "syslog=10.2.0.7:514 syslog=10.2.0.8:514"),
        (7, "backup=10.2.0.7:514"),
    ];
    for (at, text) in bad {
        let (wrong, bad) = Answers::read(&with(at, text)).expect_err(text);
        assert_eq!(wrong, at, "{text}");
        assert!(bad.to_string().contains("A good one: "), "{text}: {bad}");
        assert!(check_alone(at, text).is_err(), "{text}");
    }
}

/// What two answers must agree on is seen before anything is signed.
#[test]
fn answers_that_contradict_each_other_are_refused() {
    let check = |change: &dyn Fn(&mut Configuration)| {
        let mut made = configuration();
        change(&mut made);
        made.check().map_err(|bad| bad.wrong)
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let gateway = check(&|made| made.addressing = addressing("10.2.0.5/16 via 10.9.0.1").unwrap());
    assert!(gateway.unwrap_err().contains("gateway"));
    let itself = check(&|made| made.addressing = addressing("10.2.0.5/16 via 10.2.0.5").unwrap());
    assert!(itself.unwrap_err().contains("gateway"));
    let elsewhere = check(&|made| made.addressing = addressing("10.2.0.6/16").unwrap());
    assert!(elsewhere.unwrap_err().contains("certificate"));
    let dhcp6 = check(&|made| {
        made.addressing = addressing("dhcp fd00::5/64").unwrap();
        made.addresses = List::new(vec!["fd00::5".parse().unwrap()]).unwrap();
    });
    assert!(dhcp6.unwrap_err().contains("IPv4 addresses only"));
    let twice = check(&|made| {
        made.zones.guest = List::new(vec![Place::Range("10.2.9.0/24".parse().unwrap())]).unwrap();
    });
    assert!(twice.unwrap_err().contains("zones admin and guest"));
    let no_port = check(&|made| made.ports = List::default());
    assert!(no_port.unwrap_err().contains("no address"));
    let overlap = check(&|made| {
        let port = |name: &str, at: &str| Port { name: name.parse().unwrap(), address: at.parse().unwrap() };
        made.ports = List::new(vec![port("vlan30", "10.2.3.5/24"), port("enp3s0", "fd01::5/64")]).unwrap();
    });
    assert!(overlap.unwrap_err().contains("also that of another port"));
}
