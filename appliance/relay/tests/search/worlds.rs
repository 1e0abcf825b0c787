//! Two worlds that differ only in what Ana may not see: she is answered the same, for the same work. And what she is answered is
//! what a look through everything that she may read gives.

use proptest::prelude::*;
use wardline_core::search::{Behind, Filter, Query, Search};
use wardline_core::time::Wall;
use wardline_core::wire::proto;

use crate::block_on;
use crate::house::{ANA, BEN, House, person, place};

const WORDS: [&str; 14] = [
    "heparin",
    "Hepatitis",
    "bed",
    "4471-B",
    "MRN-00123",
    "MRN-00456",
    "Müller",
    "the",
    "potassium",
    "pot",
    "low",
    "120/80",
    "漢字",
    "hep",
];
const QUERIES: [&str; 12] = [
    "hep",
    "heparin",
    "\"hep\"",
    "bed 4471",
    "mrn-001",
    "muller the",
    "pot low",
    "\"the bed\"",
    "b",
    "120/80",
    "漢",
    "the",
];
/// Ana is in both from the start, joins the third later, was in the fourth, is not in the fifth; the sixth will be purged.
const OPEN: [u64; 2] = [10, 11];
const LATE: u64 = 12;
const LEFT: u64 = 13;
const FOREIGN: u64 = 14;
const PURGED: u64 = 15;

/// Where, by Ana or Ben, words, and how much later than the one before.
type Said = (u8, bool, Vec<u8>, u8);

#[derive(Clone, Debug)]
struct Script {
    before: Vec<Said>,
    after: Vec<Said>,
    /// In the second world's foreign conversations, besides.
    besides: Vec<Vec<u8>>,
    queries: Vec<Asked>,
    expired: u8,
}

#[derive(Clone, Debug)]
struct Asked {
    query: u8,
    within: Option<u8>,
    author: Option<bool>,
    since: Option<u8>,
    limit: u32,
}

fn said() -> impl Strategy<Value = Said> {
    (0u8..6, any::<bool>(), prop::collection::vec(0u8..14, 1..8), 0u8..3)
}

fn script() -> impl Strategy<Value = Script> {
    let asked = (0u8..12, prop::option::weighted(0.3, 0u8..3), prop::option::weighted(0.3, any::<bool>()));
    let asked = (asked, prop::option::weighted(0.3, 0u8..60), 1u32..8)
        .prop_map(|((query, within, author), since, limit)| Asked { query, within, author, since, limit });
    (
        prop::collection::vec(said(), 0..60),
        prop::collection::vec(said(), 0..60),
        prop::collection::vec(prop::collection::vec(0u8..14, 1..8), 1..40),
        prop::collection::vec(asked, 1..8),
        0u8..4,
    )
        .prop_map(|(before, after, besides, queries, expired)| Script {
            before,
            after,
            besides,
            queries,
            expired,
        })
}

fn text(words: &[u8]) -> String {
    words.iter().map(|word| WORDS[usize::from(*word)]).collect::<Vec<_>>().join(" ")
}

/// What Ana may read in the end, and every answer to every query: pages on end, with what each cost.
type Seen = (Vec<proto::Message>, Vec<Vec<(proto::SearchPage, usize)>>);

