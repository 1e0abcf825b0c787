//! The first administrator: somebody has to be let in before anybody can let others in.
//!
//! As long as no administrator ever had a device, the box shows a join code for one; where the directory has no administrator,
//! it adds one by the name of [`NAME`]. A device that was revoked counts, and so does an administrator who is suspended.

use std::path::Path;
use std::time::Duration;

use wardline_client::{Calls as _, Error, JoinCode, LocalBox};

/// Whom the box adds to an empty directory. They can change their name.
pub const NAME: &str = "Administrator";
const TITLE: &str = "IT";
const TIME_MAX: Duration = Duration::from_secs(30);

/// What is to be shown to who sets the box up.
pub enum First {
    /// Nothing any more: an administrator has a device.
    Joined,
    /// This code.
    Code(JoinCode),
}

/// Looks, and asks for a code unless `held` is one that lives past `now_unix_ms`.
///
/// # Errors
/// The relay's; it may be asked again.
pub fn look(socket: &Path, held: Option<JoinCode>, now_unix_ms: i64) -> Result<First, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| Error::Interrupted)?;
    runtime.block_on(async {
        let asked = tokio::time::timeout(TIME_MAX, ask(socket, held, now_unix_ms));
        asked.await.unwrap_or(Err(Error::Interrupted))
    })
}

async fn ask(socket: &Path, held: Option<JoinCode>, now_unix_ms: i64) -> Result<First, Error> {
    let door = LocalBox::connect(socket).await?;
    let people = door.people().await?;
    let mut first = None;
    for one in people.iter().filter(|one| one.administrator) {
        // A revoked one counts: else losing the last phone would let in whoever stands before the box.
        if !door.list_devices(one.id).await?.is_empty() {
            return Ok(First::Joined);
        }
        first = first.or(Some(one.id).filter(|_| !one.suspended));
    }
    if let Some(held) = held.filter(|held| held.expires > now_unix_ms) {
        return Ok(First::Code(held));
    }
    let first = match first {
        Some(first) => first,
        None => door.add_person(NAME, TITLE, true).await?,
    };
    Ok(First::Code(door.issue_join_code(first).await?))
}
