//! Stand-in systems: each effect is written down once per idempotency key, faults are scripted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{Call, Ctx, Fault, Landed, Link, Operation, Outlook, Repeat, Reply, Spec, Systems, TraceContext};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What the systems remember.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    effects: Vec<(String, Value)>,
    by_key: BTreeMap<String, Value>,
    calls: Vec<(String, String)>,
    fresh: Vec<String>,
    traces: Vec<(String, TraceContext)>,
    script: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    answers: BTreeMap<String, Value>,
    dies_at: Option<usize>,
    dead: bool,
    panics: BTreeSet<String>,
    hang: BTreeMap<String, Duration>,
    held: BTreeSet<String>,
    let_go: Arc<Notify>,
    outlooks: BTreeMap<String, Outlook>,
    looks: usize,
    lacks: BTreeSet<String>,
}

impl Ledger {
    /// The next call of this operation fails so; one that landed acts first.
    pub(crate) fn fails_once(&self, operation: &str, fault: Fault) {
        self.0.lock().script.entry(operation.into()).or_default().push_back(fault);
    }

    /// Every call of this operation fails so, until it is [`Ledger::mended`].
    pub(crate) fn fails(&self, operation: &str, fault: Fault) {
        self.0.lock().always.insert(operation.into(), fault);
    }

    pub(crate) fn mended(&self, operation: &str) {
        self.0.lock().always.remove(operation);
    }

    pub(crate) fn answers(&self, operation: &str, answer: Value) {
        self.0.lock().answers.insert(operation.into(), answer);
    }

    pub(crate) fn takes(&self, operation: &str, time: Duration) {
        self.0.lock().hang.insert(operation.into(), time);
    }

    /// From now on calls of this operation act and come home only when they are let go.
    pub(crate) fn holds(&self, operation: &str) {
        self.0.lock().held.insert(operation.into());
    }

    pub(crate) fn lets_go(&self, operation: &str) {
        let mut pages = self.0.lock();
        pages.held.remove(operation);
        pages.let_go.notify_waiters();
    }

    async fn held(&self, operation: &str) {
        let let_go = self.0.lock().let_go.clone();
        loop {
            let told = let_go.notified();
            if !self.0.lock().held.contains(operation) {
                return;
            }
            told.await;
        }
    }

    /// What a system's guard says of calls to come, until it says otherwise.
    pub(crate) fn looks(&self, system: &str, outlook: Outlook) {
        self.0.lock().outlooks.insert(system.into(), outlook);
    }

    /// How often guards were asked what they say of calls to come.
    pub(crate) fn looked(&self) -> usize {
        self.0.lock().looks
    }

    /// Dies after the n-th call has acted and before its answer is seen.
    pub(crate) fn dies_at_call(&self, nth: Option<usize>) {
        let mut pages = self.0.lock();
        pages.dies_at = nth.map(|nth| nth + pages.calls.len());
        pages.dead = false;
    }

    /// The next call of this operation panics after it has acted.
    pub(crate) fn panics_once(&self, operation: &str) {
        self.0.lock().panics.insert(operation.into());
    }

    /// Never answers in a process that has died.
    async fn lives(&self) {
        if self.0.lock().dead {
            std::future::pending::<()>().await;
        }
    }

    /// Operations that acted, in order.
    pub(crate) fn effects(&self) -> Vec<String> {
        self.0.lock().effects.iter().map(|(operation, _)| operation.clone()).collect()
    }

    pub(crate) fn inputs(&self, operation: &str) -> Vec<Value> {
        let pages = self.0.lock();
        pages.effects.iter().filter(|(done, _)| done == operation).map(|(_, input)| input.clone()).collect()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.effects().iter().filter(|done| *done == operation).count()
    }

    /// The keys under which an operation was called, each call.
    pub(crate) fn keys(&self, operation: &str) -> Vec<String> {
        let pages = self.0.lock();
        pages.calls.iter().filter(|(called, _)| called == operation).map(|(_, key)| key.clone()).collect()
    }

    /// The traces that calls of an operation were to continue.
    pub(crate) fn traces(&self, operation: &str) -> Vec<TraceContext> {
        let pages = self.0.lock();
        pages.traces.iter().filter(|(called, _)| called == operation).map(|(_, trace)| *trace).collect()
    }

    /// Operations that were asked for what is true now, in order.
    pub(crate) fn asked_fresh(&self) -> Vec<String> {
        self.0.lock().fresh.clone()
    }

    /// From the next start on an operation (or `flow NAME`) is not configured; of `key OPERATION` its key has another form.
    pub(crate) fn lacks(&self, name: &str) {
        self.0.lock().lacks.insert(name.into());
    }

    /// It is configured again.
    pub(crate) fn has(&self, name: &str) {
        self.0.lock().lacks.remove(name);
    }

    pub(crate) fn lacking(&self) -> BTreeSet<String> {
        self.0.lock().lacks.clone()
    }

