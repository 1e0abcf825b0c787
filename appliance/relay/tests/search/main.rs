//! Search against real files: finds what the asker may see, and tells nothing of the rest.
#![allow(missing_docs, reason = "tests are named after what they show")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../store/grants.rs"]
#[allow(dead_code, reason = "the store's tests need the rest")]
mod grants;
#[path = "../store/inside.rs"]
#[allow(dead_code, reason = "the store's tests need the rest")]
mod inside;

mod file;
mod house;
mod worlds;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
