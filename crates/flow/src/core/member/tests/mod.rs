//! A group of two providers: whatever follows a charge goes to the one that took it.

mod crash;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use port::{Fault, Kind, Landed, Metadata, Rejection, Repeat, Reply, Status};
use serde_json::{Value, json};

use crate::core::{Decision, Effect, Event, Start, State, Verdict};
use crate::definition::{Definition, Known, KnownOperation, compile};

/// `pay` is a group of `stripe` and `adyen`; `shop` is a plain system.
fn known() -> Known {
    let operation = |repeat, undo: Option<&str>| KnownOperation {
        undo: undo.map(str::to_owned),
        ..KnownOperation::new(repeat)
    };
    let provider = |keyed| {
        let charge = operation(keyed, Some("refund"));
        let safe = |undo| operation(Repeat::Safe, undo);
        let others = [
            ("refund", operation(keyed, None)),
            ("find", safe(None)),
            ("post", operation(Repeat::Never, None)),
        ];
        let all = others.into_iter().chain([
            ("charge", charge),
            ("hold", safe(Some("drop"))),
            ("drop", safe(None)),
        ]);
        all.map(|(name, operation)| (name.to_owned(), operation)).collect::<BTreeMap<_, _>>()
    };
    let systems = [
        ("adyen", provider(Repeat::Keyed)),
        ("pay", provider(Repeat::Never)),
        (
            "shop",
            [("order", Repeat::Keyed), ("cancel", Repeat::Safe)]
                .map(|(name, repeat)| (name.to_owned(), operation(repeat, None)))
                .into(),
        ),
        ("stripe", provider(Repeat::Keyed)),
    ];
    let members = ["stripe", "adyen"].map(str::to_owned).to_vec();
    Known {
        systems: systems.map(|(name, operations)| (name.to_owned(), operations)).into(),
        groups: [("pay".to_owned(), members)].into(),
        ..Known::default()
    }
}

/// A run whose calls come home as the test says.
struct Run {
    definition: Definition,
    state: State,
    journal: Vec<Event>,
    /// The calls that were made, the last one last.
    calls: Vec<Effect>,
    others: Vec<Decision>,
    /// Whom the group would ask first; `None` as in journals that were written before that was known.
    first: Option<&'static str>,
}

/// When everything has settled.
const LATER: Timestamp = Timestamp::constant(86_400, 0);

impl Run {
    fn of(tasks: Value) -> Self {
        Self::asking(Some("stripe"), tasks)
    }

    fn asking(first: Option<&'static str>, tasks: Value) -> Self {
        let (definition, found) = compile("main", &diag::Node::from_json(&json!({ "do": tasks })), &known());
        let definition = definition.unwrap_or_else(|| panic!("{found:?}"));
        let mut run =
            Self { definition, state: fresh(), journal: vec![], calls: vec![], others: vec![], first };
        run.note(Event::RunTaken);
        run
    }

    fn note(&mut self, event: Event) {
        let decisions = self.state.apply(&self.definition, &event, Timestamp::UNIX_EPOCH);
        self.journal.push(event);
        self.take(decisions);
    }

    fn take(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Call(effect) if effect.purpose.asks() => self.calls.push(effect),
                Decision::Call(effect) => {
                    let first = self.first.filter(|_| &*effect.system == "pay").map(Arc::from);
                    if effect.written || first.is_some() {
                        let member = first.as_ref().or(effect.member.as_ref()).cloned();
                        let path = effect.path.clone();
                        self.note(Event::StepStarted { path, member, leaves_until: None, keyed_as: None });
                    }
                    self.calls.push(Effect { first, ..effect });
                }
                other => self.others.push(other),
            }
        }
    }

    /// The last call comes home.
    fn home(&mut self, outcome: Result<Reply, Fault>) -> &Event {
        let effect = self.calls.last().unwrap().clone();
        let (now, took) = (self.state.now, Duration::ZERO);
        let verdict = Verdict { now, took, unit: 0.5, max_output: 1 << 20, rejected: 0 };
        let event = self.state.judge(&effect, outcome, verdict);
        self.note(event);
        self.journal.iter().rev().find(|event| !matches!(event, Event::StepStarted { .. })).unwrap()
    }

    /// The group is about to ask another member.
    fn moves_on(&mut self, member: &str) {
        let path = self.calls.last().unwrap().path.clone();
        self.note(Event::StepStarted {
            path,
            member: Some(member.into()),
            leaves_until: None,
            keyed_as: None,
        });
    }

    /// The step's time has come.
    fn again(&mut self, path: &str) {
        let decisions = self.state.again(&self.definition, path, LATER);
        self.take(decisions);
    }

    /// The process died; another one reads the journal, as it was written, and goes on.
    fn read_back(&mut self) {
        self.state = fresh();
        for event in &self.journal {
            let event = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            self.state.apply(&self.definition, &event, Timestamp::UNIX_EPOCH);
        }
        let decisions = self.state.outstanding(&self.definition, Timestamp::UNIX_EPOCH);
        self.take(decisions);
    }

    /// Whom the last call asks, for what, and how safe a repeat is there.
    fn last(&self) -> (&str, &str, Repeat) {
        let call = self.calls.last().unwrap();
        (&call.system, &call.operation, call.repeat)
    }
}

