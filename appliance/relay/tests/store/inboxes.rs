//! Valid writes about what is written to roles and about announcements, chosen by dice; and how they are kept.

use wardline_core::broadcast::{BroadcastPolicy, BroadcastWrite};
use wardline_core::conversation::Kind;
use wardline_core::ids::{ConversationId, PersonId, Sequence};
use wardline_core::inbox::{InboxWrite, RoleInbox};
use wardline_core::rota::Interval;
use wardline_core::state::State;
use wardline_core::text::{Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::write::Write;

use crate::world::{World, mix, nth};
use crate::{block_on, commit, open, quick_directory};

impl World {
    pub(crate) fn inbox(&mut self, who: u64, how: u64) {
        let Some(role) = nth(self.state.roles.keys().copied(), mix(who)) else { return };
        let gap = |at: u64| {
            let start = Wall(1_800_000_000_000).after(at * 7_200_000 + how % 1_000);
            Interval { start, end: start.after(3_600_000) }
        };
        if mix(how).is_multiple_of(2) {
            let gaps = (0..how % 4).map(gap).collect();
            self.write(Write::Inbox(InboxWrite::GapsFlagged { role, gaps }));
            return;
        }
        let Some(writer) = nth(self.state.people.keys().copied(), how) else { return };
        let known = self.state.inboxes.to_restored().inboxes;
        let conversation = ConversationId::from_random(mix(how ^ 0x1B).to_be_bytes());
        let is_there = self.state.conversations.contains_key(&conversation);
        if is_there || known.iter().any(|inbox| (inbox.role, inbox.writer) == (role, writer)) {
            return;
        }
        let reader = nth(self.state.people.keys().copied(), mix(how)).filter(|reader| *reader != writer);
        self.open_inbox(RoleInbox { conversation, role, writer }, reader);
    }

    /// A unit's announcements or the facility's, who announces, or how urgently.
    pub(crate) fn broadcast(&mut self, who: u64, how: u64) {
        let person = nth(self.state.people.keys().copied(), who);
        match (mix(how ^ 0xB0) % 3, person) {
            (0, Some(person)) => {
                let announces = !how.is_multiple_of(3);
                self.write(Write::Broadcast(BroadcastWrite::AnnouncerSet { person, announces }));
            }
            (1, _) => {
                let policy = BroadcastPolicy {
                    unit_urgent: how.is_multiple_of(2),
                    facility_urgent: how.is_multiple_of(3),
                };
                self.write(Write::Broadcast(BroadcastWrite::PolicySet(policy)));
            }
            _ => {
                let unit = nth(self.state.units.keys().copied(), how).filter(|_| !how.is_multiple_of(5));
                let conversation = ConversationId::from_random(mix(how ^ 0xB1).to_be_bytes());
                let is_there = self.state.conversations.contains_key(&conversation);
                if is_there || self.state.broadcasts.of(unit).is_some() {
                    return;
                }
                let (kind, title, owner) = (Kind::Broadcast, Title::default(), None);
                let at = Wall(self.clock);
                self.write(Write::ConversationOpened { conversation, kind, title, owner, at, unit });
                self.write(Write::KeyGranted { conversation, key: WrappedKey(vec![6; 60]) });
                let readers = self.state.people.keys().copied().take(2 + (how % 30) as usize);
                for person in readers.collect::<Vec<_>>() {
                    self.write(Write::MemberAdded { conversation, person, from: Sequence(1), seen: None });
                }
            }
        }
    }

    fn open_inbox(&mut self, inbox: RoleInbox, reader: Option<PersonId>) {
        let (conversation, owner) = (inbox.conversation, Some(inbox.writer));
        let (kind, title) = (Kind::Role, Title::parse("Physician on call").unwrap());
        let (at, unit) = (Wall(self.clock), None);
        self.write(Write::ConversationOpened { conversation, kind, title, owner, at, unit });
        self.write(Write::KeyGranted { conversation, key: WrappedKey(vec![4; 60]) });
        self.write(Write::Inbox(InboxWrite::Opened(inbox)));
        for person in [Some(inbox.writer), reader].into_iter().flatten() {
            self.write(Write::MemberAdded { conversation, person, from: Sequence(1), seen: None });
        }
    }
}

/// Of a purged one nothing is known any more, and its writer may begin another; gaps that are mended leave no row.
#[test]
fn what_is_purged_or_mended_is_not_remembered() {
    let mut world = crate::batches::busy_world(3_000);
    let known = world.state.inboxes.to_restored();
    let (kept, gaps) = (known.inboxes.len(), known.gaps.len());
    let (doomed, mended) = (known.inboxes[0], known.gaps[0].0);
    world.write(Write::KeyDestroyed { conversation: doomed.conversation });
    world.write(Write::Inbox(InboxWrite::GapsFlagged { role: mended, gaps: vec![] }));
    let conversation = ConversationId::from_random([0x5A; 8]);
    world.open_inbox(RoleInbox { conversation, ..doomed }, None);
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        store.close().await.unwrap();
        let restored = open(directory.path()).await.1;
        let inboxes = &restored.inboxes.inboxes;
        assert_eq!((inboxes.len(), restored.inboxes.gaps.len()), (kept, gaps - 1));
        assert!(!inboxes.contains(&doomed) && inboxes.iter().any(|inbox| inbox.conversation == conversation));
        assert!(State::restore(restored).unwrap().inboxes == world.state.inboxes);
    });
}
