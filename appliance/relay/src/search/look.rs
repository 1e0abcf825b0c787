//! Looking in the index. Reads rows of the asker's own conversations and of nothing else, and counts them.

use std::cmp::Reverse;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::sync::{Mutex, MutexGuard};
use wardline_core::ids::{Change, ConversationId, PersonId, Sequence};
use wardline_core::limits::{SEARCH_COUNT_MAX, SEARCH_ROWS_MAX};
use wardline_core::search::{Behind, Filter, Rank, Search, Wanted};
use wardline_core::time::Wall;

use super::index::{BLOCK, ENTRY, SAID};
use crate::store::{StoreError, Window};

/// Searches at a time; each waits for its own turn. As with the store's readers, two a core of a small box are too many here: the
/// store comes first.
const LOOKERS: usize = 2;
/// Cache in KiB, as a negative number, for the upper pages and for what the same person asks next. 2 x 8 + 8 = 24 MB with the
/// writer's.
const CACHE: &str = "-8192";
/// Rows read ahead: each has some hundred bytes. At the very most, where a block's 1,024 messages of 8 KiB have 2,000 words each that
/// all begin alike, 1,024 x 2,000 x 2 bytes = 4 MB: 16 MB a looker.
const ROWS_AHEAD: usize = 4;
/// Conversations of one statement: 64 x 100 bytes of JSON.
const AT_ONCE: usize = 64;
/// Messages that fit at most, before they are filtered: 262,144 x 24 bytes are 6 MB.
const FITTING_MAX: usize = 1 << 18;

/// A message that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where in the order it comes.
    pub behind: Behind,
    /// The change that brought it.
    pub change: Change,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The best, in order.
    pub hits: Vec<Hit>,
    /// There are more behind them.
    pub more: bool,
    /// So many fit on all pages, or more than [`SEARCH_COUNT_MAX`].
    pub count: usize,
    /// Rows of the index that were read: what a search costs, and so what its time tells of.
    pub rows: usize,
}

/// What a look comes to.
#[derive(Debug)]
pub(super) enum Looked {
    Found(Found),
    /// More rows, or more messages, than one search may look at.
    TooBroad,
}

/// The index's read side.
pub(super) struct Looker(Vec<Mutex<Option<SqliteConnection>>>);

impl Looker {
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options.clone().read_only(true).pragma("cache_size", CACHE).row_buffer_size(ROWS_AHEAD);
        let mut all = Vec::with_capacity(LOOKERS);
        for _ in 0..LOOKERS {
            all.push(Mutex::new(Some(options.connect().await?)));
        }
        Ok(Self(all))
    }

    /// One that is free, or the first that will be.
    async fn lend(&self) -> MutexGuard<'_, Option<SqliteConnection>> {
        if let Some(free) = self.0.iter().find_map(|one| one.try_lock().ok()) {
            return free;
        }
        let waits = self.0.iter().map(|one| Box::pin(one.lock()));
        futures_util::future::select_all(waits).await.0
    }

    /// Waits for those under way, and lets nobody look again.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        for one in &self.0 {
            if let Some(connection) = one.lock().await.take() {
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// The first `wanted` hits behind where the search begins, among what these windows show.
    pub(super) async fn look(
        &self,
        windows: &[Window],
        search: &Search,
        wanted: usize,
    ) -> Result<Looked, StoreError> {
        let mut guard = self.lend().await;
        let connection = guard.as_mut().ok_or(StoreError::Closed)?;
        let mut looking = Looking { connection, search, rows: 0, fitting: Vec::new() };
        for windows in windows.chunks(AT_ONCE) {
            if !looking.words(windows).await? {
                return Ok(Looked::TooBroad);
            }
        }
        let (mut best, rows) = (Best::new(search.behind, wanted), looking.rows);
        looking.said(&mut best).await?;
        best.cut();
        let Best { hits, count, behind, .. } = best;
        let more = behind > hits.len();
        Ok(Looked::Found(Found {
            hits,
            more,
            count: count.min(SEARCH_COUNT_MAX + 1),
            rows: rows + looking.rows_of_said(),
        }))
    }
}

/// A message that has all the words.
#[derive(Clone, Copy)]
struct Fitting {
    conversation: ConversationId,
    block: u64,
    sequence: u64,
    rank: Rank,
}

struct Looking<'a> {
    connection: &'a mut SqliteConnection,
    search: &'a Search,
    rows: usize,
    fitting: Vec<Fitting>,
}

/// Of one block: which words each message has, and which of them as whole words.
struct Marks {
    at: Option<(ConversationId, u64)>,
    of: Box<[(u8, u8); BLOCK as usize]>,
}

