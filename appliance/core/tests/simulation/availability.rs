//! Availability: said, looked at, and what comes of it.

use wardline_core::audit::Act;
use wardline_core::ids::PersonId;
use wardline_core::wire::proto::set_availability::Says;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::reference_stat::Stat;
use crate::world::World;

impl World {
    /// Whoever is named as somebody's cover may not want to be: there are few of them.
    pub(crate) fn refuses_cover(&mut self, index: usize) -> bool {
        let covered = self.person_of(index).map_or_else(Vec::new, |me| self.reference.ward.covered_by(me));
        let Some((person, _)) = covered.first().copied().filter(|_| self.random.permille(60)) else {
            return false;
        };
        self.clients[index].ask(Ask::RefuseCover(proto::RefuseCover { person }));
        true
    }

    /// What somebody says of themselves, or asks of others.
    pub(crate) fn some_availability_ask(&mut self, index: usize) -> Option<Ask> {
        let me = self.person_of(index)?;
        let covered = self.reference.ward.covered_by(me);
        if let Some((person, _)) = covered.first().copied().filter(|_| self.random.permille(700)) {
            return Some(Ask::RefuseCover(proto::RefuseCover { person }));
        }
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let anybody = self.random.pick(&people).copied()?;
        let open: Vec<(u64, u64)> =
            self.reference.ward.stats.iter().map(|stat| (stat.place.value(), stat.sequence)).collect();
        let says = match self.random.below(100) {
            0..30 => {
                let until = match self.random.below(10) {
                    0 => 0,
                    1 => self.now.wall.0 + 16 * 3_600_000 + self.random.below(2) as i64,
                    2..5 => self.now.wall.0 + 3_600_000,
                    _ => self.now.wall.0 + 1 + self.random.below(3_000) as i64,
                };
                let colleagues = self.colleagues_of(me.value());
                let cover = if self.random.permille(100) {
                    Some(anybody)
                } else {
                    self.random.pick(&colleagues).copied()
                };
                let cover = cover.filter(|_| self.random.permille(750)).unwrap_or(0);
                Says::Undisturbed(proto::Undisturbed { until, cover })
            }
            30..45 => {
                let span = |world: &mut Self| {
                    let from = world.random.below(1_440) as u32;
                    let to = (from + 1 + world.random.below(480) as u32) % 1_440;
                    proto::QuietSpan { days: 1 + world.random.below(127) as u32, from, to }
                };
                let spans = (0..self.random.below(3)).map(|_| span(self)).collect();
                let zone = if self.random.permille(500) { "UTC" } else { "Asia/Kolkata" };
                Says::Quiet(proto::QuietHours { zone: zone.to_owned(), spans })
            }
            45..55 => {
                let number = if self.random.permille(800) { "+49 30 1234" } else { "" };
                Says::Number(number.to_owned())
            }
            55..59 => Says::Clear(proto::ClearAvailability {}),
            59..62 => return Some(Ask::RefuseCover(proto::RefuseCover { person: anybody })),
            62..67 => return Some(self.some_cover_policy()),
            67..80 if !open.is_empty() => {
                let (conversation, sequence) = self.random.pick(&open).copied()?;
                return Some(Ask::AskNumbers(proto::AskNumbers { conversation, sequence }));
            }
            _ => {
                // Few are silent at a time.
                let is_silent = |who: &u64| {
                    let who = PersonId::new(*who);
                    who.is_some_and(|who| self.reference.ward.said(who).is_silent(self.now.wall))
                };
                let silent: Vec<u64> = people.iter().copied().filter(is_silent).collect();
                let some = self.random.pick(&silent).copied().filter(|_| self.random.permille(600));
                let people = vec![some.unwrap_or(anybody), me.value()];
                return Some(Ask::AskAvailability(proto::AskAvailability { people }));
            }
        };
        Some(Ask::SetAvailability(proto::SetAvailability { says: Some(says) }))
    }

    pub(crate) fn some_cover_policy(&mut self) -> Ask {
        Ask::SetCoverPolicy(proto::SetCoverPolicy { cover_instead: self.random.permille(400) })
    }

