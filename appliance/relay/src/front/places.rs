//! Places of the browser's doorway: how many connections there may be on which nobody has signed in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wardline_core::input::Source;

/// In all: 60 kB each with TLS and what is read ahead, 60 MB. Who has signed in gives the place back; then the core's own bound counts.
const PLACES_MAX: usize = 1_024;
/// Of one address: a browser takes six while it loads the app, so 40 phones behind one access controller load it at once, and the
/// others a moment later. Four addresses that hold what they can keep everybody else out for a minute at a time.
const PLACES_OF_ONE_MAX: usize = 256;

/// Who has how many.
#[derive(Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    of: BTreeMap<Source, usize>,
}

/// One place, until it is dropped.
pub(super) struct Place {
    taken: Arc<Mutex<Taken>>,
    source: Source,
}

impl Places {
    /// One more for this source, if there is one.
    pub(super) fn take(&self, source: Source) -> Option<Place> {
        let mut taken = lock(&self.0);
        let own = taken.of.get(&source).copied().unwrap_or(0);
        if taken.all >= PLACES_MAX || own >= PLACES_OF_ONE_MAX {
            return None;
        }
        taken.all += 1;
        taken.of.insert(source, own + 1);
        Some(Place { taken: Arc::clone(&self.0), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all -= 1;
        let left = taken.of.get_mut(&self.source).map_or(0, |own| {
            *own -= 1;
            *own
        });
        if left == 0 {
            taken.of.remove(&self.source);
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_all_they_can_leaves_places_for_others_and_gives_them_back() {
        let places = Places::default();
        let take =
            |source| (0..PLACES_MAX + 1).map_while(|_| places.take(Source(source))).collect::<Vec<_>>();
        let mallory = take(1);
        assert_eq!(mallory.len(), PLACES_OF_ONE_MAX);
        assert!(places.take(Source(1)).is_none());
        let others: Vec<_> = (2..5).map(take).collect();
        assert_eq!(others.iter().map(Vec::len).sum::<usize>(), PLACES_MAX - PLACES_OF_ONE_MAX);
        assert!(places.take(Source(9)).is_none(), "the doorway is full");
        drop(mallory);
        assert!(places.take(Source(9)).is_some());
        drop(others);
        let taken = lock(&places.0);
        assert_eq!((taken.all, taken.of.len()), (0, 0));
    }
}
