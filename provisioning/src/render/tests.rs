//! What is rendered, read by readers that share nothing with what wrote it.

use proptest::prelude::*;

use super::*;
use crate::bundle::configuration::{Addressing, Place};
use crate::bundle::values::FacilityName;
use crate::bundle::{Blob, List};
use crate::testing::configuration;

/// EnvironmentFile= as systemd.exec(5) has it: one assignment, its value in double quotes, a backslash taking the next
/// character as it is.
fn environment(file: &str) -> (String, String) {
    let (name, rest) = file.split_once('=').unwrap();
    let mut chars = rest.strip_prefix('"').unwrap().chars();
    let mut value = String::new();
    loop {
        match chars.next().expect("a closing quote") {
            '"' => break,
            '\\' => value.push(chars.next().unwrap()),
            other => value.push(other),
        }
    }
    assert_eq!(chars.as_str(), "\n", "one variable and no more");
    (name.into(), value)
}

/// `$NAME` as a word of its own in ExecStart= (systemd.service(5)): cut at white space, quotes taken off.
fn arguments(value: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in value.chars() {
        match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (None, ' ' | '\t' | '\n' | '\r') => words.extend(word.take()),
            (_, '\\') => panic!("nothing is escaped within"),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None);
    words.extend(word);
    words
}

#[test]
fn the_relay_is_told_its_name_and_zones() {
    let rendered = render(&configuration());
    let (name, value) = environment(&rendered.relay_env);
    assert_eq!(name, "RELAY_OPTIONS");
    let zones = [
        "admin=10.2.9.0/24",
        "admin=10.3.0.0/24",
        "guest=10.2.8.0/24",
        "guest=fd01::/64",
        "ward=10.2.9.128/25",
    ];
    let mut want = vec!["--facility".to_string(), "St. Mary's Hospital".into()];
    want.extend(zones.iter().flat_map(|zone| ["--zone".to_string(), (*zone).into()]));
    assert_eq!(arguments(&value), want);
    assert_eq!(rendered.chrony, "server 10.2.0.2 iburst\nserver fd00::2 iburst\n");
    assert_eq!(rendered.names.addresses.len(), 3);
}

#[test]
fn ports_come_before_the_first_and_have_no_address_of_their_own_making() {
    let files = render(&configuration()).network;
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let want = [
        "60-wardline-vlan30.netdev",
        "60-wardline-vlan30.network",
        "60-wardline-enp3s0.network",
        "70-wardline.network",
    ];
    assert_eq!(names, want);
    assert!(files[0].text.contains("Name=vlan30\nKind=vlan\n\n[VLAN]\nId=30\n"));
    assert!(files[1].text.contains("Address=10.3.0.5/24\nLinkLocalAddressing=no\n"));
    assert!(files[2].text.contains("Address=fd01::5/64\nLinkLocalAddressing=ipv6\n"));
    assert!(files[3].text.contains("DHCP=no\nAddress=10.2.0.5/16\nGateway=10.2.0.1\n"));
    assert!(files[3].text.contains("VLAN=vlan30\n") && !files[3].text.contains("VLAN=enp3s0"));
    for file in &files {
        for line in file.text.lines() {
            let sound = line.is_empty()
                || (line.starts_with('[') && line.ends_with(']'))
                || line
                    .split_once('=')
                    .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_alphanumeric()));
            assert!(sound, "{}: {line}", file.name);
        }
    }
    let expected = "10.2.0.5/16".parse().unwrap();
    let dhcp = Configuration { addressing: Addressing::Dhcp { expected }, ..configuration() };
    let text = &render(&dhcp).network[3].text;
    assert!(text.contains("DHCP=ipv4\n") && !text.contains("Address=") && text.contains("UseDNS=no"));
}

