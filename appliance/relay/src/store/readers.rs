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

/// Connections: twice the cores of a small box, since one waits for the disk while another decrypts.
pub(super) const READERS: usize = 4;

/// Answers reads to those who hold a grant. Every answer is of one moment. Cheap to clone.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
}

/// A connection on loan. Goes back when dropped.
pub(super) struct Loan {
    connection: Option<SqliteConnection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(connections: Vec<SqliteConnection>) -> Self {
        let permits = Arc::new(Semaphore::new(connections.len()));
        Self(Arc::new(Pool { idle: Mutex::new(connections), permits }))
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
