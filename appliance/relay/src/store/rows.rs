//! Statements over many rows at once. sqlx pays tens of microseconds a statement and SQLite next to nothing a row, so a
//! batch is written in as few statements as there are tables, not rows. Rows are cut into powers of two: ten shapes of
//! each statement serve every count, and all of them stay prepared.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

/// The largest cut. Nine columns of 512 rows are 4,608 variables; SQLite allows 32,766.
const ROWS_MAX: usize = 512;

/// Room for every shape of every statement: ten shapes of twelve statements, and the single ones.
pub(super) const STATEMENTS_MAX: usize = 160;

/// A statement around `(?, ?, …), (?, ?, …), …`.
pub(super) struct Many {
    pub(super) head: &'static str,
    pub(super) columns: usize,
    pub(super) tail: &'static str,
}

/// The text of every shape used so far.
#[derive(Default)]
pub(super) struct Statements(BTreeMap<(&'static str, usize), Arc<str>>);

impl Statements {
    fn text(&mut self, many: &Many, rows: usize) -> Arc<str> {
        let text = self.0.entry((many.head, rows)).or_insert_with(|| {
            let row = format!("({})", vec!["?"; many.columns].join(","));
            format!("{}{}{}", many.head, vec![row; rows].join(","), many.tail).into()
        });
        Arc::clone(text)
    }

    /// Runs `many` over all of `rows`, whose values `bind` lays out from left to right.
    pub(super) async fn run<T>(
        &mut self,
        connection: &mut SqliteConnection,
        many: &Many,
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> Result<(), sqlx::Error> {
        let mut rest = rows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut(rest.len()));
            let mut values = Values::with_capacity(now.len() * many.columns);
            for row in now {
                bind(row, &mut values);
            }
            debug_assert_eq!(values.arguments.len(), now.len() * many.columns);
            let text = self.text(many, now.len());
            sqlx::query_with(AssertSqlSafe(text), values.finish()?).execute(&mut *connection).await?;
            rest = later;
        }
        Ok(())
    }
}

/// The greatest power of two that is in there, up to [`ROWS_MAX`].
fn cut(rows: usize) -> usize {
    (1 << rows.ilog2()).min(ROWS_MAX)
}

/// Values for the variables of one statement.
pub(super) struct Values {
    arguments: SqliteArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

impl Values {
    pub(super) fn with_capacity(count: usize) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(count, 0);
        Self { arguments, failed: None }
    }

    fn add<'q, T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
        &mut self,
        value: T,
    ) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(error);
        }
        self
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.add(value)
    }

    /// A number of ours. Those that mean something are below 2^63; one that is not must not turn negative unseen.
    pub(super) fn count(&mut self, value: u64) -> &mut Self {
        match i64::try_from(value) {
            Ok(value) => self.add(value),
            Err(error) => {
                self.failed = Some(error.into());
                self
            }
        }
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.int(value.into())
    }

    pub(super) fn maybe(&mut self, value: Option<u64>) -> &mut Self {
        match value {
            Some(value) => self.count(value),
            None => self.add(None::<i64>),
        }
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.add(value)
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.add(value)
    }

    pub(super) fn finish(self) -> Result<SqliteArguments, sqlx::Error> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_cut_into_few_known_shapes() {
        for count in 1..5_000_usize {
            let mut rest = count;
            let mut cuts = 0;
            while rest > 0 {
                let cut = cut(rest);
                assert!(cut.is_power_of_two() && cut <= ROWS_MAX && cut <= rest);
                (rest, cuts) = (rest - cut, cuts + 1);
            }
            assert!(cuts <= count / ROWS_MAX + 9, "{count} rows in {cuts} statements");
        }
    }
}
