//! A system of which some operations are collected and sent many at a time, as another of its operations.
//!
//! It stands before the guard: collecting costs nobody a place or a token, and what is sent passes the guard of the
//! operation it is sent as. Tenants never share a batch.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Link, Outlook, Repeat, Reply, Spec};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Batcher, batcher};
use crate::policy;

/// How one operation is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// The operation that takes many.
    pub into: Arc<str>,
    /// The member of its input that takes the items, in order.
    pub items: String,
    /// The member of its output that holds one result per item, in order; without it the output itself does.
    pub results: Option<String>,
    /// The member of each item that takes the item's idempotency key.
    pub keys: Option<String>,
    /// When a batch goes.
    pub numbers: policy::Batch,
}

impl Collect {
    /// Whether items of an operation may be sent so: a batch that may have landed is sent again by whoever made the
    /// calls, together with other items, so each item itself must be safe to repeat, or carry its key.
    pub fn fits(&self, repeat: Repeat) -> bool {
        match repeat {
            Repeat::Safe => true,
            Repeat::Keyed => self.keys.is_some(),
            Repeat::Never => false,
        }
    }
}

/// A link before a guarded link.
pub struct Batched {
    link: Arc<dyn Link>,
    ways: BTreeMap<Arc<str>, Way>,
    over: watch::Sender<bool>,
    workers: Mutex<JoinSet<()>>,
}

struct Way {
    collect: Arc<Collect>,
    tenants: Mutex<Tenants>,
}

/// One queue and one worker per tenant.
#[derive(Default)]
struct Tenants {
    queues: HashMap<Arc<str>, (Batcher<Item, Reply>, u64)>,
    turn: u64,
}

/// Beyond these, the queue that was used longest ago is let go; its worker sends what is in it and ends.
const MOST_TENANTS: usize = 1_024;

#[derive(Clone)]
struct Item {
    ctx: Ctx,
    input: Value,
}

impl Batched {
    /// Puts collecting before `link`, by operation.
    pub fn new(link: Arc<dyn Link>, collected: impl IntoIterator<Item = (Arc<str>, Collect)>) -> Self {
        let way = |collect| Way { collect: Arc::new(collect), tenants: Mutex::default() };
        let ways = collected.into_iter().map(|(name, collect)| (name, way(collect))).collect();
        Self { link, ways, over: watch::Sender::new(false), workers: Mutex::default() }
    }

    /// Sends what is collected without waiting for more, and waits until it is answered. Calls that come later are sent
    /// at once, each by itself.
    pub async fn flush(&self) {
        self.over.send_replace(true);
        let mut workers = std::mem::take(&mut *self.workers.lock());
        while workers.join_next().await.is_some() {}
    }

    async fn collected(&self, way: &Way, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let item = Item { ctx: ctx.clone(), input: keyed(&way.collect, call)? };
        let Some(queue) = self.queue(way, &ctx.tenant) else { return self.alone(way, item).await };
        let answer = match within(ctx, Landed::No, queue.hand_in(item)).await? {
            Ok(answer) => answer,
            // It was closed just now.
            Err(item) => return self.alone(way, item).await,
        };
        within(ctx, Landed::Unknown, answer).await?
    }

    /// The schemas of what is sent are looked at where it is sent; here, those of the item.
    async fn checked(&self, way: &Way, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let (spec, operation) = (self.link.spec(), call.operation.clone());
        spec.admits(&operation, &call.input)?;
        spec.understands(&operation, self.collected(way, ctx, call).await?)
    }

    async fn alone(&self, way: &Way, item: Item) -> Result<Reply, Fault> {
        let replies = send(&*self.link, &way.collect, vec![item]).await?;
        replies.into_iter().next().ok_or_else(miscounted)
    }

    /// The tenant's queue, with a worker behind it; `None` when nothing is collected any more.
    fn queue(&self, way: &Way, tenant: &Arc<str>) -> Option<Batcher<Item, Reply>> {
        if *self.over.borrow() {
            return None;
        }
        let mut tenants = way.tenants.lock();
        tenants.turn += 1;
        let turn = tenants.turn;
        if let Some((queue, used)) = tenants.queues.get_mut(tenant) {
            *used = turn;
            return Some(queue.clone());
        }
        tenants.make_room();
        let queue = self.start(&way.collect);
        tenants.queues.insert(Arc::clone(tenant), (queue.clone(), turn));
        Some(queue)
    }

