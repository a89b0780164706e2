//! A group says which of its members acted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use guard::batch::Batched;
use guard::{Group, Guarded, Pick, Policy};
use parking_lot::Mutex;
use port::{
    Call, Ctx, Fault, Kind, Landed, Link, Operation, Outlook, Rejection, Repeat, Reply, Spec, SystemClock,
    Witness,
};
use serde_json::Value;

use crate::fixture::{Ear, call, seconds};

/// Answers always the same.
struct Member {
    spec: Spec,
    answer: Result<Reply, Fault>,
}

impl Link for Member {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call<'a>(&'a self, _ctx: &'a Ctx, _call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(async { self.answer.clone() })
    }

    fn probe<'a>(&'a self, _ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        Outlook::Open
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}

fn member(system: &str, answer: Result<Reply, Fault>) -> Arc<dyn Link> {
    let operation = |name: &str, repeat, undo: Option<&str>| Operation {
        undo: undo.map(Into::into),
        ..Operation::new(name, repeat)
    };
    let operations = vec![
        operation("charge", Repeat::Keyed, Some("refund")),
        operation("hold", Repeat::Safe, Some("refund")),
        operation("read", Repeat::Safe, None),
        operation("refund", Repeat::Keyed, None),
    ];
    let spec =
        Spec { system: system.into(), adapter: "scripted", version: "1.0.0", operations, probe_every: None };
    Arc::new(Member { spec, answer })
}

async fn ask(
    first: Fault,
    second: Result<Reply, Fault>,
    pick: Pick,
    operation: &str,
) -> Result<Reply, Fault> {
    let members = vec![member("stripe", Err(first)), member("adyen", second)];
    let group = Group::new("payments", members, pick, Arc::new(SystemClock)).unwrap();
    group.call(&Ctx::new("acme", "test"), call(operation)).await
}

fn away() -> Fault {
    Fault::new(Kind::Connect, Landed::No, "away")
}

fn lost() -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer")
}

#[tokio::test]
async fn a_reply_names_the_member_that_acted() {
    let reply = ask(away(), Ok(Reply::default()), Pick::Failover, "charge").await.unwrap();
    assert_eq!((reply.member.as_deref(), reply.output), (Some("adyen"), Value::Null));
    let hedged = Pick::Hedged { after: seconds(9) };
    let reply = ask(lost(), Ok(Reply::default()), hedged, "read").await.unwrap();
    assert_eq!(reply.member.as_deref(), Some("adyen"));
}

#[tokio::test]
async fn a_fault_names_the_member_that_may_have_acted_and_nobody_when_nothing_landed() {
    let fault = ask(away(), Err(lost()), Pick::Failover, "charge").await.unwrap_err();
    assert_eq!(fault.member.as_deref(), Some("adyen"));
    let fault = ask(lost(), Ok(Reply::default()), Pick::Failover, "charge").await.unwrap_err();
    assert_eq!(fault.member.as_deref(), Some("stripe"));
    let landed = Fault::new(Kind::Protocol, Landed::Yes, "unreadable");
    let fault = ask(landed, Ok(Reply::default()), Pick::Failover, "charge").await.unwrap_err();
    assert_eq!(fault.member.as_deref(), Some("stripe"));
    let fault = ask(away(), Err(away()), Pick::Failover, "charge").await.unwrap_err();
    assert_eq!((fault.member, fault.landed), (None, Landed::No));
}

/// Its guard had sent it once, without an answer, before it kept the second try in.
#[tokio::test]
async fn a_rejection_after_an_attempt_names_the_member_too() {
    let open = Fault::rejected(Rejection::BreakerOpen, None);
    let open = Fault { landed: Landed::Unknown, attempts: 1, ..open };
    let fault = ask(away(), Err(open), Pick::Failover, "charge").await.unwrap_err();
    assert_eq!((fault.member.as_deref(), fault.landed), (Some("adyen"), Landed::Unknown));
}