fn fresh() -> State {
    let start = Start { run: "run_1".into(), scheme: 1, input: json!({}), ..Start::default() };
    State::new(Arc::new(start), Timestamp::UNIX_EPOCH)
}

fn by(member: &str) -> Reply {
    Reply { output: json!({ "id": "c1" }), member: Some(member.into()), ..Reply::default() }
}

fn lost(member: Option<&str>) -> Fault {
    Fault { member: member.map(Into::into), ..Fault::new(Kind::Timeout, Landed::Unknown, "no answer") }
}

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

/// A charge that is refunded, with more keys, and an order after it.
fn charge(more: Value) -> Value {
    let mut charge = json!({ "call": "pay.charge", "compensate": { "call": "pay.refund", "with": { "of": "${ result.id }" } } });
    charge.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([{ "charge": charge }, { "order": { "call": "shop.order" } }])
}

#[test]
fn a_step_that_went_well_says_how_many_attempts_it_took() {
    let mut run = Run::of(charge(json!({})));
    run.home(Ok(Reply { attempts: 3, ..by("adyen") }));
    run.home(Ok(Reply::default()));
    let attempts = |path: &str| run.state.record(path).unwrap().attempts;
    assert_eq!((attempts("charge"), attempts("order")), (3, 1));
}

#[test]
fn a_charge_is_refunded_by_the_member_that_took_it() {
    for crash in [false, true] {
        let mut run = Run::of(charge(json!({})));
        assert_eq!(run.last(), ("pay", "charge", Repeat::Never));
        run.home(Ok(by("adyen")));
        if crash {
            run.read_back();
            // It may have landed before: the refusal counts when it comes again after that has settled.
            assert!(matches!(run.home(Err(refused())), Event::StepUnfinished { .. }));
            run.again("order");
        }
        run.home(Err(refused()));
        assert_eq!(run.last(), ("adyen", "refund", Repeat::Keyed), "after a crash: {crash}");
        assert_eq!(run.calls.last().unwrap().input, json!({ "of": "c1" }));
        if crash {
            run.read_back();
            assert_eq!(run.last(), ("adyen", "refund", Repeat::Keyed), "what is keyed there is sent again");
        }
        run.home(Ok(Reply::default()));
        let record = |path: &str| run.state.record(path).unwrap().member.clone();
        assert_eq!(
            (record("charge").as_deref(), record("charge/undo").as_deref()),
            (Some("adyen"), Some("adyen"))
        );
        assert!(run.state.members.is_empty(), "done again, it may go to any member");
    }
}

#[test]
fn what_is_keyed_is_sent_again_to_the_member_that_may_have_acted() {
    let mut run = Run::of(charge(json!({ "retry": { "attempts": 3 } })));
    assert!(matches!(run.home(Err(lost(Some("adyen")))), Event::StepRetried { .. }));
    let key = run.calls[0].key.clone();
    run.read_back();
    run.again("charge");
    assert_eq!((run.last(), &run.calls.last().unwrap().key), (("adyen", "charge", Repeat::Keyed), &key));
    let nothing_now = Fault::new(Kind::Connect, Landed::No, "away");
    run.home(Err(nothing_now));
    run.again("charge");
    assert_eq!(run.last().0, "adyen", "the first try may have landed there all the same");
    run.home(Ok(Reply { member: None, ..by("adyen") }));
    assert_eq!(run.last(), ("shop", "order", Repeat::Keyed));
    run.home(Err(refused()));
    assert_eq!(run.last().0, "adyen", "whom the reply of a plain system did not name");
}

#[test]
fn a_guard_that_keeps_a_second_try_in_does_not_send_it_elsewhere() {
    let mut run = Run::of(charge(json!({})));
    let open = Fault::rejected(Rejection::BreakerOpen, None);
    run.home(Err(Fault { landed: Landed::Unknown, member: Some("adyen".into()), attempts: 1, ..open }));
    run.again("charge");
    assert_eq!(run.last(), ("adyen", "charge", Repeat::Keyed));
}