    pub(crate) fn systems(&self) -> Systems {
        let lacks = self.lacking();
        let links = SYSTEMS.iter().map(|(system, operations)| {
            let mut spec = spec(system, operations);
            spec.operations.retain(|operation| !lacks.contains(&format!("{system}.{}", operation.name)));
            let link = Fake { spec, ledger: self.clone() };
            ((*system).to_owned(), Arc::new(link) as Arc<dyn Link>)
        });
        Systems::new(links)
    }

    fn perform(&self, operation: &str, repeat: Repeat, call: &Call) -> Result<Reply, Fault> {
        let mut pages = self.0.lock();
        let key = call.key.as_ref().map(|key| key.as_str().to_owned()).unwrap_or_default();
        pages.calls.push((operation.to_owned(), key.clone()));
        let scripted = pages.script.get_mut(operation).and_then(VecDeque::pop_front);
        let fault = scripted.or_else(|| pages.always.get(operation).cloned());
        if let Some(fault) = &fault
            && fault.landed == Landed::No
        {
            return Err(fault.clone());
        }
        let answer = pages.act(operation, repeat, &key, &call.input);
        pages.dead |= pages.dies_at == Some(pages.calls.len());
        let panics = pages.panics.remove(operation);
        drop(pages);
        assert!(!panics, "{operation} panics");
        match fault {
            Some(fault) => Err(fault),
            None => Ok(Reply { output: answer, status: Some(port::Status::http(200)), ..Reply::default() }),
        }
    }
}

impl Pages {
    fn act(&mut self, operation: &str, repeat: Repeat, key: &str, input: &Value) -> Value {
        let remembered = format!("{operation} {key}");
        if let (Some(answer), true) = (self.by_key.get(&remembered), repeat == Repeat::Keyed) {
            return answer.clone();
        }
        // A safe operation changes nothing when it is repeated.
        let again = repeat == Repeat::Safe
            && self.effects.iter().any(|(done, with)| done == operation && with == input);
        if !again {
            self.effects.push((operation.to_owned(), input.clone()));
        }
        let fresh = json!({ "id": format!("{operation}#{}", self.effects.len()) });
        let answer = self.answers.get(operation).cloned().unwrap_or(fresh);
        self.by_key.insert(remembered, answer.clone());
        answer
    }
}

struct Fake {
    spec: Spec,
    ledger: Ledger,
}

impl Link for Fake {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        let operation = format!("{}.{}", self.spec.system, call.operation);
        let repeat = self.spec.operation(&call.operation).unwrap().repeat;
        let time = {
            let mut pages = self.ledger.0.lock();
            pages.traces.push((operation.clone(), ctx.trace));
            pages.fresh.extend(ctx.fresh.then(|| operation.clone()));
            pages.hang.get(&operation).copied()
        };
        async move {
            self.ledger.lives().await;
            let reply = self.ledger.perform(&operation, repeat, &call);
            self.ledger.lives().await;
            if let Some(time) = time {
                tokio::time::sleep(time).await;
            }
            self.ledger.held(&operation).await;
            reply
        }
        .boxed()
    }

    fn probe<'a>(&'a self, _ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        let mut pages = self.ledger.0.lock();
        pages.looks += 1;
        pages.outlooks.get(&*self.spec.system).copied().unwrap_or(Outlook::Open)
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}

type Operations = &'static [(&'static str, Repeat, Option<&'static str>)];

const SYSTEMS: &[(&str, Operations)] = &[
    ("crm", &[("revert", Repeat::Safe, None), ("update", Repeat::Safe, Some("revert"))]),
    ("email", &[("send", Repeat::Keyed, None)]),
    ("inventory", &[("release", Repeat::Safe, None), ("reserve", Repeat::Keyed, Some("release"))]),
    (
        "orders",
        &[
            ("cancel", Repeat::Safe, None),
            ("create", Repeat::Keyed, Some("cancel")),
            ("update", Repeat::Safe, None),
            ("validate", Repeat::Safe, None),
        ],
    ),
    (
        "payments",
        &[
            ("capture", Repeat::Never, Some("refund")),
            ("charge", Repeat::Keyed, Some("refund")),
            ("find", Repeat::Safe, None),
            ("refund", Repeat::Keyed, None),
        ],
    ),
];

pub(crate) fn specs() -> Vec<Spec> {
    SYSTEMS.iter().map(|(system, operations)| spec(system, operations)).collect()
}

fn spec(system: &str, operations: Operations) -> Spec {
    let operation = |(name, repeat, undo): &(&str, Repeat, Option<&str>)| Operation {
        undo: undo.map(Into::into),
        keyed_as: "key".into(),
        ..Operation::new(*name, *repeat)
    };
    Spec {
        system: system.into(),
        adapter: "ledger",
        version: "1.0.0",
        operations: operations.iter().map(operation).collect(),
        probe_every: None,
    }
}
