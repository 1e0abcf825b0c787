//! People who are signed in and say nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::connect;
use crate::subject::Subject;

/// For memory to settle.
const SETTLE: Duration = Duration::from_secs(3);

/// Resident bytes of the server for each of so many connections.
pub(crate) async fn run(subject: &Arc<Subject>, people: usize) -> Result<f64> {
    let before = subject.resident()?;
    let everybody: Vec<usize> = (0..people).collect();
    let lines = connect(subject, &everybody).await?;
    tokio::time::sleep(SETTLE).await;
    let grown = subject.resident()?.saturating_sub(before);
    for line in &lines {
        line.close();
    }
    Ok(grown as f64 / people as f64)
}