#[tokio::test]
async fn what_any_member_may_repeat_binds_nobody() {
    for pick in [Pick::Failover, Pick::Hedged { after: seconds(9) }] {
        let fault = ask(lost(), Err(lost()), pick, "read").await.unwrap_err();
        assert_eq!((fault.member, fault.landed), (None, Landed::Unknown));
    }
}

/// Safe to repeat at one, but undone at one only: a second member must not do it as well.
#[tokio::test]
async fn what_can_be_undone_is_done_by_one_member_alone() {
    for pick in [Pick::Failover, Pick::Hedged { after: seconds(9) }] {
        let fault = ask(lost(), Ok(Reply::default()), pick, "hold").await.unwrap_err();
        assert_eq!(fault.member.as_deref(), Some("stripe"));
    }
}

/// Knows who is asked first, and writes down the others, unless it cannot.
struct Book {
    first: Arc<str>,
    written: Mutex<Vec<Arc<str>>>,
    full: bool,
}

impl Witness for Book {
    fn first(&self) -> &str {
        &self.first
    }

    fn next<'a>(&'a self, member: &'a Arc<str>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async {
            if self.full {
                return Err(Fault::new(Kind::Internal, Landed::No, "no room"));
            }
            self.written.lock().push(Arc::clone(member));
            Ok(())
        })
    }
}

/// What a group of `stripe`, which is away, and `adyen` answers to whoever writes down whom it asks, and who that was.
async fn witnessed(group: &Group, operation: &str, full: bool) -> (Result<Reply, Fault>, Vec<String>) {
    let first = group.first_asked(operation).unwrap_or_else(|| "nobody".into());
    let book = Arc::new(Book { first: Arc::clone(&first), written: Mutex::default(), full });
    let ctx = Ctx { witness: Some(book.clone()), ..Ctx::new("acme", "test") };
    let result = group.call(&ctx, call(operation)).await;
    let asked = std::iter::once(first).chain(book.written.lock().clone());
    (result, asked.map(|member| member.to_string()).collect())
}

fn pair(pick: Pick) -> Group {
    let members = vec![member("stripe", Err(away())), member("adyen", Ok(Reply::default()))];
    Group::new("payments", members, pick, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn who_is_asked_is_written_down_before() {
    let (reply, asked) = witnessed(&pair(Pick::Failover), "charge", false).await;
    assert_eq!(
        (reply.unwrap().member.as_deref(), asked),
        (Some("adyen"), vec!["stripe".into(), "adyen".into()])
    );
    let (fault, asked) = witnessed(&pair(Pick::Failover), "charge", true).await;
    assert_eq!(
        (fault.unwrap_err().landed, asked),
        (Landed::No, vec!["stripe".into()]),
        "nobody was asked unseen"
    );
}

#[tokio::test]
async fn what_several_may_do_is_not_written_down() {
    assert_eq!(pair(Pick::Failover).first_asked("read"), None);
    let (reply, asked) = witnessed(&pair(Pick::Failover), "read", true).await;
    assert_eq!((reply.unwrap().member.as_deref(), asked), (Some("adyen"), vec!["nobody".into()]));
}

/// Choosing the first takes its turn, and the call that follows does not take another.
#[tokio::test]
async fn a_call_whose_first_member_was_chosen_takes_one_turn() {
    let members = ["stripe", "adyen"].map(|name| member(name, Ok(Reply::default())));
    let group = Group::new("payments", members.into(), Pick::RoundRobin, Arc::new(SystemClock)).unwrap();
    let mut firsts = Vec::new();
    for _ in 0..3 {
        firsts.push(witnessed(&group, "charge", false).await.1.remove(0));
    }
    assert_eq!(firsts, ["stripe", "adyen", "stripe"]);
}

#[tokio::test]
async fn what_stands_before_a_group_says_whom_that_would_ask() {
    let group: Arc<dyn Link> = Arc::new(pair(Pick::Failover));
    let listener: Arc<dyn guard::Listener> = Arc::new(Ear::default());
    let guarded = Guarded::new(group, Policy::default(), listener, Arc::new(SystemClock));
    let batched = Batched::new(Arc::new(guarded), []);
    assert_eq!(batched.first_asked("charge").as_deref(), Some("stripe"));
}
