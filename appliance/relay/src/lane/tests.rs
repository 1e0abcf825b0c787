use super::*;
use crate::testing;

fn device() -> DeviceId {
    DeviceId::new(7).unwrap()
}

fn live() -> Lane {
    let lane = Lane::new();
    let mut inner = lane.inner();
    (inner.mode, inner.device) = (Mode::Live, Some(device()));
    drop(inner);
    lane
}

fn accepted(change: u64) -> Accepted {
    Accepted {
        conn: wardline_core::ids::Conn(1),
        request: RequestId(1),
        number: Number(1),
        message: MessageId([0; 16]),
        conversation: wardline_core::ids::ConversationId::new(1).unwrap(),
        sequence: wardline_core::ids::Sequence(1),
        at: wardline_core::time::Wall(0),
        change: Change(change),
    }
}

#[test]
fn what_does_not_fit_is_skipped_and_fetched_later() {
    let lane = live();
    let event = Bytes::from(vec![0; 1_000]);
    for change in 1..=1_000 {
        lane.deliver(Change(change), None, &event, |_| Vec::new());
    }
    let mut last = Change(0);
    let mut resumed = None;
    while let Some(Next::Out(out, generation)) = lane.try_next() {
        match out {
            Out::Delivery(delivery) => last = delivery.change,
            Out::Resume => resumed = Some(generation),
            _ => {}
        }
    }
    assert!(last < Change(1_000) && last > Change(100));
    let generation = resumed.unwrap();
    assert_eq!(lane.go_live(generation, Change(999)), GoLive::Behind, "1000 was skipped");
    assert_eq!(lane.go_live(generation, Change(1_000)), GoLive::Live);
}

#[test]
fn an_answer_that_outlives_a_detach_carries_no_cursor() {
    let lane = live();
    lane.deliver(Change(1), None, &Bytes::from_static(b"x"), |_| Vec::new());
    lane.accepted(accepted(2));
    lane.detach();
    assert!(matches!(lane.try_next(), Some(Next::Out(Out::Accepted(_, None), _))));
}

#[test]
fn what_is_forgotten_is_of_one_conversation_and_the_rest_goes_on() {
    let lane = live();
    let place = |id| ConversationId::new(id).unwrap();
    for (change, said_in) in [(1, Some(place(8))), (2, Some(place(9))), (3, None), (4, Some(place(9)))] {
        lane.deliver(Change(change), said_in, &Bytes::from_static(b"x"), |_| Vec::new());
    }
    lane.accepted(accepted(5));
    lane.forget(&BTreeSet::from([place(9)]));
    for left in [1, 3] {
        let Some(Next::Out(Out::Delivery(delivery), _)) = lane.try_next() else { panic!("no delivery") };
        assert_eq!(delivery.change, Change(left));
    }
    assert!(matches!(lane.try_next(), Some(Next::Out(Out::Accepted(_, Some(_)), _))));
    assert!(lane.try_next().is_none());
    let inner = lane.inner();
    assert_eq!((inner.bytes, inner.answers), (0, 0));
}

#[test]
fn nothing_is_delivered_after_a_detach() {
    let lane = live();
    lane.deliver(Change(1), None, &Bytes::from_static(b"x"), |_| Vec::new());
    lane.detach();
    lane.deliver(Change(2), None, &Bytes::from_static(b"x"), |_| Vec::new());
    assert!(matches!(lane.try_next(), Some(Next::Out(Out::Detached, _))));
    assert!(lane.try_next().is_none());
}

fn attach(request: u64) -> Attach {
    Attach { request: RequestId(request), grant: testing::grant(), device: device(), after: None }
}

/// Between the writer's taking an attach and its first look at the lane the driver may do anything.
#[test]
fn a_catch_up_that_a_detach_overtook_stops_wherever_it_stands() {
    let lane = Lane::new();
    lane.attach(attach(1));
    let Some(Next::Out(Out::Attach(_), generation)) = lane.try_next() else { panic!("no attach") };
    assert!(lane.is_current(generation) && lane.is_permitted(generation));
    lane.detach();
    assert!(!lane.is_current(generation) && !lane.is_permitted(generation));
    assert_eq!(lane.go_live(generation, Change(u64::MAX)), GoLive::Stale);
    // Nor is it revived by whoever signs in next on this connection.
    lane.attach(attach(2));
    assert_eq!(lane.go_live(generation, Change(u64::MAX)), GoLive::Stale);
    let mut last = None;
    while let Some(Next::Out(out, generation)) = lane.try_next() {
        if let Out::Attach(attach) = out {
            last = Some((attach.request, generation));
        }
    }
    let (request, generation) = last.unwrap();
    assert_eq!(request, RequestId(2));
    assert_eq!(lane.go_live(generation, Change(0)), GoLive::Live);
}

#[test]
fn a_catch_up_of_a_lane_that_closes_stops() {
    let lane = Lane::new();
    lane.attach(attach(1));
    let Some(Next::Out(_, generation)) = lane.try_next() else { panic!("no attach") };
    lane.close(CloseCode::REVOKED);
    assert_eq!(lane.go_live(generation, Change(u64::MAX)), GoLive::Stale);
}

#[test]
fn who_asks_to_be_synchronised_again_and_again_is_read_for_once() {
    let lane = Lane::new();
    for request in 1..=50 {
        lane.attach(attach(request));
    }
    let Some(Next::Out(Out::Attach(attach), _)) = lane.try_next() else { panic!("no attach") };
    assert_eq!(attach.request, RequestId(50));
    assert!(lane.try_next().is_none());
    assert_eq!(lane.inner().answers, 0);
}

#[tokio::test]
async fn what_is_with_the_driver_takes_room_like_an_answer() {
    let lane = Arc::new(Lane::new());
    let mut under_way: Vec<UnderWay> = (0..ANSWERS_MAX / 2).map(|_| lane.begin()).collect();
    for _ in 0..ANSWERS_MAX / 2 - 1 {
        lane.answer(Out::Frame(Vec::new()));
    }
    assert!(has_room(&lane).await);
    under_way.push(lane.begin());
    assert!(!has_room(&lane).await, "as many as there may be, half of them with the driver");
    let waiting = tokio::spawn({
        let lane = Arc::clone(&lane);
        async move { lane.room_for_a_request().await }
    });
    tokio::task::yield_now().await;
    drop(under_way.pop());
    waiting.await.unwrap();
    // Its answer takes its place.
    lane.answer(Out::Frame(Vec::new()));
    assert!(!has_room(&lane).await);
    lane.close(CloseCode::DONE);
    assert!(has_room(&lane).await, "who waits must see the end");
}

async fn has_room(lane: &Lane) -> bool {
    use futures_util::FutureExt as _;
    lane.room_for_a_request().now_or_never().is_some()
}
