//! What a device may still do. Kept apart from its connections and its session, so that connecting, locking and unlocking
//! buy nothing. By device and not by person: a stolen one must not use up what its owner's others need.

use std::collections::BTreeMap;

use crate::agency::AgencyAsk;
use crate::alarm::AlarmAsk;
use crate::attachment::Attaching;
use crate::availability::AvailabilityAsk;
use crate::bell::BellAsk;
use crate::broadcast::{AnnouncerAsk, BroadcastAsk};
use crate::bucket::Bucket;
use crate::clinical::Clinical;
use crate::emergency::Emergency;
use crate::escalation::Priority;
use crate::export::Exporting;
use crate::family::Families;
use crate::hold::Holds;
use crate::ids::DeviceId;
use crate::inbox::InboxAsk;
use crate::input::Ask;
use crate::leaving::Leaving;
use crate::limits;
use crate::order::OrderAsk;
use crate::passkey::PasskeyAsk;
use crate::role::Roles;
use crate::task::TaskAsk;
use crate::template::TemplateAsk;
use crate::time::Mono;
use crate::web_certificate::WebCertificateAsk;

/// The budgets of every device that has spent something.
#[derive(Default)]
pub(crate) struct Budgets(BTreeMap<DeviceId, Budget>);

struct Budget {
    sign_ins: Bucket,
    submits: Bucket,
    text: Bucket,
    opens: Bucket,
    members: Bucket,
    pages: Bucket,
    syncs: Bucket,
    posts: Bucket,
    stats: Bucket,
    answers: Bucket,
    searches: Bucket,
    alterations: Bucket,
    reactions: Bucket,
    attaching: Bucket,
    files: Bucket,
}

impl Budgets {
    /// Counts a sign-in, or says in how many milliseconds there may be one.
    pub(crate) fn sign_in(&mut self, now: Mono, device: DeviceId) -> Result<(), u64> {
        self.of(now, device).sign_ins.take(now)
    }

