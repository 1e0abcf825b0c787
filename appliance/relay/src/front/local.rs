//! The local doorway: a Unix socket for services of this box and for its administrator at the console. The kernel
//! says who is at the other end (SO_PEERCRED, unix(7)); only users on the list come in. No messages pass here.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use wardline_core::input::{Door, Source};

use super::connection::{Carrier, Context, serve};
use crate::lane::Lane;
use crate::metrics::bind;

/// Connections at a time: a gateway, a console, a script.
const CONNECTIONS_MAX: usize = 16;

/// Accepts until the process ends.
pub async fn run(path: &Path, users: BTreeSet<u32>, context: Arc<Context>) -> std::io::Result<()> {
    let listener = bind(path)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let (stream, _) = listener.accept().await?;
        let user = stream.peer_cred()?.uid();
        if !users.contains(&user) {
            tracing::warn!(user, "a user that is not on the list came to the local socket");
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("the local socket has all the connections it may have");
            continue;
        };
        let context = Arc::clone(&context);
        tokio::spawn(async move {
            let (reader, mut writer) = stream.into_split();
            let door = || Door::Local;
            let carrier = Carrier {
                door,
                source: Source(0),
                exporter: None,
                origin: None,
                signed_in: |_: &Arc<Lane>, _| {},
            };
            serve(&context, carrier, reader, &mut writer).await;
            drop(place);
        });
    }
}
