//! The spans of acts: one each, below the request's; those of commits that begin nothing are over with them.

use std::sync::Arc;

use conversation::{Conversations, Deciding, Limits, Submission, Telemetry};
use parking_lot::Mutex;
use port::{Attribute, Recorder, Span, SystemClock, TraceContext};
use serde_json::Value;
use store::Store;

use crate::room::{Flows, commit, fact, says};

#[derive(Default)]
struct Spans(Mutex<Vec<Span>>);

impl Recorder for Spans {
    fn wants(&self) -> bool {
        true
    }
    fn samples(&self, _trace_id: u128) -> bool {
        true
    }
    fn record(&self, span: Span) {
        self.0.lock().push(span);
    }
}

impl Telemetry for Spans {
    fn recorder(&self) -> &dyn Recorder {
        self
    }
}

/// What is recorded of these acts, handed in as part of this trace.
async fn recorded(trace: TraceContext, acts: &[Value]) -> Vec<Span> {
    let route = react::Route { system: Some("shop".to_owned()), action: None, flow: "sells".to_owned() };
    let rules = react::Rules { routes: vec![route], ..react::Rules::default() };
    let deciding = Deciding { acts: act::Rules::strict(), rules };
    let (store, spans) = (Store::inline().unwrap(), Arc::new(Spans::default()));
    let room = Conversations::new(store, deciding, Limits::default(), Arc::new(SystemClock), spans.clone());
    let flows = Flows::default();
    let mut submission = Submission { all_or_nothing: false, ..says(&flows, acts) };
    submission.request.trace = trace;
    room.take(submission).await.unwrap();
    let spans = spans.0.lock();
    spans.clone()
}

const REQUEST: TraceContext = TraceContext { trace_id: 7, span_id: 9, sampled: true };

fn said<'a>(span: &'a Span, name: &str) -> &'a str {
    match span.attributes.iter().find(|(known, _)| *known == name) {
        Some((_, Attribute::Text(text))) => text,
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test]
async fn each_act_has_a_span_below_its_request() {
    let spans = recorded(REQUEST, &[fact("act_1", "size"), commit("act_2", "shop")]).await;
    let told: Vec<_> = spans.iter().map(|span| (&*span.name, said(span, "act.id"), span.parent)).collect();
    // The span of the second one's commit is over with its run.
    assert_eq!(told, [("process-act", "act_1", Some(9)), ("process-act", "act_2", Some(9))]);
    let (fact, commit) = (&spans[0], &spans[1]);
    assert!(fact.context.trace_id == 7 && fact.context.span_id != commit.context.span_id);
    for (name, value) in [("act.type", "commit"), ("conversation.id", "conv_1"), ("speaker.id", "ann")] {
        assert_eq!(said(commit, name), value);
    }
}

#[tokio::test]
async fn a_commit_that_is_refused_or_that_nobody_does_is_over_with_its_act() {
    let mut stranger = commit("act_2", "shop");
    stranger["speaker"] = "bob".into();
    let spans = recorded(REQUEST, &[commit("act_1", "nobody"), stranger]).await;
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["process-commit", "process-act", "process-commit", "process-act"]);
    let (commit, act) = (&spans[2], &spans[3]);
    assert_eq!(commit.parent, Some(act.context.span_id));
    assert_eq!((said(commit, "commit.status"), said(&spans[0], "commit.status")), ("failed", "success"));
    assert_eq!(said(commit, "commit.error"), "act.speaker_mismatch");
    assert_eq!((said(commit, "commit.system"), said(commit, "commit.action")), ("shop", "create"));
    assert_eq!(
        (said(commit, "commit.entity"), act.error.as_deref()),
        ("order_1", Some("act.speaker_mismatch"))
    );
}

#[tokio::test]
async fn what_is_not_sampled_is_not_recorded() {
    let spans = recorded(TraceContext { sampled: false, ..REQUEST }, &[fact("act_1", "size")]).await;
    assert_eq!(spans, []);
}
