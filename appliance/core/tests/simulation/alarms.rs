//! What is wrong with the box: found, told, over.

use wardline_core::alarm::{Alarm, AlarmKind};
use wardline_core::audit::Act;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::{Arrival, World};

impl World {
    /// Something breaks, gets worse, or is mended; mostly all stays as it was.
    pub(crate) fn look_at_the_box(&mut self) {
        if self.reference.ward.alarms.role.is_none() && self.random.permille(500) {
            let ask = self.some_alarm_ask();
            self.local_ask(ask);
        }
        if self.random.permille(600) {
            let kind = *self.random.pick(&AlarmKind::ALL).unwrap_or(&AlarmKind::DiskLow);
            let level = self.random.below(4) as u32;
            self.wrong.retain(|alarm| alarm.kind != kind);
            if level > 0 {
                self.wrong.push(Alarm { kind, level });
            }
        }
        self.waiting.push_back((self.local, Arrival::Alarms(self.wrong.clone())));
    }

    pub(crate) fn some_alarm_ask(&mut self) -> Ask {
        let roles: Vec<u64> = self.reference.ward.roles.iter().map(|role| role.id.value()).collect();
        let role = self.random.pick(&roles).copied().unwrap_or(5);
        match self.random.below(10) {
            0 => Ask::SetAlarmRole(proto::SetAlarmRole { role: 0 }),
            1..3 => Ask::AskAlarms(proto::AskAlarms {}),
            _ => Ask::SetAlarmRole(proto::SetAlarmRole { role }),
        }
    }

    pub(crate) fn cover_alarm_asks(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let set = expected.audits.iter().any(|(_, act)| matches!(act, Act::AlarmRoleSet(Some(_))));
        let situation = match (body, refused) {
            (Ask::SetAlarmRole(_), None) if set => Situation::AlarmRoleSet,
            (Ask::SetAlarmRole(_), Some(Code::NotAdministrator)) => Situation::AlarmRoleRefused,
            (Ask::RetireRole(_), Some(Code::RoleHearsAlarms)) => Situation::RetireRefusedWhileToldAlarms,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    pub(crate) fn cover_alarms(&mut self, expected: &Expected) {
        let acts = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let found = [
            (acts(|act| matches!(act, Act::AlarmTold(..))), Situation::AlarmTold),
            (acts(|act| matches!(act, Act::AlarmOver(_))), Situation::AlarmOver),
            (acts(|act| matches!(act, Act::InboxReopened(_))), Situation::AlarmReopens),
            (acts(|act| matches!(act, Act::InboxOpened(..))), Situation::AlarmAfterPurge),
        ];
        for (is_so, situation) in found {
            if is_so {
                self.coverage.reach(situation);
            }
        }
        if expected.audits.is_empty() && !self.wrong.is_empty() && self.reference.lobby.disk_scarce {
            self.coverage.reach(Situation::AlarmPutOff);
        }
    }

    /// What was told is what the reference says was.
    pub(crate) fn compare_alarms(&self) -> Result<(), String> {
        let (state, wanted) = (&self.relay.state().alarms, &self.reference.ward.alarms);
        let mut told: Vec<_> = wanted.told.iter().map(|told| (told.alarm, told.place)).collect();
        told.sort_unstable();
        let found: Vec<_> = state
            .told
            .values()
            .map(|told| (told.alarm, (told.place.conversation, told.place.sequence.0)))
            .collect();
        if (state.role, found) != (wanted.role, told) {
            return Err("other alarms stand".to_owned());
        }
        Ok(())
    }
}
