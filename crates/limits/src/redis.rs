//! Counts in Redis 5 or later, or Valkey: one script per call, atomic, by the server's clock.
//!
//! Counts are as durable as the server keeps them; one that is lost is full again. Keys are `ratelimit:{key}` for a
//! bucket and `ratelimit:{key}:window` for a sliding window, one key per script, so a cluster's proxy may shard them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, Script};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use guard::Algorithm;
use guard::shared::{Answer, Away, Key, Ledger, Rule};

use crate::{answer, micros};

/// Counts in one Redis.
pub struct Redis {
    client: Client,
    slot: Mutex<Slot>,
    /// How often connecting failed.
    failures: AtomicU64,
    bucket: Script,
    window: Script,
}

/// One connection, shared; calls are pipelined on it.
#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    made: u64,
    /// Why there was none to be had last time.
    away: Option<Away>,
}

#[derive(Clone)]
struct Connection {
    number: u64,
    inner: MultiplexedConnection,
}

const CONNECTING: Duration = Duration::from_secs(2);

impl Redis {
    /// Counts in the server at `url` (`redis://[user:password@]host:port/db`; `rediss://` for TLS, trusting what
    /// the machine trusts, or what the file in `SSL_CERT_FILE` does). Connects with the first call.
    ///
    /// # Errors
    /// When the URL cannot be read. The URL is not repeated, because it may hold a password.
    pub fn new(url: &str) -> Result<Self, Away> {
        let client = Client::open(url)
            .map_err(|_| Away("reading a Redis URL: it should look like redis://host:6379/0".to_owned()))?;
        Ok(Self {
            client,
            slot: Mutex::default(),
            failures: AtomicU64::new(0),
            bucket: Script::new(include_str!("bucket.lua")),
            window: Script::new(include_str!("window.lua")),
        })
    }

    /// The connection, and whether it was there before. A crowd makes one attempt: who waited for another's that
    /// failed has its answer.
    async fn connection(&self) -> Result<(Connection, bool), Away> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok((connection.clone(), true));
        }
        if self.failures.load(Ordering::Acquire) != failures
            && let Some(away) = &slot.away
        {
            return Err(away.clone());
        }
        match self.connect().await {
            Ok(inner) => {
                slot.made += 1;
                let fresh = Connection { number: slot.made, inner };
                slot.connection = Some(fresh.clone());
                Ok((fresh, false))
            }
            Err(away) => {
                self.failures.fetch_add(1, Ordering::Release);
                slot.away = Some(away.clone());
                Err(away)
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Away> {
        // Answers are bounded by who asks.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECTING)).set_response_timeout(None);
        let sealed = matches!(self.client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
        let manner = if sealed { "over TLS" } else { "without TLS" };
        let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
        connected.map_err(|fault| Away(format!("connecting to Redis {manner}: {fault}")))
    }

    /// Others may have connected anew meanwhile.
    async fn forget(&self, broken: &Connection) {
        let mut slot = self.slot.lock().await;
        slot.connection.take_if(|connection| connection.number == broken.number);
    }

    async fn run(&self, key: &Key, rule: &Rule, wait: Duration) -> Result<i64, Away> {
        loop {
            let (mut connection, was_there) = self.connection().await?;
            let fault = match self.script(key, rule, wait, &mut connection.inner).await {
                Ok(micros) => return Ok(micros),
                Err(fault) => fault,
            };
            self.forget(&connection).await;
            // An old connection may have died unnoticed; the server gets one chance to be there.
            if !(was_there && (fault.is_io_error() || fault.is_connection_dropped())) {
                return Err(Away(format!("asking Redis: {fault}")));
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
        Box::pin(async move { self.run(key, rule, wait).await.map(answer) })
    }

    fn suspect(&self) {
        // Whoever holds the lock is connecting anew already.
        if let Ok(mut slot) = self.slot.try_lock() {
            slot.connection = None;
        }
    }
}
