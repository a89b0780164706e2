//! Counts in Redis 5 or later, or Valkey: one script per call, atomic, by the server's clock.
//!
//! Counts are as durable as the server keeps them; one that is lost is full again. Keys are `ratelimit:{key}` for a
//! bucket and `ratelimit:{key}:window` for a sliding window, one key per script, so a cluster's proxy may shard them.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisError, Script};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::ledger::{Answer, answer, micros};
use super::{Away, Key, Ledger, Rule};
use crate::policy::Algorithm;

/// Counts in one Redis.
pub struct Redis {
    client: Client,
    /// One connection, shared; calls are pipelined on it.
    connection: Mutex<Option<MultiplexedConnection>>,
    bucket: Script,
    window: Script,
}

const CONNECTING: Duration = Duration::from_secs(2);

impl Redis {
    /// Counts in the server at `url` (`redis://[user:password@]host:port/db`; `rediss://` for TLS, trusting what
    /// the machine trusts). Connects with the first call.
    ///
    /// # Errors
    /// When the URL cannot be read. The URL is not repeated, because it may hold a password.
    pub fn new(url: &str) -> Result<Self, Away> {
        let client = Client::open(url)
            .map_err(|_| Away("reading a Redis URL: it should look like redis://host:6379/0".to_owned()))?;
        Ok(Self {
            client,
            connection: Mutex::new(None),
            bucket: Script::new(include_str!("bucket.lua")),
            window: Script::new(include_str!("window.lua")),
        })
    }

    /// The connection, and whether it was there before.
    async fn connection(&self) -> Result<(MultiplexedConnection, bool), RedisError> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = &*slot {
            return Ok((connection.clone(), true));
        }
        // Answers are bounded by who asks.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECTING)).set_response_timeout(None);
        let fresh = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        *slot = Some(fresh.clone());
        Ok((fresh, false))
    }

    async fn forget(&self) {
        *self.connection.lock().await = None;
    }

    async fn run(&self, key: &Key, rule: &Rule, wait: Duration) -> Result<i64, RedisError> {
        loop {
            let (mut connection, was_there) = self.connection().await?;
            match self.script(key, rule, wait, &mut connection).await {
                // An old connection may have died unnoticed; the server gets one chance to be there.
                Err(fault) if was_there && (fault.is_io_error() || fault.is_connection_dropped()) => {
                    self.forget().await;
                }
                Err(fault) => {
                    self.forget().await;
                    return Err(fault);
                }
                Ok(micros) => return Ok(micros),
            }
        }
    }

    async fn script(
        &self,
        key: &Key,
        rule: &Rule,
        wait: Duration,
        connection: &mut MultiplexedConnection,
    ) -> Result<i64, RedisError> {
        let (wait, keep) = (micros(wait), micros(rule.keep()));
        match rule.algorithm {
            Algorithm::TokenBucket => {
                let (capacity, cost) =
                    (i64::from(rule.capacity) * 1_000_000, i64::from(rule.weight) * 1_000_000);
                let mut call = self.bucket.key(format!("ratelimit:{}", key.as_str()));
                call.arg(capacity).arg(cost).arg(rule.refill_per_second).arg(wait).arg(keep);
                call.invoke_async(connection).await
            }
            Algorithm::SlidingWindow => {
                let mut call = self.window.key(format!("ratelimit:{}:window", key.as_str()));
                call.arg(rule.capacity).arg(rule.weight).arg(micros(rule.window())).arg(wait).arg(keep);
                call.arg(micros(rule.furthest())).invoke_async(connection).await
            }
        }
    }
}

impl Ledger for Redis {
    fn take<'a>(&'a self, key: &'a Key, rule: &'a Rule, wait: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answered = self.run(key, rule, wait).await;
            answered.map(answer).map_err(|fault| Away(format!("asking Redis: {fault}")))
        })
    }

    fn suspect(&self) {
        // Whoever holds the lock is connecting anew already.
        if let Ok(mut slot) = self.connection.try_lock() {
            *slot = None;
        }
    }
}
