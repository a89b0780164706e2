//! Counts in PostgreSQL 14 or later: one statement per call, atomic, by the server's clock.
//!
//! The table `cardan_limits` is made by the first call. It is unlogged: after a crash of the server the counts start
//! full. Rows of keys that are not called any more are forgotten when [`Postgres::forget_expired`] is called.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Error, Executor};

use guard::Algorithm;
use guard::shared::{Answer, Away, Key, Ledger, Rule};

use crate::{answer, micros};

/// Counts in one PostgreSQL database.
pub struct Postgres {
    pool: PgPool,
    migrated: AtomicBool,
}

/// What brings the table from each version to the next.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// Nodes that start together must not migrate together.
const MIGRATION_LOCK: i64 = 0x0063_6172_6461_6e6c;

/// A connection that rested longer is looked at before it is used: the server may have been restarted meanwhile.
const RESTED: Duration = Duration::from_millis(400);

const CONNECTIONS: u32 = 4;

impl Postgres {
    /// Counts in the database at `url` (`postgres://[user:password@]host:port/database`). `?sslmode=verify-full` is TLS
    /// with a server whose certificate is trusted by the public authorities, or by that in `&sslrootcert=FILE`; without
    /// it nobody looks at the certificate, nor whether there is one. Connects with the first call, and then at most
    /// four times.
    ///
    /// # Errors
    /// When the URL cannot be read. The URL is not repeated, because it may hold a password.
    pub fn new(url: &str) -> Result<Self, Away> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| {
                Away("reading a PostgreSQL URL: it should look like postgres://host/database".to_owned())
            })?
            .application_name("cardan limits");
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(2))
            .test_before_acquire(false)
            .before_acquire(|connection, seen| {
                Box::pin(async move { Ok(seen.idle_for < RESTED || connection.ping().await.is_ok()) })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, migrated: AtomicBool::new(false) })
    }

    /// Deletes the rows of keys that nobody called for as long as their rule remembers. Returns how many; none before
    /// the first call, because the table may not be there yet.
    ///
    /// # Errors
    /// [`Away`], when the server cannot be asked.
    pub async fn forget_expired(&self) -> Result<u64, Away> {
        if !self.migrated.load(Ordering::Acquire) {
            return Ok(0);
        }
        let delete = sqlx::query("DELETE FROM cardan_limits WHERE expires < clock_timestamp()");
        delete.execute(&self.pool).await.map(|done| done.rows_affected()).map_err(|fault| away(&fault))
    }

    async fn run(&self, key: &Key, rule: &Rule, wait: Duration) -> Result<i64, Error> {
        let mut held = Held { connection: self.pool.acquire().await?, well: false };
        if !self.migrated.load(Ordering::Acquire) {
            migrate(&mut held.connection).await?;
            self.migrated.store(true, Ordering::Release);
        }
        let micros = count(&mut held.connection, key, rule, wait).await?;
        held.well = true;
        Ok(micros)
    }
}

/// A connection that is used once more only after a good answer. One whose answer nobody waited for may never have
/// any; and one that refused may lead to a server that is not the primary any longer.
struct Held {
    connection: PoolConnection<sqlx::Postgres>,
    well: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.well {
            self.connection.close_on_drop();
        }
    }
}

async fn count(connection: &mut PgConnection, key: &Key, rule: &Rule, wait: Duration) -> Result<i64, Error> {
    let statement = match rule.algorithm {
        Algorithm::TokenBucket => sqlx::query_scalar(include_str!("bucket.sql"))
            .bind(key.as_str())
            .bind(i64::from(rule.capacity) * 1_000_000)
            .bind(i64::from(rule.weight) * 1_000_000)
            .bind(rule.refill_per_second),
        Algorithm::SlidingWindow => sqlx::query_scalar(include_str!("window.sql"))
            .bind(key.as_str())
            .bind(rule.capacity.cast_signed())
            .bind(rule.weight.cast_signed())
            .bind(micros(rule.window())),
    };
    let statement = statement.bind(micros(wait)).bind(micros(rule.keep()));
    match rule.algorithm {
        Algorithm::TokenBucket => statement.fetch_one(connection).await,
        Algorithm::SlidingWindow => statement.bind(micros(rule.furthest())).fetch_one(connection).await,
    }
}

/// Brings the table to the version that this program knows. Alone: other nodes wait.
async fn migrate(connection: &mut PgConnection) -> Result<(), Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *transaction).await?;
    transaction.execute("CREATE TABLE IF NOT EXISTS cardan_limits_version (version int NOT NULL)").await?;
    let version: Option<i32> = sqlx::query_scalar("SELECT max(version) FROM cardan_limits_version")
        .fetch_one(&mut *transaction)
        .await?;
    for (next, migration) in
        (1i32..).zip(MIGRATIONS).skip(version.unwrap_or(0).max(0).cast_unsigned() as usize)
    {
        transaction.execute(migration).await?;
        let note = sqlx::query("INSERT INTO cardan_limits_version (version) VALUES ($1)").bind(next);
        note.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

impl Ledger for Postgres {
    fn take<'a>(&'a self, key: &'a Key, rule: &'a Rule, wait: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answered = self.run(key, rule, wait).await;
            answered.map(answer).map_err(|fault| {
                // The database may have been replaced by an empty one.
                self.migrated.store(false, Ordering::Release);
                away(&fault)
            })
        })
    }
}

fn away(fault: &Error) -> Away {
    Away(format!("asking PostgreSQL: {fault}"))
}