    fn colleagues_of(&self, me: u64) -> Vec<u64> {
        let people = &self.reference.ward.people;
        let units: Vec<_> =
            people.iter().filter(|who| who.id.value() == me).flat_map(|who| &who.posts).collect();
        let shares = |who: &&crate::reference::Person| {
            who.id.value() != me && who.posts.iter().any(|(unit, _)| units.iter().any(|(of, _)| of == unit))
        };
        people.iter().filter(shares).map(|who| who.id.value()).collect()
    }

    pub(crate) fn cover_availability(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let silent = |ask: &proto::AskAvailability| {
            let first = ask.people.first().and_then(|id| PersonId::new(*id));
            first.is_some_and(|first| self.reference.ward.said(first).is_silent(self.now.wall))
        };
        let sees_silence = matches!(body, Ask::AskAvailability(ask) if silent(ask));
        let ended = |act: fn(&Act) -> bool| expected.audits.iter().any(|(_, done)| act(done));
        if ended(|act| matches!(act, Act::CoverEnded(..))) {
            self.coverage.reach(match body {
                Ask::RefuseCover(_) => Situation::CoverRefused,
                Ask::SetPost(_) | Ask::SetDuties(_) => Situation::CoverNoColleague,
                _ => Situation::CoverGone,
            });
        }
        if ended(|act| matches!(act, Act::AvailabilityCleared(_))) && !matches!(body, Ask::SetAvailability(_))
        {
            self.coverage.reach(Situation::AvailabilityEndedWithAccess);
        }
        let situation = match (body, refused) {
            (Ask::SetAvailability(set), refused) => match (set.says.as_ref(), refused) {
                (Some(Says::Undisturbed(set)), None) if set.until == 0 => Situation::DisturbedAgain,
                (Some(Says::Undisturbed(set)), None) if set.cover > 0 => Situation::UndisturbedWithCover,
                (Some(Says::Undisturbed(_)), None) => Situation::Undisturbed,
                (Some(Says::Undisturbed(_)), Some(Code::Availability)) => Situation::UndisturbedRefused,
                (Some(Says::Quiet(_)), None) => Situation::QuietHoursSet,
                (Some(Says::Number(_)), None) => Situation::OffSiteNumberSet,
                (Some(Says::Clear(_)), None) => Situation::AvailabilityCleared,
                _ => return,
            },
            (Ask::RefuseCover(_), Some(Code::Availability)) => Situation::NotCovering,
            (Ask::AskAvailability(_), None) if sees_silence => Situation::SilenceSeen,
            (Ask::AskAvailability(_), None) => Situation::AvailabilitySeen,
            (Ask::AskNumbers(_), None) => Situation::NumbersSeen,
            (Ask::AskNumbers(_), Some(_)) => Situation::NumbersRefused,
            (Ask::SetCoverPolicy(_), None) if !expected.audits.is_empty() => Situation::CoverPolicySet,
            (Ask::SetCoverPolicy(_), Some(_)) => Situation::CoverPolicyRefused,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// Whether a STAT that just began rings for a cover.
    pub(crate) fn cover_covers(&mut self, stat: &Stat) {
        let said = &self.reference.ward.said;
        let covers = said.iter().filter_map(|said| Some((said.who, said.dnd?.cover?)));
        let rung = |person: u64| stat.called.iter().any(|called| called.person.value() == person);
        let rung: Vec<bool> =
            covers.filter(|(_, cover)| rung(cover.value())).map(|(who, _)| rung(who)).collect();
        for both in rung {
            self.coverage.reach(if both { Situation::CoverRung } else { Situation::CoverRungInstead });
        }
    }

    /// At rest every device knows when to be silent, and for whom its person covers.
    pub(crate) fn judge_availability(&self) -> Result<(), String> {
        for client in self.clients.iter().filter(|client| client.phase == crate::client::Phase::Synced) {
            let person = self.person_at(client).ok_or("a client of nobody")?;
            let dnd = self.reference.ward.said(person).dnd;
            let covering: Vec<(u64, i64)> =
                client.own.covering.iter().map(|one| (one.person, one.until)).collect();
            let knows = (client.own.undisturbed_until, client.own.cover, covering);
            let wanted = (
                dnd.map_or(0, |dnd| dnd.until.0),
                dnd.and_then(|dnd| dnd.cover).map_or(0, |cover| cover.value()),
                self.reference.ward.covered_by(person),
            );
            if knows != wanted {
                return Err(format!("{} knows of its silence {knows:?}, not {wanted:?}", client.name));
            }
        }
        Ok(())
    }
}
