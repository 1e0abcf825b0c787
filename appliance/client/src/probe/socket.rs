//! A UDP socket that notices Retry packets. quinn answers them and tells nobody.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime as _, UdpPoller};

/// quinn's own socket, and what was seen on it.
#[derive(Debug)]
pub(super) struct Watched {
    inner: Arc<dyn AsyncUdpSocket>,
    retried: AtomicBool,
}

/// An address of the family of `at` from which it can be reached, port and all left to the system.
pub(super) fn any(at: SocketAddr) -> SocketAddr {
    match at {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

impl Watched {
    pub(super) fn bind(at: SocketAddr) -> io::Result<Arc<Self>> {
        let inner = quinn::TokioRuntime.wrap_udp_socket(UdpSocket::bind(any(at))?)?;
        Ok(Arc::new(Self { inner, retried: AtomicBool::new(false) }))
    }

    pub(super) fn retried(&self) -> bool {
        self.retried.load(Ordering::Relaxed)
    }
}

/// Long header, version 1, type 3 (RFC 9000, 17.2.5). Retry packets have no header protection.
fn is_retry(packet: &[u8]) -> bool {
    matches!(packet, [first, 0, 0, 0, 1, ..] if first & 0b1111_0000 == 0b1111_0000)
}

impl AsyncUdpSocket for Watched {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.inner.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(count)) = received {
            for (buffer, meta) in bufs.iter().zip(meta.iter()).take(count) {
                let bytes = buffer.get(..meta.len).unwrap_or_default();
                if bytes.chunks(meta.stride.max(1)).any(is_retry) {
                    self.retried.store(true, Ordering::Relaxed);
                }
            }
        }
        received
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_told_from_other_packets() {
        assert!(is_retry(&[0xf7, 0, 0, 0, 1, 8]));
        // Initial, Handshake, version negotiation, short header, cut off.
        for other in
            [&[0xc3, 0, 0, 0, 1][..], &[0xe0, 0, 0, 0, 1], &[0xf0, 0, 0, 0, 0], &[0x40, 0, 0, 0, 1], &[0xf0]]
        {
            assert!(!is_retry(other), "{other:x?}");
        }
    }
}
