//! The log: to the journal under systemd, to standard error elsewhere. It takes what is [`LogSafe`] and nothing else.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use wardline_core::refusal::LogSafe;

/// A value for a log field: `tracing::info!(conn = safe(&conn), …)`.
pub fn safe<T: LogSafe + ?Sized>(value: &T) -> tracing::field::DisplayValue<&T> {
    tracing::field::display(value)
}

/// Starts logging for this process. `filter` as tracing's `EnvFilter`: "info", "wardline_relay=debug".
pub fn start(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    // systemd sets JOURNAL_STREAM for what it starts with output to the journal (systemd.exec(5)).
    if std::env::var_os("JOURNAL_STREAM").is_some()
        && let Ok(journald) = tracing_journald::layer()
    {
        registry.with(journald).init();
        return;
    }
    let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    registry.with(stderr).init();
}
