//! Statements over many rows at once. sqlx pays tens of microseconds a statement and SQLite next to nothing a row, so a
//! batch is written in as few statements as there are tables, not rows. Rows are cut into powers of two: ten shapes of
//! each statement serve every count, and all of them stay prepared.

use std::collections::BTreeMap;
use std::num::TryFromIntError;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

/// The largest cut. Nine columns of 512 rows are 4,608 variables; SQLite allows 32,766.
const ROWS_MAX: usize = 512;

/// Room for every shape of the statements that are common, and for what small batches join.
pub(super) const STATEMENTS_MAX: usize = 200;

/// A statement around `(?, ?, …), (?, ?, …), …`.
pub(crate) struct Many {
    pub(crate) head: &'static str,
    pub(crate) columns: usize,
    pub(crate) tail: &'static str,
}

/// The text of every shape used so far.
#[derive(Default)]
pub(crate) struct Statements(BTreeMap<(&'static str, &'static str, usize), Arc<str>>);

impl Statements {
    fn text(&mut self, many: &Many, rows: usize) -> Arc<str> {
        // By its tail too: two statements may begin alike.
        let text = self.0.entry((many.head, many.tail, rows)).or_insert_with(|| {
            let row = format!("({})", vec!["?"; many.columns].join(","));
            format!("{}{}{}", many.head, vec![row; rows].join(","), many.tail).into()
        });
        Arc::clone(text)
    }
}

/// Statements to be run in order.
pub(crate) struct Script<'s> {
    statements: &'s mut Statements,
    jobs: Vec<Job>,
}

struct Job {
    text: Arc<str>,
    values: Values,
    rows: usize,
}

impl<'s> Script<'s> {
    pub(crate) fn new(statements: &'s mut Statements) -> Self {
        Self { statements, jobs: Vec::new() }
    }

    /// One statement with its values, in order of its `?`.
    pub(crate) fn one(&mut self, text: &'static str, bind: impl FnOnce(&mut Values)) {
        let mut values = Values::default();
        bind(&mut values);
        self.jobs.push(Job { text: text.into(), values, rows: 1 });
    }

    /// `many` over all of `rows`, whose values `bind` lays out from left to right.
    pub(crate) fn many<T>(&mut self, many: &Many, rows: &[T], bind: impl Fn(&T, &mut Values)) {
        let mut rest = rows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut(rest.len()));
            let mut values = Values::default();
            values.0.reserve(now.len() * many.columns);
            for row in now {
                bind(row, &mut values);
            }
            let text = self.statements.text(many, now.len());
            self.jobs.push(Job { text, values, rows: now.len() });
            rest = later;
        }
    }

    /// Runs everything. Neighbours of one row go together: a small batch costs one trip to the connection's thread.
    pub(crate) async fn run(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut jobs = self.jobs.into_iter().peekable();
        while let Some(Job { text, mut values, rows }) = jobs.next() {
            let mut text: Arc<str> = text;
            if rows == 1 && jobs.peek().is_some_and(|next| next.rows == 1) {
                let mut joined = text.to_string();
                while let Some(next) = jobs.next_if(|next| next.rows == 1) {
                    joined.push_str("; ");
                    joined.push_str(&next.text);
                    values.0.extend(next.values.0);
                }
                text = joined.into();
            }
            sqlx::query_with(AssertSqlSafe(text), values.bound()?).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// The greatest power of two that is in there, up to [`ROWS_MAX`].
fn cut(rows: usize) -> usize {
    (1 << rows.ilog2()).min(ROWS_MAX)
}

/// Values for the variables of one statement, or of several on end.
#[derive(Default)]
pub(crate) struct Values(Vec<Value>);

enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// A number above 2^63: none of ours is, and none must turn negative unseen.
    Beyond(TryFromIntError),
}

impl Values {
    fn push(&mut self, value: Value) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.push(Value::Int(value))
    }

    pub(crate) fn count(&mut self, value: u64) -> &mut Self {
        self.push(i64::try_from(value).map_or_else(Value::Beyond, Value::Int))
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.int(value.into())
    }

    pub(super) fn maybe(&mut self, value: Option<u64>) -> &mut Self {
        match value {
            Some(value) => self.count(value),
            None => self.push(Value::Null),
        }
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.push(Value::Text(value.to_owned()))
    }

    pub(super) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        self.push(value.map_or(Value::Null, Value::Int))
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.push(Value::Null),
        }
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.push(Value::Bytes(value.to_vec()))
    }

    pub(super) fn maybe_bytes(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.bytes(value),
            None => self.push(Value::Null),
        }
    }

    fn bound(self) -> Result<SqliteArguments, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(self.0.len(), 0);
        for value in self.0 {
            let added = match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
                Value::Beyond(error) => Err(error.into()),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_begin_alike_are_two() {
        let many = |tail| Many { head: "INSERT INTO t VALUES ", columns: 2, tail };
        let mut statements = Statements::default();
        assert_eq!(&*statements.text(&many(" a"), 2), "INSERT INTO t VALUES (?,?),(?,?) a");
        assert_eq!(&*statements.text(&many(" b"), 2), "INSERT INTO t VALUES (?,?),(?,?) b");
    }

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
