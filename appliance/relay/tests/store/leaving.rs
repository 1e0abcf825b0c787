//! A process ends while connections are still closing on threads of their own: in peace, whatever they are at.

use std::path::Path;
use std::process::Command;

use wardline_core::write::Numbered;
use wardline_relay::store::Store;

use crate::batches::busy_world;
use crate::{block_on, commit, open, quick_directory};

const LEAVES: &str = "WARDLINE_TEST_LEAVE";
const TIMES: usize = 40;

/// Opens a few stores, lets them all go without a word, and is gone.
fn child(directory: &Path) -> ! {
    let writes: Vec<Numbered> = busy_world(50).writes;
    let stores: Vec<Store> = block_on(async {
        let mut stores = Vec::new();
        for n in 0..4 {
            let place = directory.join(n.to_string());
            std::fs::create_dir_all(&place).unwrap();
            let (mut store, restored) = open(&place).await;
            if restored.change.0 == 0 {
                commit(&mut store, &writes).await;
            }
            stores.push(store);
        }
        stores
    });
    drop(stores);
    std::process::exit(0)
}

#[test]
fn a_process_that_leaves_its_stores_open_ends_in_peace() {
    if let Ok(directory) = std::env::var(LEAVES) {
        child(Path::new(&directory));
    }
    let directory = quick_directory();
    for time in 0..TIMES {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "leaving::a_process_that_leaves_its_stores_open_ends_in_peace"])
            .env(LEAVES, directory.path())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{time}: {:?}", ended.status);
    }
}
