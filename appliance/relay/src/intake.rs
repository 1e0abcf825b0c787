//! What makes up the next batch.
//!
//! A commit costs the disk a flush, whoever it is for. Nobody waits for a receipt, and nobody sees a sign-in take some
//! milliseconds longer: so these wait a little for a commit that is made anyway, while everything else is decided at
//! once. It reorders connections against each other, which nobody can tell from a network that did; never what one of
//! them said.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use wardline_core::ids::Conn;

/// Something that the next batch may be made of.
pub trait Item {
    /// Whose it is; `None` when it concerns everybody, and nothing may be decided out of order around it.
    fn conn(&self) -> Option<Conn>;
    /// How long it may wait, where it may.
    fn patience(&self) -> Option<Patience>;
}

/// How long something may wait for a commit to share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Patience {
    /// So long.
    FromNow(Duration),
    /// Until so long after the last time that anything was let go: alone it does not wait at all.
    SinceLast(Duration),
}

/// Takes in what comes.
pub struct Intake<T> {
    inbox: mpsc::Receiver<T>,
    held: Held<T>,
}

impl<T: Item> Intake<T> {
    /// Takes in what comes through `inbox`.
    pub fn new(inbox: mpsc::Receiver<T>) -> Self {
        Self { inbox, held: Held::default() }
    }

    /// Waits until there is something to decide, at most so much of it, or something is `due`; puts it into `batch`, which
    /// is empty. `None` when nothing comes any more.
    pub async fn next(&mut self, due: Instant, most: usize, batch: &mut Vec<T>) -> Option<()> {
        loop {
            let wake = self.held.until.map_or(due, |until| until.min(due));
            tokio::select! {
                received = self.inbox.recv_many(batch, most - self.held.items.len()) => {
                    if received == 0 {
                        return None;
                    }
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            let now = Instant::now();
            self.held.sort_out(batch, most, now);
            if !batch.is_empty() || due <= now {
                return Some(());
            }
        }
    }

    /// What was held back: for a batch that is going to be committed anyway.
    pub fn rest(&mut self) -> Vec<T> {
        self.held.let_go(Instant::now())
    }
}

/// What may wait, in the order in which it came; whose it is; until when.
struct Held<T> {
    items: Vec<T>,
    whose: BTreeSet<Conn>,
    until: Option<Instant>,
    last: Option<Instant>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { items: Vec::new(), whose: BTreeSet::new(), until: None, last: None }
    }
}

impl<T: Item> Held<T> {
    fn let_go(&mut self, now: Instant) -> Vec<T> {
        if !self.items.is_empty() {
            self.last = Some(now);
        }
        self.whose.clear();
        self.until = None;
        std::mem::take(&mut self.items)
    }

