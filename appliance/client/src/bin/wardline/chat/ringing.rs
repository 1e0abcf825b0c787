//! A STAT that rings in front of whoever chats: answered where they are.

use wardline_client::PersonId;
use wardline_client::stat::{Reason, Reply, Ring, Stands, StatCalls as _, StatRef};

use super::Chat;
use crate::exit::Failure;
use crate::{say, stat};

/// To a terminal that rings, or blinks.
const BELL: &str = "\x07";
const HOW: &str = "   /have: you have it. /coming: you are on your way, it waits a minute. /cannot: it goes on to the next.";

impl Chat {
    /// It rings here, or stands otherwise for whoever it rang for.
    pub(super) fn rings(&mut self, ring: &Ring) {
        let before = self.ringing.insert(ring.stat, ring.stands);
        let begins = ring.stands == Stands::Ringing && before != Some(Stands::Ringing);
        self.terminal.print(&stat::ring_line(ring));
        if begins {
            self.terminal.print(HOW);
            say::steer(BELL);
        }
    }

    pub(super) fn is_silent(&mut self, silent: StatRef, by: Option<PersonId>) {
        if by == Some(self.me) {
            self.ringing.insert(silent, Stands::Accepted);
        } else {
            self.ringing.remove(&silent);
        }
        self.terminal.print(&format!("-- STAT {} is silent here", stat::name(silent)));
    }

    /// `/have`, `/coming`, `/back`: of the one that rings, or of the one that is named.
    pub(super) async fn reply_to_stat(&mut self, text: &str, reply: Reply) -> Result<(), Failure> {
        let has = matches!(reply, Reply::HandBack);
        let meant = self.meant(text, has)?;
        let told = match reply {
            Reply::Accept => "you have it. /back gives it back.",
            Reply::Coming => "you are coming: it is held for a minute. Then say /have, or it goes on.",
            Reply::HandBack => "you gave it back: it rings again.",
            _ => "you cannot: it goes on to the next.",
        };
        let accepts = matches!(reply, Reply::Accept);
        self.client.answer_stat(meant, reply).await?;
        if accepts {
            self.ringing.insert(meant, Stands::Accepted);
        }
        self.terminal.print(&format!("-- STAT {}: {told}", stat::name(meant)));
        Ok(())
    }

    /// `/cannot busy`: why, and then which, where several ring.
    pub(super) async fn cannot(&mut self, text: &str) -> Result<(), Failure> {
        let (word, rest) = text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim()));
        let (reason, rest) = match word {
            "busy" => (Reason::Busy, rest),
            "not-mine" => (Reason::NotMine, rest),
            "off-duty" => (Reason::OffDuty, rest),
            "other" | "" => (Reason::Other, rest),
            _ => (Reason::Other, text),
        };
        self.reply_to_stat(rest, Reply::Decline(reason)).await
    }

    fn meant(&self, text: &str, has: bool) -> Result<StatRef, Failure> {
        if !text.is_empty() {
            return stat::reference(text);
        }
        let fits = self.ringing.iter().filter(|(_, stands)| (**stands == Stands::Accepted) == has);
        let fits: Vec<StatRef> = fits.map(|(stat, _)| *stat).collect();
        match fits[..] {
            [one] => Ok(one),
            [] if has => Err(Failure::Usage("You have no STAT.".to_owned())),
            [] => Err(Failure::Usage("No STAT rings here.".to_owned())),
            _ => {
                let names: Vec<String> = fits.iter().map(|stat| stat::name(*stat)).collect();
                Err(Failure::Usage(format!("Several do: {}. Write which behind it.", names.join(", "))))
            }
        }
    }
}
