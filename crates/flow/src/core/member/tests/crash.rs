//! The process dies while a charge is out: whoever was asked is asked again, and nobody else.

use super::*;

fn away() -> Fault {
    Fault::new(Kind::Connect, Landed::No, "away")
}

#[test]
fn a_charge_that_was_out_is_made_again_at_the_member_that_was_asked() {
    let mut run = Run::of(charge(json!({})));
    run.read_back();
    assert_eq!((run.last(), &run.calls[0].key), (("stripe", "charge", Repeat::Keyed), &run.calls[1].key));
    run.read_back();
    assert_eq!(run.last(), ("stripe", "charge", Repeat::Keyed), "and again");
    run.home(Ok(Reply { member: None, ..by("stripe") }));
    run.home(Err(refused()));
    assert_eq!(run.last(), ("stripe", "refund", Repeat::Keyed));
    assert!(run.others.is_empty(), "{:?}", run.others);
}

#[test]
fn a_charge_that_went_on_to_the_next_member_is_made_again_there() {
    let mut run = Run::of(charge(json!({})));
    run.moves_on("adyen");
    run.read_back();
    assert_eq!(run.last(), ("adyen", "charge", Repeat::Keyed));
}

/// Whoever was asked cannot be reached: that says nothing of the charge, so it is neither made elsewhere nor forgotten.
#[test]
fn a_member_that_is_away_after_the_crash_may_have_charged() {
    let mut run = Run::of(charge(json!({ "retry": { "attempts": 2 } })));
    run.read_back();
    assert!(matches!(run.home(Err(away())), Event::StepRetried { .. }));
    run.again("charge");
    assert_eq!(run.last(), ("stripe", "charge", Repeat::Keyed));
    let Event::StepExhausted { error, .. } = run.home(Err(away())) else { panic!("{:?}", run.journal) };
    assert_eq!((error.landed, error.member.as_deref()), (Landed::Unknown, Some("stripe")));
    run.note(Event::RunCancelling { by: "ada".into() });
    assert_eq!(run.last(), ("stripe", "charge", Repeat::Keyed), "asked for, to be refunded");
}

#[test]
fn a_breaker_that_is_open_after_the_crash_does_not_send_the_charge_elsewhere() {
    let mut run = Run::of(charge(json!({})));
    run.read_back();
    let blocked = run.home(Err(Fault::rejected(Rejection::BreakerOpen, None)));
    assert!(matches!(blocked, Event::StepBlocked { perhaps: true, .. }), "{blocked:?}");
    run.read_back();
    run.again("charge");
    assert_eq!(run.last(), ("stripe", "charge", Repeat::Keyed));
}

/// A provider that has charged under a key says so again.
#[test]
fn a_refusal_after_the_crash_means_that_nothing_was_charged() {
    let mut run = Run::of(charge(json!({})));
    run.read_back();
    assert!(
        matches!(run.home(Err(refused())), Event::StepUnfinished { .. }),
        "not before the first has settled"
    );
    run.again("charge");
    run.home(Err(refused()));
    assert_eq!((run.calls.len(), run.state.ending.is_some()), (3, true), "nothing is refunded");
}

#[test]
fn what_must_never_be_repeated_is_looked_up_at_the_member_that_was_asked() {
    let mut run = Run::of(
        json!([{ "post": { "call": "pay.post", "verify": { "call": "pay.find", "not_found": "send" } } }]),
    );
    run.read_back();
    let Some(Decision::Interrupted { path, error }) = run.others.pop() else { panic!("{:?}", run.others) };
    let said = "stopped between sending the call and writing its outcome; `stripe` was asked";
    assert_eq!(error.message, said);
    assert!(run.state.can_verify(&path, &error), "no dead letter is written");
    run.note(Event::StepUnknown { path, error });
    run.again("post");
    assert_eq!(run.last(), ("stripe", "find", Repeat::Safe));
    run.home(Err(Fault::new(Kind::NotFound, Landed::No, "no such post")));
    assert_eq!(run.last(), ("pay", "post", Repeat::Never), "nothing landed: any member may do it");
}

/// Reserving is `safe` at each, but a second one would be released by nobody.
#[test]
fn what_is_safe_and_undone_is_repeated_at_the_member_that_was_asked() {
    let mut run = Run::of(json!([{ "hold": { "call": "pay.hold", "compensate": { "call": "pay.drop" } } }]));
    assert_eq!(run.last(), ("pay", "hold", Repeat::Safe));
    run.read_back();
    assert_eq!(run.last(), ("stripe", "hold", Repeat::Safe));
}

#[test]
fn a_call_that_was_given_up_may_have_landed_at_the_member_that_was_asked_last() {
    let mut run = Run::of(charge(json!({ "verify": { "call": "pay.find" } })));
    run.moves_on("adyen");
    run.home(Err(lost(None)));
    run.again("charge");
    assert_eq!(run.last(), ("adyen", "find", Repeat::Safe));
}

#[test]
fn a_refund_that_was_out_is_made_again_at_the_member_that_was_asked() {
    let tasks = json!([
        { "order": { "call": "shop.order", "compensate": { "call": "pay.charge" } } },
        { "more": { "call": "shop.order" } },
    ]);
    let mut run = Run::of(tasks);
    run.home(Ok(Reply::default()));
    run.home(Err(refused()));
    run.read_back();
    assert_eq!(run.last(), ("stripe", "charge", Repeat::Keyed));
    assert!(run.others.is_empty(), "{:?}", run.others);
}

/// A plain system, too, may have acted before the crash.
#[test]
fn a_system_that_is_away_after_the_crash_may_have_acted() {
    let undo = json!({ "call": "shop.cancel" });
    let mut run = Run::of(
        json!([{ "order": { "call": "shop.order", "on_exhausted": "compensate", "compensate": undo } }]),
    );
    run.home(Err(away()));
    assert_eq!(run.calls.len(), 1, "it did not act");
    let mut run = Run::of(
        json!([{ "order": { "call": "shop.order", "on_exhausted": "compensate", "compensate": undo } }]),
    );
    run.read_back();
    run.home(Err(away()));
    let Some(Decision::Defer { path, error, until }) = run.others.pop() else { panic!("{:?}", run.others) };
    run.note(Event::StepUnfinished { path, error, until });
    run.again("order/undo");
    assert_eq!(run.last(), ("shop", "cancel", Repeat::Safe), "once it has settled");
}

/// Written before a journal knew whom a group asks first: nobody knows whom to ask, so nobody is asked: neither for the charge, nor for whether it landed.
#[test]
fn an_attempt_at_nobody_knows_whom_waits_for_a_person() {
    let mut run = Run::asking(None, charge(json!({ "verify": { "call": "pay.find" } })));
    run.read_back();
    let Some(Decision::Interrupted { path, error }) = run.others.pop() else { panic!("{:?}", run.others) };
    assert_eq!(
        error.message,
        "stopped between sending the call and writing its outcome, so nobody knows which member of `pay` was asked"
    );
    assert!(!run.state.can_verify(&path, &error), "a dead letter is written");
    let calls = run.calls.len();
    run.note(Event::StepUnknown { path, error });
    assert_eq!((run.calls.len(), run.state.status()), (calls, store::RunStatus::Paused));
}
