//! The pool of connections that only read.
//!
//! Not sqlx's: that one keeps the options, and with them the key, to connect anew. These connections are made once,
//! when the store opens.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::StoreError;
use super::filing::Newer;

/// Connections: twice the cores of a small box, since one waits for the disk while another decrypts.
pub(super) const READERS: usize = 4;

/// Answers reads: what a person said or may see to whoever holds a grant for it, the rest to the relay itself. Each
/// answer of one statement is of one moment; where it takes several, that says so. Cheap to clone.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
    newer: Newer,
}

/// A connection on loan. Goes back when dropped.
pub(super) struct Loan {
    connection: Option<SqliteConnection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(connections: Vec<SqliteConnection>, newer: Newer) -> Self {
        let permits = Arc::new(Semaphore::new(connections.len()));
        Self(Arc::new(Pool { idle: Mutex::new(connections), permits, newer }))
    }

    pub(super) fn newer(&self) -> &Newer {
        &self.0.newer
    }

    /// Waits for its turn.
    pub(super) async fn lend(&self) -> Result<Loan, StoreError> {
        let permits = Arc::clone(&self.0.permits);
        let permit = permits.acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let connection = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // As many connections as permits: there is one.
        let connection = Some(connection.ok_or(StoreError::Closed)?);
        Ok(Loan { connection, pool: Arc::clone(&self.0), _permit: permit })
    }

    /// Waits until nobody reads, and lets nobody read again.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let all = self.0.permits.acquire_many(READERS as u32).await.map_err(|_| StoreError::Closed)?;
        self.0.permits.close();
        let connections = std::mem::take(&mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in connections {
            connection.close().await?;
        }
        drop(all);
        Ok(())
    }
}

/// Every connection on loan to a test, which lets reads by one at a time.
#[cfg(test)]
pub(crate) struct Gate {
    readers: Readers,
    held: Vec<Loan>,
}

#[cfg(test)]
impl Readers {
    /// Nobody else reads from here on.
    pub(crate) async fn shut(&self) -> Gate {
        let mut held = Vec::new();
        while held.len() < READERS {
            held.push(self.lend().await.unwrap());
        }
        Gate { readers: self.clone(), held }
    }
}

#[cfg(test)]
impl Gate {
    /// Lets the next read begin, once somebody comes for one.
    pub(crate) async fn begin_one(&mut self) {
        use futures_util::FutureExt as _;
        // Whoever waits is given the connection in the moment that it comes back; where nobody does, it is still here.
        for _ in 0..1_000_000 {
            drop(self.held.pop());
            match self.readers.lend().now_or_never() {
                Some(loan) => self.held.push(loan.unwrap()),
                None => return,
            }
            tokio::task::yield_now().await;
        }
        panic!("nobody comes to read");
    }

    /// Waits until that read is over.
    pub(crate) async fn end_one(&mut self) {
        self.held.push(self.readers.lend().await.unwrap());
    }
}

impl Deref for Loan {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().unwrap_or_else(|| unreachable!("a loan has its connection until dropped"))
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().unwrap_or_else(|| unreachable!("a loan has its connection until dropped"))
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