    /// Counts a request, or says in how many milliseconds it may come again.
    pub(crate) fn spend(
        &mut self,
        now: Mono,
        device: DeviceId,
        ask: &Ask,
        is_retry: bool,
    ) -> Result<(), u64> {
        let count = |people: &[_]| people.len() as u64;
        let budget = self.of(now, device);
        match ask {
            // A retry is looked up, and was paid for.
            Ask::Submit(_) if is_retry => budget.submits.take(now),
            Ask::Submit(submit) => {
                if submit.priority == Priority::Stat {
                    budget.stats.take(now)?;
                }
                budget.submits.take(now)?;
                budget.text.take_many(now, submit.body.as_ref().map_or(0, |body| body.0.len() as u64))
            }
            Ask::OpenDirect { .. } | Ask::OpenChannel { .. } => budget.opens.take(now),
            Ask::OpenGroup { people, .. } => {
                budget.opens.take(now)?;
                budget.members.take_many(now, count(people))
            }
            Ask::ChangeMembers { add, remove, .. } => {
                budget.members.take_many(now, count(add) + count(remove))
            }
            // Each is a write or a row, and an entry in the audit.
            Ask::JoinChannel { .. } | Ask::Rename { .. } | Ask::Archive { .. } => budget.members.take(now),
            Ask::SetPost { .. } | Ask::SetEscalation { .. } => budget.posts.take(now),
            Ask::Role(Roles::List { .. } | Roles::Rota { .. } | Roles::Offers { .. }) => {
                budget.pages.take(now)
            }
            Ask::Order(OrderAsk::List { .. } | OrderAsk::ListPolicies) => budget.pages.take(now),
            Ask::Order(OrderAsk::SetPolicy { .. }) => budget.posts.take(now),
            Ask::Order(_) => budget.reactions.take(now),
            Ask::Task(TaskAsk::List { .. }) => budget.pages.take(now),
            // Each is a row, an entry in the audit and an event, as a reaction is.
            Ask::Task(_) => budget.reactions.take(now),
            Ask::Availability(AvailabilityAsk::Look(_) | AvailabilityAsk::Numbers(_)) => {
                budget.pages.take(now)
            }
            Ask::Availability(_) => budget.posts.take(now),
            Ask::Inbox(InboxAsk::Open { .. }) => budget.opens.take(now),
            Ask::Inbox(InboxAsk::Look { .. }) => budget.answers.take(now),
            Ask::Inbox(InboxAsk::Finish { .. }) => budget.members.take(now),
            Ask::Broadcast(BroadcastAsk::Open { .. }) => budget.opens.take(now),
            // Each counts every reader.
            Ask::Broadcast(BroadcastAsk::Look { .. }) => budget.answers.take(now),
            Ask::Announcers(AnnouncerAsk::List) => budget.pages.take(now),
            Ask::Announcers(_) => budget.posts.take(now),
            Ask::Templates(TemplateAsk::List { .. }) => budget.pages.take(now),
            Ask::Templates(_) | Ask::ClearPin { .. } => budget.posts.take(now),
            // Each is a write and an entry in the audit.
            Ask::Passkey(PasskeyAsk::Add(_) | PasskeyAsk::Remove { .. }) => budget.posts.take(now),
            Ask::Bell(BellAsk::Look) => budget.pages.take(now),
            Ask::Alarms(AlarmAsk::SetRole { .. }) | Ask::Bell(_) | Ask::SetBellPolicy { .. } => {
                budget.posts.take(now)
            }
            Ask::Role(_) => budget.posts.take(now),
            Ask::Agency(AgencyAsk::List { .. }) => budget.pages.take(now),
            Ask::Agency(_) => budget.posts.take(now),
            Ask::Leaving(Leaving::List { .. }) => budget.pages.take(now),
            Ask::Leaving(_) => budget.posts.take(now),
            Ask::Hold(Holds::List { .. }) => budget.pages.take(now),
            // Each reads where every conversation begins.
            Ask::PreviewRetention(_) | Ask::SetRetention(_) => budget.posts.take(now),
            Ask::Family(Families::List { .. }) => budget.pages.take(now),
            Ask::Family(Families::Answer { .. }) => budget.opens.take(now),
            Ask::Family(_) => budget.members.take(now),
            // Each reads up to `limits::STAT_LOAD_ROWS_MAX` rows.
            Ask::StatLoad(_) => budget.posts.take(now),
            Ask::Export(Exporting::Begin { .. } | Exporting::Finish { .. }) => budget.posts.take(now),
            Ask::Export(Exporting::File { .. }) => budget.attaching.take(now),
            Ask::Export(_) => budget.pages.take(now),
            // Each is looked through for: `limits::AUDIT_LOOK_MAX`.
            Ask::Audit(look) if look.patient.is_none() => budget.pages.take(now),
            // By record number.
            Ask::Audit(_) => budget.searches.take(now),
            Ask::Health | Ask::Alarms(AlarmAsk::Look) | Ask::WebCertificate(WebCertificateAsk::Look) => {
                budget.pages.take(now)
            }
            // Each is work for the keeper, or six signatures to verify.
            Ask::WebCertificate(_) => budget.posts.take(now),
            // Each stretches a PIN.
            Ask::Print(_) => budget.posts.take(now),
            // Whoever tries record numbers until one is there is slowed down.
            Ask::Hold(_) => budget.posts.take(now),
            Ask::AnswerStat { .. } | Ask::Prospect { .. } => budget.answers.take(now),
            Ask::History { .. }
            | Ask::ListChannels { .. }
            | Ask::ListAllChannels { .. }
            | Ask::ReadStat { .. } => budget.pages.take(now),
            Ask::Sync { .. } => budget.syncs.take(now),
            Ask::Clinical(ask) => match ask {
                // Whoever writes one of theirs under a record number is told whether there is such a record, as whoever admits by it.
                Clinical::Admit(_) | Clinical::UpdatePatient(_) => budget.opens.take(now),
                Clinical::ChangeCareTeam { change, .. } => {
                    budget.members.take_many(now, count(&change.add) + count(&change.remove))
                }
                Clinical::Restrict(ask) => {
                    budget.members.take_many(now, count(&ask.add) + count(&ask.remove) + 1)
                }
                // A whole unit's threads change with one.
                Clinical::TakeAssignment(_) | Clinical::EndAssignment { .. } => budget.posts.take(now),
                Clinical::ListPatients { .. }
                | Clinical::ListBeds { .. }
                | Clinical::Emergency(Emergency::List { .. }) => budget.pages.take(now),
                Clinical::LookUp(_) => budget.searches.take(now),
                // Whoever tries record numbers until one is there is slowed down.
                Clinical::MergeRecords(_) | Clinical::UnmergeRecords(_) | Clinical::Emergency(_) => {
                    budget.posts.take(now)
                }
                Clinical::Transfer { .. }
                | Clinical::SetLeave { .. }
                | Clinical::Discharge { .. }
                | Clinical::LiftRestriction { .. } => budget.members.take(now),
            },
            Ask::Search(_) => budget.searches.take(now),
            Ask::Edit(edit) => {
                budget.alterations.take(now)?;
                budget.text.take_many(now, edit.body.as_ref().map_or(0, |body| body.0.len() as u64))
            }
            Ask::Recall { .. } => budget.alterations.take(now),
            Ask::React(_) => budget.reactions.take(now),
            Ask::Attaching(Attaching::Begin(_)) if is_retry => budget.attaching.take(now),
            Ask::Attaching(Attaching::Begin(new)) => {
                budget.attaching.take(now)?;
                budget.files.take_many(now, new.length.min(limits::ATTACHMENT_BYTES_MAX.into()))
            }
            Ask::Attaching(_) | Ask::ListAttachmentPolicy => budget.attaching.take(now),
            _ => Ok(()),
        }
    }