#[test]
fn each_destination_has_its_rule_and_counter_and_nothing_else_leaves() {
    let rules = render(&configuration()).nftables;
    let accepted: Vec<&str> = rules.lines().filter(|line| line.contains("accept")).map(str::trim).collect();
    let want = [
        "meta skuid 875 ip daddr 10.2.0.2 udp dport 53 counter name to_dns_1 accept",
        "meta skuid 875 ip daddr 10.2.0.2 tcp dport 53 counter name to_dns_1 accept",
        "meta skuid 875 ip daddr 10.2.0.3 udp dport 53 counter name to_dns_2 accept",
        "meta skuid 875 ip daddr 10.2.0.3 tcp dport 53 counter name to_dns_2 accept",
        "meta skuid _chrony ip daddr 10.2.0.2 udp dport 123 counter name to_time_1 accept",
        "meta skuid _chrony ip6 daddr fd00::2 udp dport 123 counter name to_time_2 accept",
        "meta skuid 875 ip daddr 10.2.0.7 tcp dport 6514 counter name to_syslog accept",
        "meta skuid 875 ip daddr 10.2.0.8 tcp dport 636 counter name to_directory accept",
        "meta skuid 875 ip6 daddr fd00::9 tcp dport 2575 counter name to_emr accept",
    ];
    assert_eq!(accepted, want);
    let declared = rules.lines().filter(|line| line.trim_start().starts_with("counter "));
    let declared: Vec<&str> = declared.map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    for rule in want {
        assert!(declared.iter().any(|name| rule.contains(&format!("counter name {name} "))), "{rule}");
    }
    assert_eq!(declared.len(), 7);
    assert!(
        rules.contains("udp dport { 67, 547 } counter name dropped_out drop"),
        "no DHCP where there is none"
    );
    assert!(rules.contains(r#"iifname "vlan30" ip saddr != 10.3.0.0/24 counter name dropped_in drop"#));
    assert!(rules.contains(r#"iifname "vlan30" meta nfproto ipv6 counter name dropped_in drop"#));
    assert!(rules.contains(r#"iifname != "enp3s0" ip6 saddr fd01::/64 counter name dropped_in drop"#));
    assert_eq!(rules.matches('{').count(), rules.matches('}').count());
}

#[test]
fn a_configuration_that_names_nothing_lets_nothing_out() {
    let quiet = Configuration {
        dns_servers: List::default(),
        time_servers: List::default(),
        syslog: None,
        directory: None,
        emr: None,
        ..configuration()
    };
    let rendered = render(&quiet);
    assert!(!rendered.nftables.contains("accept") && rendered.chrony.is_empty());
}

proptest! {
    /// Whatever a facility may be called, it is one argument and does not end its file.
    #[test]
    fn no_name_breaks_out(text in "[ -~\u{00A0}-\u{024F}\u{2000}-\u{206F}\n\t\u{0}]{1,40}") {
        let Ok(facility) = text.parse::<FacilityName>() else { return Ok(()) };
        let (_, value) = environment(&render(&Configuration { facility, ..configuration() }).relay_env);
        let words = arguments(&value);
        prop_assert_eq!(&words[1], &text);
        prop_assert_eq!(words.len(), 12);
    }

    /// What is no text of a facility's is made of a few characters, whatever the values are.
    #[test]
    fn texts_hold_nothing_that_no_template_has(a: [u8; 4], b: [u16; 8], prefix in 8_u8..=30, vlan in 1_u16..=4094) {
        let ip4 = std::net::Ipv4Addr::from(a);
        let ip6 = std::net::Ipv6Addr::from(b);
        let mut made = configuration();
        let Ok(expected) = format!("{ip4}/{prefix}").parse() else { return Ok(()) };
        made.addressing = Addressing::Dhcp { expected };
        if let Ok(server) = ip6.to_string().parse() {
            made.dns_servers = List::new(vec![server]).unwrap();
        }
        made.zones.guest = List::new(vec![Place::Port(format!("vlan{vlan}").parse().unwrap())]).unwrap();
        made.issuing = Blob::new(b.map(|part| u8::try_from(part & 0xFF).unwrap()).to_vec()).unwrap();
        let rendered = render(&made);
        let allowed = |c: char| c.is_ascii_alphanumeric() || " \n[]{}=.,:;/_-!\"#$".contains(c);
        let mut texts = vec![rendered.nftables, rendered.chrony];
        texts.extend(rendered.network.into_iter().flat_map(|file| [file.name, file.text]));
        for text in texts {
            prop_assert!(text.chars().all(allowed), "{}", text);
            prop_assert!(!text.contains('$'));
        }
    }
}
