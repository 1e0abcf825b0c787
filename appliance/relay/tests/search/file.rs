//! The index's file: what is in it, what goes from it, and what happens when it is lost or damaged.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::house::{ANA, House, search_key, texts};
use crate::{block_on, inside};

/// As the index has it: folded.
const DOOMED: &str = "basaltheron";
const KEPT: &str = "copperlynx";

/// Where a word lies in the file or its log, in clear for whoever has the key.
fn traces(path: &Path, word: &str) -> Vec<String> {
    let (pages, _) = inside::pages(path, &search_key());
    let holds = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    pages.into_iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place).collect()
}

async fn two_conversations(directory: &Path) -> House {
    let mut house = House::open(directory).await;
    for conversation in [10, 11] {
        house.opens(conversation);
        house.joins(conversation, ANA);
    }
    for at in 0..200 {
        house.says(10, ANA, at, &format!("Basaltheron {at}"));
        house.says(11, ANA, at, &format!("Copperlynx {at}"));
    }
    house.commit().await;
    house
}

#[test]
fn what_is_purged_is_nowhere_in_the_file_or_its_log() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = two_conversations(directory.path()).await;
        house.builds();
        house.is_built().await;
        assert_eq!(house.finds("basalt").await.page.at_least, 200);
        let index = house.index();
        assert!(!traces(&index, DOOMED).is_empty(), "it is seen before");
        assert_eq!(std::fs::metadata(&index).unwrap().permissions().mode() & 0o777, 0o600);

        house.purges(10);
        house.commit().await;
        assert!(house.finds("basalt").await.page.hits.is_empty(), "not shown from this moment");
        house.library.search.is_clean().await;
        assert_eq!(traces(&index, DOOMED), [""; 0]);
        assert!(!traces(&index, KEPT).is_empty(), "what was kept is seen by the same look");
        assert_eq!(house.finds("copper").await.page.at_least, 200);
        house.close().await;
    });
}

/// Purged while no index was kept: gone before anything else happens at the next start.
#[test]
fn what_was_purged_meanwhile_goes_at_the_start() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = two_conversations(directory.path()).await;
        house.builds();
        house.is_built().await;
        let index = house.index();
        house.close().await;
        let mut house = House::open(directory.path()).await;
        house.purges(10);
        house.commit().await;
        assert!(!traces(&index, DOOMED).is_empty());
        house.builds();
        house.library.search.is_clean().await;
        assert_eq!(traces(&index, DOOMED), [""; 0]);
        house.close().await;
    });
}

#[test]
fn what_has_expired_is_not_found_and_leaves_the_file() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = House::open(directory.path()).await;
        house.opens(10);
        house.joins(10, ANA);
        for at in 0..100 {
            house.says(10, ANA, at, if at < 70 { "Basaltheron low" } else { "Copperlynx low" });
        }
        house.commit().await;
        house.builds();
        house.is_built().await;
        assert_eq!(house.finds("low").await.page.at_least, 100);
        house.expires(10, 70);
        house.commit().await;
        let answer = house.finds("low").await;
        assert_eq!((answer.page.hits.len(), answer.page.at_least), (30, 30), "not counted either");
        house.library.search.is_clean().await;
        house.close().await;
        // The log is not emptied for what has expired, as the store's is not: what is current is clean.
        let mut house = House::open(directory.path()).await;
        house.builds();
        house.library.search.is_clean().await;
        assert_eq!(traces(&house.index(), DOOMED), [""; 0]);
        assert_eq!(house.finds("copper").await.page.at_least, 30);
        house.close().await;
    });
}

#[test]
fn a_restart_goes_on_where_it_was() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = two_conversations(directory.path()).await;
        house.builds();
        house.is_built().await;
        house.close().await;
        let mut house = House::open(directory.path()).await;
        house.says(10, ANA, 900, "Basaltheron again");
        house.commit().await;
        assert!(!house.finds("basalt").await.page.complete, "no index is open yet");
        house.builds();
        house.is_built().await;
        let answer = house.finds("basaltheron again").await;
        assert_eq!(texts(&answer), ["Basaltheron again"]);
        assert!(answer.page.complete);
        assert_eq!(
            (house.metrics.search_indexed_total.value(), house.metrics.search_rebuilds_total.value()),
            (1, 0)
        );
        house.close().await;
    });
}

/// Missing, torn, garbage, of another key, of another store: thrown away, and built again of the store.
#[test]
fn a_file_that_is_no_good_is_built_anew() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage, u64); 4] = [
        ("missing", |index| std::fs::remove_file(index).unwrap(), 0),
        ("garbage", |index| std::fs::write(index, [0x5a; 40_000]).unwrap(), 1),
        ("torn", |index| torn(index), 1),
        ("empty", |index| std::fs::write(index, b"").unwrap(), 0),
    ];
    block_on(async {
        for (what, damage, rebuilds) in damages {
            let directory = tempfile::tempdir().unwrap();
            let mut house = two_conversations(directory.path()).await;
            house.builds();
            house.is_built().await;
            let index = house.index();
            house.close().await;
            damage(&index);
            let mut house = House::open(directory.path()).await;
            house.builds();
            house.library.search.is_clean().await;
            house.is_built().await;
            // What is torn is met by whoever reads there; the answer says that it is not complete.
            let mut answer = house.finds("basalt").await;
            while !answer.page.complete {
                house.library.search.is_clean().await;
                answer = house.finds("basalt").await;
            }
            assert_eq!((answer.page.hits.len(), answer.page.at_least), (50, 200), "{what}");
            assert_eq!(house.metrics.search_rebuilds_total.value(), rebuilds, "{what}");
            house.close().await;
        }
    });
}

/// Every page but the first few is spoilt.
fn torn(index: &Path) {
    let mut bytes = std::fs::read(index).unwrap();
    for page in bytes.chunks_mut(4096).skip(8) {
        page[100] ^= 1;
    }
    std::fs::write(index, bytes).unwrap();
}

#[test]
fn an_index_of_another_store_is_not_believed() {
    block_on(async {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut house = two_conversations(directory.path()).await;
        house.builds();
        house.is_built().await;
        let index = house.index();
        house.close().await;
        let mut house = House::open(other.path()).await;
        house.opens(10);
        house.joins(10, ANA);
        house.says(10, ANA, 1, "Copperlynx");
        house.commit().await;
        std::fs::copy(index, house.index()).unwrap();
        house.builds();
        house.is_built().await;
        assert_eq!(house.metrics.search_rebuilds_total.value(), 1);
        assert_eq!(texts(&house.finds("copper").await), ["Copperlynx"]);
        assert_eq!(traces(&house.index(), DOOMED), [""; 0]);
        house.close().await;
    });
}
