//! Conversations over a store, callers, and flows that remember what was planned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use act::{Accepted, Act};
use conversation::{
    Answer, Caller, Code, Conversations, Deciding, Error, Limits, Motion, Noop, Plan, Request, Rights,
    Signal, Start, Submission,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use port::{SystemClock, TraceContext};
use serde_json::{Value, json};
use store::{Append, Batch, Expected, NewEvent, Store};
use tokio::sync::Notify;

/// Flows that run nothing: a run is a stream with one event.
#[derive(Clone, Default)]
pub(crate) struct Flows(Arc<Planned>);

#[derive(Default)]
pub(crate) struct Planned {
    pub(crate) plans: AtomicUsize,
    pub(crate) committed: AtomicUsize,
    pub(crate) told: Mutex<Vec<Signal>>,
    /// How many bytes the first event of a run has more.
    pub(crate) weight: AtomicUsize,
    /// A run has been planned.
    pub(crate) begun: Notify,
}

impl std::ops::Deref for Flows {
    type Target = Planned;

    fn deref(&self) -> &Planned {
        &self.0
    }
}

impl Flows {
    /// How many plans were made, and how many of them committed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.plans.load(Ordering::SeqCst), self.committed.load(Ordering::SeqCst))
    }
}

impl Motion for Flows {
    fn plan(&self) -> Box<dyn Plan> {
        self.plans.fetch_add(1, Ordering::SeqCst);
        Box::new(self.clone())
    }

    fn journal(&self, run: &str) -> String {
        format!("run-{run}")
    }
}

impl Plan for Flows {
    fn begin<'a>(
        &'a mut self,
        rows: &'a mut Batch,
        starts: Vec<Start>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        std::future::ready(self.begin_now(rows, starts)).boxed()
    }

    fn accept(&mut self) {}

    fn tell(&mut self, _: &mut Batch, signal: &Signal) {
        self.told.lock().push(signal.clone());
    }

    fn committed(self: Box<Self>) {
        self.committed.fetch_add(1, Ordering::SeqCst);
    }
}

impl Flows {
    fn begin_now(&self, rows: &mut Batch, starts: Vec<Start>) -> Result<Vec<String>, Error> {
        let mut runs = Vec::new();
        for start in starts {
            if start.flow == "refuses" {
                return Err(Error::because(Code::ActRefused, "expected another input"));
            }
            let run = format!("{}-{}", start.flow, start.commit);
            let event = NewEvent {
                type_: "RunStarted".into(),
                data: vec![b' '; self.weight.load(Ordering::SeqCst)],
                at: jiff::Timestamp::UNIX_EPOCH,
                tenant: start.tenant,
                correlation: start.correlation,
                causation: None,
            };
            let stream = self.journal(&run);
            rows.appends.push(Append { stream, expected: Expected::NoStream, events: vec![event] });
            runs.push(run);
        }
        if !runs.is_empty() {
            self.begun.notify_one();
        }
        Ok(runs)
    }
}

/// Commits of the systems `shop` and `wall` go to the flows `sells` and `refuses`.
pub(crate) fn room(store: &Store) -> Conversations {
    let route = |system: &str, flow: &str| react::Route {
        system: Some(system.to_owned()),
        action: None,
        flow: flow.to_owned(),
    };
    let routes = vec![route("shop", "sells"), route("wall", "refuses")];
    let rules = react::Rules { routes, ..react::Rules::default() };
    let deciding = Deciding { acts: act::Rules::strict(), rules };
    Conversations::new(store.clone(), deciding, Limits::default(), Arc::new(SystemClock), Arc::new(Noop))
}

pub(crate) fn caller(subject: &str, tenant: &str) -> Caller {
    Caller {
        subject: subject.into(),
        tenant: tenant.into(),
        roles: [].into(),
        grants: [].into(),
        known: true,
        rights: Rights::default(),
    }
}

pub(crate) fn request<'a>(caller: Caller, motion: &'a Flows) -> Request<'a> {
    let trace = TraceContext::root(&port::SystemEntropy);
    Request { caller, correlation: "c".into(), trace, motion }
}

/// What ann of `acme` says in `conv_1`; one refusal refuses it all.
pub(crate) fn says<'a>(motion: &'a Flows, acts: &[Value]) -> Submission<'a> {
    Submission {
        request: request(caller("ann", "acme"), motion),
        conversation: "conv_1",
        acts: acts.iter().map(parsed).collect(),
        all_or_nothing: true,
        answering: None,
    }
}

fn parsed(act: &Value) -> Accepted<Act> {
    act::parse_act(act.to_string().as_bytes(), &act::Rules::strict()).unwrap()
}

fn act(id: &str, members: Value) -> Value {
    let mut act =
        json!({ "id": id, "timestamp": "2026-01-01T00:00:00Z", "speaker": "ann", "entity": "order_1" });
    let Value::Object(members) = members else { panic!("expected members") };
    act.as_object_mut().unwrap().extend(members);
    act
}

pub(crate) fn fact(id: &str, field: &str) -> Value {
    act(id, json!({ "type": "fact", "field": field, "value": 1 }))
}

pub(crate) fn commit(id: &str, system: &str) -> Value {
    act(id, json!({ "type": "commit", "action": "create", "system": system }))
}

/// The runs that the acts of an answer began.
pub(crate) fn runs(answer: &Answer) -> Vec<&str> {
    let taken = answer.verdicts.iter().flatten();
    taken.flat_map(|taken| &taken.runs).map(|started| started.run.as_str()).collect()
}

pub(crate) async fn version(store: &Store, stream: &str) -> u64 {
    store.version(stream).await.unwrap()
}
