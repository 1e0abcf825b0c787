//! What a frame of the box says, in the words of the reference.

use wardline_core::ids::{Conn, ConversationId, PersonId, RequestId};
use wardline_core::turn::Send;
use wardline_core::wire::proto;
use wardline_core::wire::proto::server_frame::Body;

use crate::reference::{Answer, Said};
use crate::reference_roles::digest;

pub(crate) fn answer_to(send: &Send, to: Conn, asked: RequestId) -> Option<Answer> {
    let (conn, request, answer) = match send {
        Send::Reply { conn, request, body } => {
            let answer = match body {
                Body::Refused(refused) => Answer::Refused(Said(refused.code())),
                Body::PinNeeded(needed) => Answer::PinNeeded(needed.tries_left),
                Body::SignedIn(_) => Answer::SignedIn,
                Body::Opened(opened) => {
                    Answer::Opened(ConversationId::new(opened.conversation.as_ref()?.conversation)?)
                }
                Body::Done(_) => Answer::Done,
                Body::Bell(told) => Answer::Bell(told.on, !told.key.is_empty(), told.set),
                Body::PasskeyList(list) => Answer::Passkeys(list.passkeys.len()),
                Body::VisitAsked(_) => Answer::VisitAsked,
                Body::BedsideCode(_) => Answer::BedsideCode,
                Body::VisitAnswered(answered) => {
                    Answer::VisitAnswered(ConversationId::new(answered.conversation)?)
                }
                Body::FamilyPage(page) => {
                    Answer::Family(page.requests.len(), page.visitors.len(), page.threads.len())
                }
                Body::PeoplePage(_) => Answer::People,
                Body::PersonAdded(_) => Answer::PersonAdded,
                Body::JoinCode(_) => Answer::JoinCode,
                Body::DeviceList(_) => Answer::Devices,
                Body::UnitSet(_) => Answer::UnitSet,
                Body::UnitList(_) => Answer::Units,
                Body::Admitted(admitted) => Answer::Admitted(ConversationId::new(admitted.conversation)?),
                Body::EmergencyBegan(_) => Answer::EmergencyBegan,
                Body::EmergencyAsked(_) => Answer::EmergencyAsked,
                Body::EmergencyRequest(_) => Answer::EmergencyRequest,
                Body::EmergencyPage(page) => Answer::Emergencies(page.emergencies.len() as u64),
                Body::AssignmentTaken(_) => Answer::AssignmentTaken,
                Body::AgencyAdmitted(admitted) => Answer::AgencyAdmitted(PersonId::new(admitted.person)?),
                Body::Suspended(left) => {
                    let left_behind =
                        [left.roles.len(), left.shifts.len(), left.stats.len(), left.tasks.len()];
                    Answer::Suspended(left_behind, left.waits)
                }
                Body::SuspensionPage(page) => Answer::Suspensions(page.suspensions.len() as u64),
                Body::AgencyPage(page) => Answer::AgencyStays(page.stays.len() as u64),
                Body::PatientPage(page) => Answer::Patients(page.patients.len() as u64),
                Body::BedPage(page) => Answer::Beds(page.beds.len() as u64),
                Body::ChannelPage(page) => Answer::Channels(page.channels.len() as u64),
                Body::EscalationPolicies(_) => Answer::Policies,
                Body::LookedUp(found) => Answer::LookedUp(found.patients_in_all.into()),
                Body::MergedRecords(merged) => {
                    let sum = |of: fn(&proto::MergedStay) -> u32| {
                        merged.stays.iter().map(|stay| u64::from(of(stay))).sum()
                    };
                    Answer::Merged {
                        stays: merged.stays_in_all.into(),
                        moved: (sum(|stay| stay.entering), sum(|stay| stay.leaving)),
                        named: (merged.surviving_named.into(), merged.merged_named.into()),
                        done: merged.done,
                    }
                }
                Body::OrderPage(page) => Answer::Orders(crate::reference_orders::digest(&page.orders)),
                Body::OrderPolicies(list) => {
                    Answer::Orders(crate::reference_orders::policies(&list.policies))
                }
                Body::TaskPage(page) => Answer::Tasks(crate::reference_tasks::digest(&page.tasks)),
                Body::AvailabilityPage(page) => {
                    Answer::Availability(crate::reference_availability::digest_of(page))
                }
                Body::OffSiteNumbers(told) => Answer::Numbers(told.numbers.len() as u64),
                Body::TemplateSet(set) => Answer::Templates(crate::reference_templates::digest(set)),
                Body::RoleInboxShown(told) => {
                    let people = |all: &[proto::Prospective]| {
                        all.iter().filter_map(|one| PersonId::new(one.person)).collect::<Vec<_>>()
                    };
                    let (holders, cover) = (people(&told.holders), people(&told.cover));
                    let (next, place) = (told.next, told.conversation);
                    Answer::Inbox(crate::reference_inboxes::shown(&holders, &cover, next, place, told.own))
                }
                Body::Alarms(told) => {
                    let each = told.told.iter().filter_map(|told| told.alarm);
                    let each: Vec<(u64, u64)> =
                        each.map(|alarm| (alarm.kind as u64, u64::from(alarm.level))).collect();
                    Answer::Alarms(crate::reference_alarms::shown(told.role, &each))
                }
                Body::BroadcastReceipts(told) => {
                    let counts = [told.readers, told.delivered, told.read].map(u64::from);
                    let sum = crate::reference_roles::digest([(told.sequence, &counts[..])].into_iter());
                    Answer::Announced(sum)
                }
                Body::BroadcastList(told) => {
                    let of = |one: &proto::Broadcast| {
                        [one.unit, one.conversation, u64::from(one.announces), u64::from(one.readers)]
                    };
                    let sums: Vec<u64> = told.broadcasts.iter().flat_map(of).collect();
                    let urgent = [u64::from(told.unit_urgent), u64::from(told.facility_urgent)];
                    let told = [(1, &sums[..]), (2, &told.announcers[..]), (3, &urgent[..])];
                    Answer::Announced(crate::reference_roles::digest(told.into_iter()))
                }
                Body::HoldPlaced(placed) => Answer::HoldPlaced(placed.conversations),
                Body::ExportBegun(begun) => Answer::ExportBegun(begun.places.into()),
                Body::ExportPlaces(page) => Answer::ExportPlaces(page.places.len() as u64),
                Body::HoldPage(page) => Answer::Holds(page.holds.len() as u64),
                Body::AttachmentPolicy(told) => {
                    Answer::AttachmentPolicy([told.photo, told.document, told.audio], told.standard)
                }
                Body::RetentionPolicy(told) => {
                    let rules = told.rules?;
                    let hours = [rules.direct, rules.group, rules.channel, rules.patient].map(u64::from);
                    Answer::Retention(hours, told.standard)
                }
                Body::RoleSet(_) => Answer::RoleSet,
                Body::RotaShown(shown) => {
                    let shifts =
                        shown.rota.as_ref()?.patterns.first().map(|pattern| pattern.shifts.as_slice());
                    let week = match shifts {
                        // One from a minute to another, the other for the rest of the week.
                        Some([one, other]) => {
                            let (one, other) = if one.end < other.end { (one, other) } else { (other, one) };
                            let (from, to) = (u64::from(one.start), u64::from(one.end));
                            digest([(from, &one.people[..]), (to, &other.people[..])].into_iter())
                        }
                        _ => 0,
                    };
                    let besides = [u64::from(shown.imported), shown.imported_until.unsigned_abs()];
                    Answer::Rota(digest([(week, &besides[..])].into_iter()))
                }
                Body::RoleOffered(_) => Answer::RoleOffered,
                Body::OfferPage(page) => {
                    let ids = page.offers.iter().filter_map(|open| open.offer.as_ref());
                    Answer::Offers(digest(ids.map(|offer| (offer.offer, &[][..]))))
                }
                Body::RolePage(page) => {
                    let held = page.roles.iter().map(|role| (role.role, role.holders.as_slice()));
                    Answer::Roles(digest(held))
                }
                Body::Prospect(prospect) => {
                    let open = |called: &&proto::Prospective| called.reach() == proto::Reach::AppOpen;
                    let reached = prospect.called.iter().filter(open).count() as u32;
                    Answer::Prospect(prospect.called_count, reached)
                }
                _ => return None,
            };
            (*conn, *request, answer)
        }
        Send::Welcome { conn, request, .. } => (*conn, *request, Answer::Welcome),
        Send::PasskeyChallenge { conn, request, told, .. } => {
            (*conn, *request, Answer::PasskeyChallenge(told.credentials.len()))
        }
        // The request comes back with the MAC.
        Send::StretchPin { conn, .. } => (*conn, asked, Answer::Stretch),
        Send::Accepted(a) => (a.conn, a.request, Answer::Accepted(a.conversation, a.sequence.0)),
        Send::AnswerAgain { conn, request, .. } => (*conn, *request, Answer::Again),
        Send::OpenUpload { conn, request, grant } => (*conn, *request, Answer::UploadBegun(grant.is_done())),
        Send::OpenAttachment { conn, request, .. } => (*conn, *request, Answer::Opening),
        Send::ReadExport { conn, request, grant } => {
            (*conn, *request, Answer::Exporting(grant.from.0, grant.through.0))
        }
        Send::CountAged { conn, request, .. } | Send::CountStats { conn, request, .. } => {
            (*conn, *request, Answer::Counting)
        }
        Send::ReadAudit { conn, request, grant } => (*conn, *request, Answer::Auditing(grant.before)),
        Send::TellHealth { conn, request } => (*conn, *request, Answer::Health),
        Send::WebCertificate { conn, request, .. } => (*conn, *request, Answer::WebCertificate),
        Send::Attach { conn, request, .. } => (*conn, *request, Answer::Attach),
        Send::ReadPage { conn, request, grant } => {
            (*conn, *request, Answer::Page(grant.from().0, grant.before().0))
        }
        _ => return None,
    };
    (conn == to && request == asked).then_some(answer)
}
