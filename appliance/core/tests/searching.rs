//! Searching: who may, what is recorded, what is refused, and that words are found whatever their guise.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

#[path = "ward/mod.rs"]
mod ward;

use proptest::prelude::*;
use wardline_core::audit::{Act, Entry};
use wardline_core::ids::{Conn, ConversationId, PersonId, RequestId, Sequence};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::search::{Behind, Filter, Query, Rank, Search, terms};
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode, client_frame};
use wardline_core::wire::{self, Incoming};
use wardline_core::write::Write;

use ward::{Ward, group_of, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);

fn search(words: &str, filter: Filter) -> Ask {
    Ask::Search(Search { query: Query::parse(words).unwrap(), filter, behind: None, limit: 20 })
}

fn granted(turn: &Turn) -> Option<PersonId> {
    turn.sends.iter().find_map(|send| match send {
        Send::Search { grant, .. } => Some(grant.person()),
        _ => None,
    })
}

fn recorded(turn: &Turn) -> Vec<Act> {
    let entries = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).unwrap().act),
        _ => None,
    });
    entries.collect()
}

fn two_and_a_group() -> (Ward, ConversationId) {
    let mut ward = Ward::new(2);
    let group = group_of(&ward.open_group(ANA, Vec::new()));
    (ward, group)
}

#[test]
fn a_search_is_granted_to_the_asker_and_recorded_without_its_words() {
    let (mut ward, group) = two_and_a_group();
    let turn = ward.ask(ANA, search("heparin \"Bed 4471-B\"", Filter::default()));
    assert_eq!(granted(&turn), Some(ward.people[0]));
    assert_eq!(recorded(&turn), [Act::Searched(3, None)]);
    let within = Filter { conversation: Some(group), ..Filter::default() };
    assert_eq!(recorded(&ward.ask(ANA, search("heparin", within))), [Act::Searched(1, Some(group))]);
}

#[test]
fn what_is_not_ones_own_is_not_searched() {
    let (mut ward, group) = two_and_a_group();
    let within = Filter { conversation: Some(group), ..Filter::default() };
    let turn = ward.ask(BEN, search("heparin", within));
    assert_eq!(refusal(&turn), Some(RefusalCode::NoSuchConversation.as_str_name()));
    assert!(granted(&turn).is_none() && turn.writes.is_empty());
    let nobody = Filter { author: PersonId::new(77), ..Filter::default() };
    assert_eq!(refusal(&ward.ask(BEN, search("x1", nobody))), Some(RefusalCode::NoSuchPerson.as_str_name()));
}

#[test]
fn a_device_searches_so_often_and_then_waits() {
    let (mut ward, _) = two_and_a_group();
    for _ in 0..limits::SEARCHES.burst {
        assert!(granted(&ward.ask(ANA, search("heparin", Filter::default()))).is_some());
    }
    let turn = ward.ask(ANA, search("heparin", Filter::default()));
    assert_eq!(refusal(&turn), Some(RefusalCode::SlowDown.as_str_name()));
    assert!(granted(&ward.ask(BEN, search("heparin", Filter::default()))).is_some(), "another device may");
}

#[test]
fn a_frame_out_of_range_is_refused_in_words() {
    let good = proto::Search { words: "heparin".to_owned(), limit: 20, ..proto::Search::default() };
    let parsed = |search: proto::Search| {
        let body = Some(client_frame::Body::Search(search));
        let fresh = || panic!("nothing new is named");
        let (request, parsed) = wire::parse(proto::ClientFrame { request: 7, body }, fresh);
        assert_eq!(request, RequestId(7));
        parsed
            .map(|incoming| matches!(incoming, Incoming::Ask(Ask::Search(_))))
            .map_err(|refusal| refusal.code())
    };
    assert!(parsed(good.clone()).is_ok_and(|is| is));
    type Change = fn(&mut proto::Search);
    let wrong: [(Change, RefusalCode); 9] = [
        (|search| search.words.clear(), RefusalCode::SearchEmpty),
        (|search| search.words = "a b c d e f g h i".to_owned(), RefusalCode::SearchTooLong),
        (|search| search.words = "é".repeat(limits::SEARCH_QUERY_MAX), RefusalCode::SearchTooLong),
        (|search| search.limit = 0, RefusalCode::Invalid),
        (|search| search.limit = limits::SEARCH_HITS_MAX + 1, RefusalCode::Invalid),
        (|search| search.conversation = u64::MAX, RefusalCode::NoSuchConversation),
        (|search| search.author = u64::MAX, RefusalCode::NoSuchPerson),
        (|search| (search.since, search.until) = (5, 5), RefusalCode::Invalid),
        (|search| search.after = vec![1; 24], RefusalCode::Invalid),
    ];
    for (change, code) in wrong {
        let mut search = good.clone();
        change(&mut search);
        assert!(parsed(search) == Err(code), "{}", code.as_str_name());
    }
}

proptest! {
    /// Whatever it is written with: what stands in a text is found in it, quoted and not.
    #[test]
    fn a_text_is_found_by_its_words(text in "\\PC{1,60}") {
        for word in text.split_whitespace().filter(|word| !word.contains(['"', '“', '”', '„'])) {
            let Ok(query) = Query::parse(word) else { continue };
            prop_assert!(query.rank(&text).is_some(), "{word}");
            prop_assert!(Query::parse(&format!("\"{word}\"")).unwrap().rank(&text).is_some(), "{word}");
        }
    }

    /// Terms keep their bounds, and a text folded twice has the same.
    #[test]
    fn terms_are_bounded_and_settled(text in "\\PC{0,400}") {
        let once = terms(&text);
        prop_assert!(once.len() <= limits::SEARCH_TERMS_OF_MESSAGE_MAX);
        for term in &once {
            prop_assert!((1..=limits::SEARCH_TERM_MAX).contains(&term.as_bytes().len()));
        }
    }

    #[test]
    fn a_place_in_the_order_is_read_back(rank in 0u8..9, at: i64, conversation in 1u64..=i64::MAX as u64, sequence: u64) {
        let behind = Behind {
            rank: Rank(rank),
            at: Wall(at),
            conversation: ConversationId::new(conversation).unwrap(),
            sequence: Sequence(sequence),
        };
        prop_assert_eq!(Behind::parse(&behind.to_bytes()), Ok(behind));
    }
}