    /// Forgets those who have nothing left to answer for.
    pub(crate) fn sweep(&mut self, now: Mono) {
        self.0.retain(|_, budget| !budget.is_full(now));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn of(&mut self, now: Mono, device: DeviceId) -> &mut Budget {
        self.0.entry(device).or_insert_with(|| Budget {
            sign_ins: Bucket::full(limits::SIGN_INS, now),
            submits: Bucket::full(limits::SUBMITS, now),
            text: Bucket::full(limits::TEXT_BYTES, now),
            opens: Bucket::full(limits::OPENS, now),
            members: Bucket::full(limits::MEMBER_CHANGES, now),
            pages: Bucket::full(limits::PAGES, now),
            syncs: Bucket::full(limits::SYNCS, now),
            posts: Bucket::full(limits::POSTS, now),
            stats: Bucket::full(limits::STATS, now),
            answers: Bucket::full(limits::STAT_ANSWERS, now),
            searches: Bucket::full(limits::SEARCHES, now),
            alterations: Bucket::full(limits::ALTERATIONS, now),
            reactions: Bucket::full(limits::REACTIONS, now),
            attaching: Bucket::full(limits::ATTACHING, now),
            files: Bucket::full(limits::FILE_BYTES, now),
        })
    }
}

impl Budget {
    fn is_full(&mut self, now: Mono) -> bool {
        let Self { sign_ins, submits, text, opens, members, pages, .. } = self;
        let mut full = [sign_ins, submits, text, opens, members, pages].into_iter().all(|b| b.is_full(now));
        let Self { syncs, posts, stats, answers, searches, alterations, reactions, attaching, files, .. } =
            self;
        let rest = [syncs, posts, stats, answers, searches, alterations, reactions, attaching, files];
        full &= rest.into_iter().all(|b| b.is_full(now));
        full
    }
}
