//! What an alarm says in English, for clients that have no words of their own for it. At most 300 bytes each.

use crate::alarm::{AlarmKind, Said};

/// What the box is called in the directory.
pub(super) const NAME: &str = "Wardline box";

impl Said {
    /// What is wrong, and what to do next.
    pub fn words(self) -> &'static str {
        let level = self.alarm.level;
        match self.alarm.kind {
            AlarmKind::DiskLow if self.over => "The box's disk has room again.",
            AlarmKind::DiskLow if level >= 2 => {
                "The box's disk is full: new messages are refused. Make room now: delete old exports and backups, shorten how long messages \
                 and files are kept, or call support for a larger disk."
            }
            AlarmKind::DiskLow => {
                "The box's disk is filling: before long new messages will be refused. Shorten how long messages and files are kept, \
                 delete old exports and backups, or plan a larger disk."
            }
            AlarmKind::StoreDamaged if self.over => "The box's store was read whole again and is sound.",
            AlarmKind::StoreDamaged => {
                "The nightly look at the box's store found damage. Keep the last backup, write nothing over it, and call support today."
            }
            AlarmKind::KeeperSilent if self.over => "The box's keeper of keys answers again.",
            AlarmKind::KeeperSilent => {
                "The box's keeper of keys does not answer. Messages go on, but PINs cannot be checked, and after a restart the box would not \
                 open. Do not restart the box; look at wardline-keeper, or call support."
            }
            AlarmKind::LeafEnds if self.over => "The box's certificate was renewed.",
            AlarmKind::LeafEnds if level >= 2 => {
                "The box's certificate ends within a day, and no phone connects after that. It is renewed by the keeper: see whether that \
                 answers under Health, and call support now."
            }
            AlarmKind::LeafEnds => {
                "The box's certificate was not renewed and ends within five days; no phone connects after that. See under Health whether \
                 the keeper answers."
            }
            AlarmKind::NameEnds if self.over => {
                "The imported certificate of the box's name is good for long enough again."
            }
            AlarmKind::NameEnds if level >= 3 => {
                "The imported certificate of the box's name ends within 3 days. Make a new request under Certificate today."
            }
            AlarmKind::NameEnds if level == 2 => {
                "The imported certificate of the box's name ends within 14 days. Make a new request under Certificate this week."
            }
            AlarmKind::NameEnds => {
                "The imported certificate of the box's name ends within 30 days. Make a new request under Certificate."
            }
            AlarmKind::IssuerEnds if self.over => "The box has a new issuing certificate.",
            AlarmKind::IssuerEnds if level >= 3 => {
                "The box's issuing certificate ends within 7 days, and no phone connects after that. The recovery officers sign a new one \
                 today: see the guide."
            }
            AlarmKind::IssuerEnds if level == 2 => {
                "The box's issuing certificate ends within 30 days. Call the recovery officers together to sign a new one: see the guide."
            }
            AlarmKind::IssuerEnds => {
                "The box's issuing certificate ends within 90 days. Plan with the recovery officers when they sign a new one."
            }
            AlarmKind::ClockSet if self.over => "The box's clock has run evenly for an hour.",
            AlarmKind::ClockSet => {
                "The box's clock was set by more than two seconds. Times of messages around it may be wrong. See under Health by how much, \
                 and whether the time server is right."
            }
        }
    }
}