    fn start(&self, collect: &Arc<Collect>) -> Batcher<Item, Reply> {
        let (link, as_told) = (Arc::clone(&self.link), Arc::clone(collect));
        let (queue, worker) = batcher(&collect.numbers, move |items| {
            let (link, collect) = (Arc::clone(&link), Arc::clone(&as_told));
            async move { send(&*link, &collect, items).await }
        });
        let mut over = self.over.subscribe();
        let mut workers = self.workers.lock();
        while workers.try_join_next().is_some() {}
        workers.spawn(worker.run(async move {
            // Without a sender there is nobody left who could call.
            let _over = over.wait_for(|over| *over).await;
        }));
        queue
    }
}

impl Tenants {
    fn make_room(&mut self) {
        if self.queues.len() < MOST_TENANTS {
            return;
        }
        let oldest = self.queues.iter().min_by_key(|(_, (_, used))| *used);
        let oldest = oldest.map(|(tenant, _)| Arc::clone(tenant));
        oldest.map(|tenant| self.queues.remove(&tenant));
    }
}

/// The item as it is sent.
fn keyed(collect: &Collect, call: Call) -> Result<Value, Fault> {
    let input = Arc::unwrap_or_clone(call.input);
    let Some(member) = &collect.keys else { return Ok(input) };
    match (input, call.key) {
        (Value::Object(mut input), Some(key)) => {
            input.insert(member.clone(), key.as_str().into());
            Ok(Value::Object(input))
        }
        _ => Err(Fault::new(
            Kind::Invalid,
            Landed::No,
            "a batched item needs an object and an idempotency key",
        )),
    }
}

/// Waits no longer than the caller may.
async fn within<T>(ctx: &Ctx, landed: Landed, waited: impl Future<Output = T>) -> Result<T, Fault> {
    let late = |_| Fault::new(Kind::Timeout, landed, "no answer of its batch before the deadline");
    tokio::time::timeout(ctx.remaining().unwrap_or(Duration::MAX), waited).await.map_err(late)
}

/// Sends items as one call, under the first item's correlation and for as long as any of them may wait.
async fn send(link: &dyn Link, collect: &Collect, items: Vec<Item>) -> Result<Vec<Reply>, Fault> {
    let Some(first) = items.first() else { return Ok(Vec::new()) };
    let deadline = items.iter().map(|item| item.ctx.deadline).reduce(|one, other| Some(one?.max(other?)));
    let fresh = items.iter().any(|item| item.ctx.fresh);
    let ctx = Ctx { deadline: deadline.flatten(), fresh, ..first.ctx.clone() };
    let known = link.spec().operation(&collect.into);
    // The attempts of this one call; sent again together with others it has another key, and the items have theirs.
    let key = known.filter(|known| known.repeat == Repeat::Keyed).and_then(|_| {
        IdempotencyKey::new(&format!("batch-{:016x}{:016x}", ctx.entropy.bits(), ctx.entropy.bits()))
    });
    let expected = items.len();
    let inputs = items.into_iter().map(|item| item.input).collect();
    let input = Value::Object(Map::from_iter([(collect.items.clone(), Value::Array(inputs))]));
    let Reply { output, status, metadata, .. } =
        link.call(&ctx, Call { operation: Arc::clone(&collect.into), input: input.into(), key }).await?;
    let results = match (&collect.results, output) {
        (None, output) => output,
        (Some(member), Value::Object(mut output)) => output.remove(member).unwrap_or_default(),
        (Some(_), _) => Value::Null,
    };
    match results {
        Value::Array(results) if results.len() == expected => {
            let each = |output| Reply { output, status, metadata: metadata.clone(), ..Reply::default() };
            Ok(results.into_iter().map(each).collect())
        }
        _ => Err(miscounted()),
    }
}

fn miscounted() -> Fault {
    Fault::new(Kind::Protocol, Landed::Yes, "a batch was not answered with one result per item")
}

/// How long an item may wait for its batch, and a batch for its turn.
const COLLECTING: Duration = Duration::from_secs(60);

impl Link for Batched {
    fn spec(&self) -> &Spec {
        self.link.spec()
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        match self.ways.get(&call.operation) {
            Some(way) => Box::pin(self.checked(way, ctx, call)),
            None => self.link.call(ctx, call),
        }
    }

    fn probe<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        self.link.probe(ctx)
    }

    /// What is collected goes first.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.flush().await;
            self.link.close().await;
        })
    }

    fn outlook(&self, operation: &str, tenant: &str) -> Outlook {
        self.link.outlook(operation, tenant)
    }

    fn limit(&self, operation: &str) -> Option<Duration> {
        match self.ways.get(operation) {
            Some(_) => self.link.limit(operation).map(|limit| limit + COLLECTING),
            None => self.link.limit(operation),
        }
    }

    /// A batch is one call for several callers, each of whom would have to know.
    fn first_asked(&self, operation: &str) -> Option<Arc<str>> {
        match self.ways.get(operation) {
            Some(_) => None,
            None => self.link.first_asked(operation),
        }
    }
}
