//! A file on a WebSocket of its own, for browsers that came by one: beside the session's, so that a photo never delays a STAT.
//!
//! It refuses: what a session's socket refuses; a first frame that names no session of this box, or none with a place for one more
//! file. The session's tickets decide the rest, as on a QUIC stream ([`super::transfer`]).

use std::sync::Arc;

use futures_util::stream::SplitStream;
use hyper::Request;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use wardline_core::refusal::CloseCode;

use super::socket::{self, Reader, Stream, Writer};
use super::transfer::{BROKEN_OFF, Carries, REQUEST_TIME_MAX, Transfer, first_frame};
use super::web::{Answer, Visit};

/// Where it is asked for.
pub(super) const PATH: &str = "/wardline/1/file";
/// What both ends speak on it.
const SUBPROTOCOL: &str = "wardline.1.file";

/// Answers a request for a socket that a file is to pass over.
pub(super) fn upgrade(visit: &Visit, request: Request<Incoming>) -> Answer {
    let visit = visit.clone();
    let names = Arc::clone(&visit.names);
    socket::begin(&names, request, SUBPROTOCOL, |upgraded, _| tokio::spawn(carry(visit, upgraded)))
}

async fn carry(visit: Visit, upgraded: OnUpgrade) {
    let Some((mut receive, send)) = socket::halves(upgraded).await else { return };
    let Visit { context, place, leaving, .. } = visit;
    let asked = tokio::time::timeout(REQUEST_TIME_MAX, first_frame(&mut receive)).await.ok().flatten();
    let found = asked.and_then(|asked| Some((context.file_sessions.find(&asked.session)?, asked)));
    let Some(((lane, free), asked)) = found else { return send.break_off(receive).await };
    // From here on it is one of the session's, and counted there.
    drop(place);
    Transfer { context: Arc::clone(&context), lane, send, receive }.answer(asked).await;
    drop((free, leaving));
}

impl Carries for Writer {
    type Other = Reader<SplitStream<Stream>>;

    async fn end(self, other: Self::Other) {
        socket::close(CloseCode::DONE, other, self).await;
    }

    async fn break_off(self, other: Self::Other) {
        socket::close(CloseCode(BROKEN_OFF), other, self).await;
    }
}
