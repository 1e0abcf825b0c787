//! Somebody comes back to thousands of messages.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::shape::Shape;
use crate::subject::Subject;

/// Missed messages a second, from connecting to the last of them, sign-in included.
pub(crate) async fn run(subject: &Arc<Subject>, shape: &Shape) -> Result<f64> {
    let began = Instant::now();
    let line = subject.connect(shape.misser()).await?;
    let took = began.elapsed();
    line.close();
    ensure!(line.missed == shape.missed as u64, "{} of {} messages came", line.missed, shape.missed);
    Ok(shape.missed as f64 / took.as_secs_f64())
}
