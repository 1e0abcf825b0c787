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

/// A sixteenth of each: edited to say something else, and recalled.
async fn altered(directory: &Path) -> House {
    let mut house = House::open(directory).await;
    house.opens(10);
    house.joins(10, ANA);
    for at in 0..160 {
        let word = match at % 16 {
            3 => "Basaltheron",
            7 => "Ochrefinch",
            _ => "Copperlynx",
        };
        house.says(10, ANA, at, &format!("{word} low {at}"));
    }
    house.commit().await;
    house
}

async fn alter(house: &mut House) {
    for at in (0..160).filter(|at| at % 16 == 3) {
        house.edits(10, at + 1, "Tealplover high").await;
    }
    for at in (0..160).filter(|at| at % 16 == 7) {
        house.recalls(10, at + 1).await;
    }
    house.commit().await;
}

async fn assert_altered(house: &House) {
    for gone in ["basalt", "ochre"] {
        let answer = house.finds(gone).await;
        assert_eq!((answer.page.hits.len(), answer.page.at_least), (0, 0), "{gone}");
    }
    assert_eq!(house.finds("tealplover").await.page.at_least, 10);
    assert_eq!(house.finds("high").await.page.at_least, 10);
    assert_eq!(house.finds("low").await.page.at_least, 140);
    assert_eq!(house.finds("copper").await.page.at_least, 140);
    let index = house.index();
    for gone in ["basaltheron", "ochrefinch"] {
        assert_eq!(traces(&index, gone), [""; 0]);
    }
    assert!(!traces(&index, "tealplover").is_empty());
}

#[test]
fn the_index_follows_edits_and_recalls_and_keeps_nothing_of_what_was() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = altered(directory.path()).await;
        house.builds();
        house.is_built().await;
        assert_eq!(house.finds("basalt").await.page.at_least, 10);
        alter(&mut house).await;
        assert!(house.finds("ochre").await.page.hits.is_empty(), "not shown from this moment");
        house.library.search.is_clean().await;
        assert_altered(&house).await;
        // Once more, of what was edited before.
        house.edits(10, 4, "Basaltheron after all").await;
        house.recalls(10, 20).await;
        house.commit().await;
        house.library.search.is_clean().await;
        assert_eq!(house.finds("basalt").await.page.at_least, 1);
        assert_eq!(house.finds("tealplover").await.page.at_least, 8);
        house.close().await;
    });
}

/// Altered while no index was kept: gone before anybody can search.
#[test]
fn what_was_altered_meanwhile_is_right_at_the_start_and_in_an_index_built_anew() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let mut house = altered(directory.path()).await;
        house.builds();
        house.is_built().await;
        house.close().await;
        let mut house = House::open(directory.path()).await;
        alter(&mut house).await;
        assert!(!traces(&house.index(), "ochrefinch").is_empty());
        house.builds();
        house.library.search.is_clean().await;
        assert_altered(&house).await;
        let index = house.index();
        house.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", index.display()));
        }
        let mut house = House::open(directory.path()).await;
        house.builds();
        house.is_built().await;
        house.library.search.is_clean().await;
        assert_altered(&house).await;
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