#[test]
fn an_unknown_charge_is_looked_up_at_the_member_that_may_have_taken_it() {
    let verify = json!({ "call": "pay.find", "not_found": "send" });
    let mut run = Run::of(charge(json!({ "verify": verify })));
    assert!(matches!(run.home(Err(lost(Some("adyen")))), Event::StepUnknown { .. }));
    run.again("charge");
    assert_eq!(run.last(), ("adyen", "find", Repeat::Safe));
    run.read_back();
    assert_eq!(run.last(), ("adyen", "find", Repeat::Safe), "also after a crash");
    run.state.now = LATER;
    run.home(Err(Fault::new(Kind::NotFound, Landed::No, "no such charge")));
    assert_eq!(run.last(), ("pay", "charge", Repeat::Never), "nothing landed: any member may do it");
    run.home(Err(lost(Some("stripe"))));
    run.again("charge");
    run.home(Ok(Reply { output: json!({ "id": "c2" }), ..Reply::default() }));
    run.home(Err(refused()));
    assert_eq!(
        (run.last(), &run.calls.last().unwrap().input),
        (("stripe", "refund", Repeat::Keyed), &json!({ "of": "c2" }))
    );
}

#[test]
fn an_unknown_charge_is_asked_for_again_at_its_member_before_it_is_refunded() {
    let mut run = Run::of(charge(json!({ "on_exhausted": "compensate" })));
    run.home(Err(lost(Some("adyen"))));
    assert_eq!(
        run.last(),
        ("adyen", "charge", Repeat::Keyed),
        "its id is needed, and its key is known there"
    );
    run.home(Ok(by("adyen")));
    assert_eq!(run.last(), ("adyen", "refund", Repeat::Keyed));
}

#[test]
fn restarted_it_is_charged_again_at_the_same_member_under_the_same_key() {
    let mut run = Run::of(charge(json!({})));
    run.home(Err(lost(Some("adyen"))));
    run.note(Event::RunRestarted { path: "charge".into(), by: "ops".into(), send_again: false });
    assert_eq!((run.last(), &run.calls[0].key), (("adyen", "charge", Repeat::Keyed), &run.calls[1].key));
    run.home(Ok(by("adyen")));
    run.note(Event::RunPaused { by: "ada".into() });
    run.note(Event::RunRestarted { path: "order".into(), by: "ops".into(), send_again: false });
    run.home(Err(refused()));
    assert_eq!(run.last(), ("adyen", "refund", Repeat::Keyed), "kept, it is known who took it");
}

/// What the protocol said of an answer is kept with it, and read back.
#[test]
fn a_journal_keeps_what_the_protocol_said() {
    let mut run = Run::of(json!([{ "order": { "call": "shop.order" } }]));
    let metadata = Metadata::new([("etag".to_owned(), "7".to_owned())]);
    let reply = Reply { status: Some(Status::http(201)), metadata, ..Reply::default() };
    let written = serde_json::to_string(run.home(Ok(reply))).unwrap();
    let said = r#""answered":{"protocol":"http","status":201,"metadata":{"etag":"7"}}"#;
    assert!(written.contains(said), "{written}");
    run.read_back();
    let record = run.state.records.iter().find(|record| &*record.path == "order").unwrap();
    let answered = record.answered.as_ref().unwrap();
    assert_eq!((answered.status, answered.metadata.iter().next()), (201, Some(("etag", "7"))));
}

/// Written before members were kept: what a plain system did is undone there, and a group is not guessed at.
#[test]
fn a_journal_without_members_still_replays() {
    let old = r#"{"type":"StepSucceeded","path":"charge","output":{"id":"c1"},"attempts":1,"ms":3}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), old, "and is written as it was");
    let tasks = json!([
        { "charge": { "call": "stripe.charge", "compensate": { "call": "stripe.refund" } } }, { "order": { "call": "shop.order" } }
    ]);
    let mut run = Run::of(tasks);
    run.note(event.clone());
    run.read_back();
    run.home(Err(refused()));
    run.again("order");
    run.home(Err(refused()));
    assert_eq!(run.last(), ("stripe", "refund", Repeat::Keyed));

    let mut run = Run::of(charge(json!({})));
    run.note(event);
    run.home(Err(refused()));
    assert_eq!(run.last().1, "order", "no refund was sent");
    let Some(Decision::Park { error, .. }) = run.others.pop() else { panic!("{:?}", run.others) };
    assert_eq!(error.message, "nobody knows which member of `pay` acted");
}