    /// Leaves in `batch` what is to be decided now: what cannot wait, and everything once something has waited enough or
    /// there is as much of it as a batch takes.
    fn sort_out(&mut self, batch: &mut Vec<T>, most: usize, now: Instant) {
        for item in std::mem::take(batch) {
            match (item.conn(), item.patience()) {
                (Some(conn), Some(patience)) => {
                    let until = match patience {
                        Patience::FromNow(patience) => now + patience,
                        Patience::SinceLast(patience) => self.last.map_or(now, |last| last + patience),
                    };
                    self.until = Some(self.until.map_or(until, |sooner| sooner.min(until)));
                    self.whose.insert(conn);
                    self.items.push(item);
                }
                (Some(conn), None) if !self.whose.contains(&conn) => batch.push(item),
                _ => {
                    batch.append(&mut self.let_go(now));
                    batch.push(item);
                }
            }
        }
        if self.items.len() + batch.len() >= most || self.until.is_some_and(|until| until <= now) {
            batch.append(&mut self.let_go(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Said {
        conn: Option<u64>,
        patience_ms: Option<u64>,
        nth: usize,
    }

    impl Item for Said {
        fn conn(&self) -> Option<Conn> {
            self.conn.map(Conn)
        }

        fn patience(&self) -> Option<Patience> {
            let patience = Duration::from_millis(self.patience_ms?);
            // Every second connection signs in, the others send receipts.
            let signs_in = self.conn.is_some_and(|conn| conn % 2 == 0);
            Some(if signs_in { Patience::SinceLast(patience) } else { Patience::FromNow(patience) })
        }
    }

    fn said(conn: u64, patience_ms: Option<u64>, nth: usize) -> Said {
        Said { conn: Some(conn), patience_ms, nth }
    }

    fn decided(held: &mut Held<Said>, came: &[Said], now: Instant) -> Vec<usize> {
        let mut batch = came.to_vec();
        held.sort_out(&mut batch, 100, now);
        batch.iter().map(|said| said.nth).collect()
    }

    #[test]
    fn a_receipt_waits_for_company_but_only_so_long() {
        let (mut held, began) = (Held::default(), Instant::now());
        let after = |ms| began + Duration::from_millis(ms);
        // Who signs in alone does not wait.
        assert_eq!(decided(&mut held, &[said(4, Some(20), 9)], began), [9]);
        assert!(decided(&mut held, &[said(1, Some(50), 0)], after(10)).is_empty());
        assert!(decided(&mut held, &[said(2, Some(40), 1)], after(30)).is_empty());
        assert_eq!(held.until, Some(after(40)));
        // Somebody who cannot wait does not wait for them.
        assert_eq!(decided(&mut held, &[said(3, None, 2)], after(31)), [2]);
        assert_eq!(decided(&mut held, &[], after(40)), [0, 1]);
        assert_eq!(held.until, None);
        // What the same connection says next comes after.
        assert!(decided(&mut held, &[said(1, Some(50), 3)], after(41)).is_empty());
        assert_eq!(decided(&mut held, &[said(2, None, 4), said(1, None, 5)], after(42)), [4, 3, 5]);
    }

    proptest! {
        /// However batches fall, everything comes out once, and what one connection said in the order in which it said it;
        /// around what concerns everybody nothing moves.
        #[test]
        fn nobody_is_reordered_against_themselves(
            dice in prop::collection::vec((0..8_u64, prop::option::of(1..100_u64)), 1..80),
            cuts in prop::collection::vec((0..9_usize, any::<bool>(), 0..40_u64), 20),
            most in 9..20_usize,
        ) {
            let all: Vec<Said> = dice.iter().enumerate().map(|(nth, (conn, patience_ms))| {
                Said { conn: (*conn > 0).then_some(*conn), patience_ms: *patience_ms, nth }
            }).collect();
            let (mut held, mut now, mut out, mut rest) = (Held::default(), Instant::now(), Vec::new(), &all[..]);
            for (cut, commits, ms) in cuts.into_iter().cycle().take(400) {
                now += Duration::from_millis(ms);
                let (came, later) = rest.split_at(cut.min(rest.len()).min(most - held.items.len()));
                rest = later;
                let mut batch = came.to_vec();
                held.sort_out(&mut batch, most, now);
                prop_assert!(batch.len() <= most && held.items.len() < most);
                prop_assert!(held.until.is_none_or(|until| until > now) && held.until.is_none() == held.items.is_empty());
                out.append(&mut batch);
                if commits {
                    out.append(&mut held.let_go(now));
                }
            }
            out.append(&mut held.let_go(now));
            prop_assert!(rest.is_empty());
            let of = |list: &[Said], conn| -> Vec<usize> {
                list.iter().filter(|said| said.conn == conn).map(|said| said.nth).collect()
            };
            for conn in (1..8).map(Some) {
                prop_assert_eq!(of(&out, conn), of(&all, conn));
            }
            for (place, said) in out.iter().enumerate().filter(|(_, said)| said.conn.is_none()) {
                prop_assert!(out[..place].iter().all(|before| before.nth < said.nth));
                prop_assert!(out[place + 1..].iter().all(|after| after.nth > said.nth));
            }
            prop_assert_eq!(out.len(), all.len());
        }
    }
}
