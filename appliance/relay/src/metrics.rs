//! Counters for Prometheus, served in its text format over a local socket: `curl --unix-socket metrics.sock
//! http://box/metrics`. Numbers only: no label ever names a person, a device or a conversation.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:literal,)*) => {
        /// All the relay's numbers.
        #[derive(Default)]
        pub struct Metrics {
            $($(#[doc = $doc])* pub $name: Metric,)*
        }

        impl Metrics {
            /// The exposition format, version 0.0.4.
            pub fn render(&self) -> String {
                let mut text = String::with_capacity(4096);
                $(
                    let help = concat!($($doc),*);
                    let name = concat!("wardline_relay_", stringify!($name));
                    let _ = writeln!(text, "# HELP {name}{help}\n# TYPE {name} {}\n{name} {}", $kind, self.$name.value());
                )*
                text
            }
        }
    };
}

metrics! {
    /// Connections open now.
    connections: "gauge",
    /// Connections that are delivered to now.
    attached: "gauge",
    /// QUIC handshakes begun.
    handshakes_total: "counter",
    /// QUIC handshakes that failed or timed out.
    handshakes_failed_total: "counter",
    /// Handshakes sent back for address validation.
    handshakes_retried_total: "counter",
    /// Handshakes dropped by a limit.
    handshakes_dropped_total: "counter",
    /// Inputs handled by the core.
    inputs_total: "counter",
    /// Commits.
    commits_total: "counter",
    /// Writes committed.
    writes_total: "counter",
    /// Microseconds spent committing.
    commit_microseconds_total: "counter",
    /// Bytes of attachments that came in.
    attachment_bytes_in_total: "counter",
    /// Bytes of attachments that went out.
    attachment_bytes_out_total: "counter",
    /// Messages accepted.
    messages_accepted_total: "counter",
    /// Changes handed to live connections.
    deliveries_total: "counter",
    /// Messages sent by catching up from the store.
    caught_up_total: "counter",
    /// Refusals sent.
    refusals_total: "counter",
    /// Connections closed for breaking the protocol.
    peer_faults_total: "counter",
    /// End of the validity of the certificate being served, Unix seconds.
    certificate_not_after: "gauge",
    /// Times the whole store was read and found sound.
    checks_total: "counter",
    /// 1 after the last such look failed.
    check_failed: "gauge",
    /// Free bytes on the store's volume.
    disk_free_bytes: "gauge",
    /// 1 while new messages are refused for want of space.
    disk_low: "gauge",
    /// Searches answered.
    searches_total: "counter",
    /// Microseconds spent answering searches.
    search_microseconds_total: "counter",
    /// Messages taken into the search index.
    search_indexed_total: "counter",
    /// Bytes of the search index on disk.
    search_index_bytes: "gauge",
    /// Times the search index was thrown away and built anew.
    search_rebuilds_total: "counter",
    /// 1 while the search index waits for room on the disk.
    search_paused: "gauge",
}

/// One number.
#[derive(Default)]
pub struct Metric(AtomicU64);

impl Metric {
    /// Counts one more.
    pub fn one(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Is now this.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// What it is.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Serves the numbers until the process ends. One request at a time: there is one scraper, on this box.
pub async fn serve(path: &Path, metrics: Arc<Metrics>) -> std::io::Result<()> {
    const REQUEST_TIME_MAX: Duration = Duration::from_secs(2);
    let listener = bind(path)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let exchange = async {
            let mut request = [0; 1024];
            let mut length = 0;
            while length < request.len() && !request[..length].windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut request[length..]).await? {
                    0 => break,
                    read => length += read,
                }
            }
            let body = metrics.render();
            let head = format!(
                "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        };
        // A scraper that hangs or leaves is its own loss.
        let _ = tokio::time::timeout(REQUEST_TIME_MAX, exchange).await;
    }
}

/// A Unix socket at this path for this user and group, in place of a dead one.
pub fn bind(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}