/// Where one word stands in one block: the rows behind it, and two bytes for each message that has it as a whole word, and
/// for each word of a message that only begins so.
struct Stand<'a> {
    rows: usize,
    whole: &'a [u8],
    begun: &'a [u8],
}

impl Looking<'_> {
    /// Finds what has all the words in these windows. False when that is too much.
    async fn words(&mut self, windows: &[Window]) -> Result<bool, StoreError> {
        let terms = self.search.query.terms();
        let text = statement(terms.len());
        let places: Vec<[u64; 3]> =
            windows.iter().map(|at| [at.conversation.value(), at.from.0, at.through.0]).collect();
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(format!("{places:?}"));
        for Wanted { term, prefix } in terms {
            let mut high = term.as_bytes().to_vec();
            // Behind everything that begins so: no UTF-8 has this byte. Behind the term alone: the next text there is.
            high.push(if *prefix { 0xff } else { 0 });
            query = query.bind(term.as_bytes()).bind(high);
        }
        let all = u8::MAX >> (8 - terms.len());
        let mut marks = Marks::new();
        let mut rows = query.fetch(&mut *self.connection);
        while let Some(row) = rows.try_next().await? {
            if self.rows > SEARCH_ROWS_MAX || self.fitting.len() > FITTING_MAX {
                return Ok(false);
            }
            let window = windows.get(usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX));
            let window = window.ok_or_else(wrong)?;
            let block = row.try_get::<i64, _>(1)?.cast_unsigned();
            let which: i64 = row.try_get(2)?;
            let stand = Stand::parse(row.try_get(3)?).ok_or_else(wrong)?;
            self.rows += stand.rows;
            if marks.at != Some((window.conversation, block)) {
                marks.settle(all, windows, &mut self.fitting);
                marks.at = Some((window.conversation, block));
            }
            let bit = 1u8.checked_shl(u32::try_from(which).map_err(|_| wrong())?).ok_or_else(wrong)?;
            marks
                .add(bit, bit, stand.whole)
                .and_then(|()| marks.add(bit, 0, stand.begun))
                .ok_or_else(wrong)?;
        }
        marks.settle(all, windows, &mut self.fitting);
        Ok(self.rows <= SEARCH_ROWS_MAX && self.fitting.len() <= FITTING_MAX)
    }

    /// Rows of `said` that these messages stand in, in order.
    fn said_in(&self) -> Vec<(ConversationId, u64)> {
        let first = |fits: &Fitting| fits.block + (fits.sequence - fits.block) / SAID * SAID;
        let mut places: Vec<_> = self.fitting.iter().map(|fits| (fits.conversation, first(fits))).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn rows_of_said(&self) -> usize {
        self.said_in().len()
    }

    /// Looks up who said these messages and when, and keeps the best.
    async fn said(&mut self, best: &mut Best) -> Result<(), StoreError> {
        let places = self.said_in();
        self.fitting.sort_unstable_by_key(|fits| (fits.conversation, fits.sequence));
        for places in places.chunks(AT_ONCE * 8) {
            let list: Vec<[u64; 2]> = places.iter().map(|(place, first)| [place.value(), *first]).collect();
            let mut rows = sqlx::query(
                "SELECT wanted.key, said.entries FROM json_each(?1) AS wanted \
                 CROSS JOIN place ON place.conversation = wanted.value ->> 0 \
                 CROSS JOIN said ON said.place = place.id AND said.first = wanted.value ->> 1",
            )
            .bind(format!("{list:?}"))
            .fetch(&mut *self.connection);
            while let Some(row) = rows.try_next().await? {
                let key = usize::try_from(row.try_get::<i64, _>(0)?).map_err(|_| wrong())?;
                let (conversation, first) = *places.get(key).ok_or_else(wrong)?;
                let entries: &[u8] = row.try_get(1)?;
                for entry in entries.as_chunks::<ENTRY>().0 {
                    let (offset, sender, at, change) = said_entry(entry);
                    let sequence = first + u64::from(offset);
                    let fits = self.fitting.binary_search_by_key(&(conversation, sequence), |fits| {
                        (fits.conversation, fits.sequence)
                    });
                    let Ok(fits) = fits else { continue };
                    if passes(&self.search.filter, sender, at) {
                        let rank = self.fitting[fits].rank;
                        let behind = Behind { rank, at, conversation, sequence: Sequence(sequence) };
                        best.offer(Hit { behind, change });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Marks {
    fn new() -> Self {
        Self { at: None, of: Box::new([(0, 0); BLOCK as usize]) }
    }

    /// `None`: a message that no block has.
    fn add(&mut self, has: u8, has_whole: u8, at: &[u8]) -> Option<()> {
        for offset in at.as_chunks::<2>().0 {
            let mark = self.of.get_mut(usize::from(u16::from_be_bytes(*offset)))?;
            mark.0 |= has;
            mark.1 |= has_whole;
        }
        Some(())
    }

    fn settle(&mut self, all: u8, windows: &[Window], fitting: &mut Vec<Fitting>) {
        let Some((conversation, block)) = self.at.take() else { return };
        if let Some(window) = windows.iter().find(|window| window.conversation == conversation) {
            for (sequence, (has, whole)) in (block..).zip(self.of.iter()) {
                if *has == all && (window.from.0..=window.through.0).contains(&sequence) {
                    let rank = Rank(whole.count_ones() as u8);
                    fitting.push(Fitting { conversation, block, sequence, rank });
                }
            }
        }
        self.of.fill((0, 0));
    }
}

impl<'a> Stand<'a> {
    /// As [`statement`] has it: two numbers, a blank behind each, and the bytes that they speak of.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut parts = bytes.splitn(3, |byte| *byte == b' ');
        let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse().ok();
        let (rows, length): (usize, usize) = (number()?, number()?);
        let (whole, begun) = parts.next()?.split_at_checked(length)?;
        Some(Self { rows, whole, begun })
    }
}

/// The walk: windows, their blocks, the words, in this order. Where a word stands in a block comes as one value: a word that many
/// begin with stands in thousands of rows, and each that sqlx hands over costs more than reading it.
fn statement(terms: usize) -> String {
    // No block reads more than a whole search may.
    const ONE_TOO_MANY: usize = SEARCH_ROWS_MAX + 1;
    let wanted: Vec<String> =
        (0..terms).map(|which| format!("({which}, ?{}, ?{})", 2 * which + 2, 2 * which + 3)).collect();
    format!(
        "WITH wanted (which, low, high) AS (VALUES {}) \
         SELECT at.key, block.start, wanted.which, (\
             SELECT CAST(concat_ws(' ', count(*), ifnull(sum(length(posting.at)) FILTER (WHERE posting.term = wanted.low), 0), '') \
                 || ifnull(group_concat(posting.at, '') FILTER (WHERE posting.term = wanted.low), '') \
                 || ifnull(group_concat(posting.at, '') FILTER (WHERE posting.term > wanted.low), '') AS BLOB) \
             FROM (SELECT posting.term, posting.at FROM posting WHERE posting.place = block.place AND posting.block = block.start \
                   AND posting.term >= wanted.low AND posting.term < wanted.high LIMIT {ONE_TOO_MANY}) AS posting) \
         FROM json_each(?1) AS at \
         CROSS JOIN place ON place.conversation = at.value ->> 0 \
         CROSS JOIN block ON block.place = place.id AND block.start <= at.value ->> 2 AND block.last >= at.value ->> 1 \
         CROSS JOIN wanted",
        wanted.join(", ")
    )
}

fn passes(filter: &Filter, sender: PersonId, at: Wall) -> bool {
    filter.author.is_none_or(|author| author == sender)
        && filter.since.is_none_or(|since| at.0 >= since.0)
        && filter.until.is_none_or(|until| at.0 < until.0)
}

fn said_entry(entry: &[u8; ENTRY]) -> (u16, PersonId, Wall, Change) {
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    // Nobody has the identifier 0, so what is damaged is nobody's.
    let sender = PersonId::new(number(&entry[2..10])).unwrap_or(PersonId::from_random([0; 8]));
    let at = Wall(number(&entry[10..16]).cast_signed());
    (u16::from_be_bytes([entry[0], entry[1]]), sender, at, Change(number(&entry[16..])))
}

fn wrong() -> StoreError {
    StoreError::Damaged("the index holds what was never written".to_owned())
}

/// The best so far: never more than twice as many as are wanted.
struct Best {
    after: Option<Behind>,
    wanted: usize,
    hits: Vec<Hit>,
    /// All that fit.
    count: usize,
    /// Those of them that come behind where the page begins.
    behind: usize,
}

impl Best {
    fn new(after: Option<Behind>, wanted: usize) -> Self {
        Self { after, wanted, hits: Vec::new(), count: 0, behind: 0 }
    }

    fn offer(&mut self, hit: Hit) {
        self.count += 1;
        if self.after.is_some_and(|after| hit.behind.order() >= after.order()) {
            return;
        }
        self.behind += 1;
        self.hits.push(hit);
        if self.hits.len() >= 2 * self.wanted.max(32) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.hits.sort_unstable_by_key(|hit| Reverse(hit.behind.order()));
        self.hits.truncate(self.wanted);
    }
}