/// `other`: what Ana may not see says something else, and there is more of it where no number tells her.
async fn live(script: &Script, other: bool) -> Seen {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut house = House::open(directory.path()).await;
    let mut mine = Vec::new();
    for conversation in [10, 11, 12, 13, 14, 15] {
        house.opens(conversation);
    }
    for conversation in [10, 11, 13, 15] {
        house.joins(conversation, ANA);
    }
    let mut clock = 1_000_000;
    let mut besides = script.besides.iter();
    let mut say = |house: &mut House, said: &Said, late: bool, mine: &mut Vec<proto::Message>| {
        let (place, by_ana, words, later) = said;
        let conversation = 10 + u64::from(*place);
        clock += i64::from(*later);
        let seen = OPEN.contains(&conversation) || (late && conversation == LATE);
        let hidden = if other { "completely different potassium heparin words 4471-B" } else { "the same" };
        // What is in these as she comes and goes has places that she sees; its words she does not.
        let text = if seen { text(words) } else { format!("{hidden} {}", text(words)) };
        let who = if *by_ana && seen { ANA } else { BEN };
        let message = house.says(conversation, who, clock, &text);
        if seen {
            mine.push(message);
        }
        if other && let Some(words) = besides.next() {
            for conversation in [FOREIGN, PURGED] {
                house.says(conversation, BEN, clock, &self::text(words));
            }
        }
    };
    for said in &script.before {
        say(&mut house, said, false, &mut mine);
    }
    house.commit().await;
    house.builds();
    house.is_built().await;
    house.joins(LATE, ANA);
    house.leaves(LEFT, ANA);
    for said in &script.after {
        say(&mut house, said, true, &mut mine);
    }
    house.purges(PURGED);
    let through = u64::from(script.expired).min(mine.iter().filter(|m| m.conversation == 10).count() as u64);
    if through > 0 {
        house.expires(10, through);
        mine.retain(|message| message.conversation != 10 || message.sequence > through);
    }
    house.says(10, ANA, 2_000_000, "the end");
    mine.push(proto::Message {
        text: "the end".to_owned(),
        sender: ANA,
        at: 2_000_000,
        ..last_of(&mut house, 10)
    });
    house.commit().await;
    house.is_built().await;
    // What has expired was hers to see, and goes in its own time.
    house.library.search.is_clean().await;
    let mut answers = Vec::new();
    for asked in &script.queries {
        let mut search = search(asked);
        let mut pages = Vec::new();
        loop {
            let answer = house.looks(ANA, search.clone()).await;
            let after = answer.page.after.clone();
            pages.push((answer.page, answer.rows));
            if after.is_empty() {
                break;
            }
            search.behind = Some(Behind::parse(&after).unwrap());
        }
        answers.push(pages);
    }
    house.close().await;
    (mine, answers)
}

/// Everything of the newest message but what it says.
fn last_of(house: &mut House, conversation: u64) -> proto::Message {
    let sequence = house.last(conversation);
    let mut id = [conversation as u8; 16];
    id[..8].copy_from_slice(&sequence.to_be_bytes());
    let (message, priority) = (id.to_vec(), proto::Priority::Routine.into());
    proto::Message { conversation, sequence, message, priority, ..proto::Message::default() }
}

fn search(asked: &Asked) -> Search {
    let filter = Filter {
        conversation: asked.within.map(|at| place(10 + u64::from(at))),
        author: asked.author.map(|ana| person(if ana { ANA } else { BEN })),
        since: asked.since.map(|at| Wall(1_000_000 + i64::from(at))),
        until: None,
    };
    let query = Query::parse(QUERIES[usize::from(asked.query)]).unwrap();
    Search { query, filter, behind: None, limit: asked.limit }
}

/// The same by looking through everything.
fn by_hand(mine: &[proto::Message], asked: &Asked) -> Vec<proto::Message> {
    let Search { query, filter, .. } = search(asked);
    let mut found: Vec<_> = mine
        .iter()
        .filter(|message| {
            filter.conversation.is_none_or(|place| place.value() == message.conversation)
                && filter.author.is_none_or(|author| author.value() == message.sender)
                && filter.since.is_none_or(|since| message.at >= since.0)
        })
        .filter_map(|message| Some((query.rank(&message.text)?, message)))
        .collect();
    found.sort_by_key(|(rank, message)| {
        std::cmp::Reverse((*rank, message.at, std::cmp::Reverse(message.conversation), message.sequence))
    });
    found.into_iter().map(|(_, message)| message.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_ana_may_not_see_changes_an_answer_or_its_cost(script in script()) {
        let (one, other) = block_on(async { (live(&script, false).await, live(&script, true).await) });
        prop_assert!(one.0 == other.0, "the worlds differ in what she sees");
        for ((asked, one), other) in script.queries.iter().zip(&one.1).zip(&other.1) {
            let costs = |pages: &[(proto::SearchPage, usize)]| pages.iter().map(|page| page.1).collect::<Vec<_>>();
            prop_assert_eq!(costs(one), costs(other), "rows read, for {:?}", asked);
            prop_assert!(one == other, "answers, for {:?}", asked);
        }
        for (asked, pages) in script.queries.iter().zip(&one.1) {
            let expected = by_hand(&one.0, asked);
            let hits: Vec<_> = pages.iter().flat_map(|page| page.0.hits.clone()).collect();
            prop_assert!(hits == expected, "{:?}: {} hits, {} expected", asked, hits.len(), expected.len());
            for (page, _) in pages {
                prop_assert!(page.complete && page.at_least <= expected.len() as u64);
                if !QUERIES[usize::from(asked.query)].contains('"') {
                    prop_assert!(page.at_least == expected.len() as u64 && !page.more);
                }
            }
        }
    }
}
