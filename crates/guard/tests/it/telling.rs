//! An operator speaks of some breakers of a system, and of no others.

use std::num::NonZeroU32;

use expect_test::{Expect, expect};
use guard::{Breaker, NoBreaker, Per, Policies, Policy, Retry, State, Switch, Which};
use port::{Ctx, Fault, Kind, Landed, Link, Rejection, Reply};

use crate::fixture::{World, bare, call, fault, seconds};

fn per(per: Per) -> Policy {
    let breaker =
        Breaker { per, consecutive_failures: NonZeroU32::new(1), open_jitter: 0.0, ..Breaker::default() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { breaker: Some(breaker), retry, ..bare() }
}

/// The same, judged by itself.
fn apart(policy: &Policy) -> Policy {
    let breaker = policy.breaker.clone().map(|own| Breaker { open_for: seconds(7), ..own });
    Policy { breaker, ..policy.clone() }
}

/// A system that answers.
fn well(policies: impl Into<Policies>) -> World {
    World::new(policies, |_, _| async { Ok(Reply::default()) })
}

impl World {
    async fn as_tenant(&self, tenant: &str, operation: &str) -> Result<Reply, Fault> {
        let ctx = Ctx { tenant: tenant.into(), ..self.ctx() };
        self.guarded.call(&ctx, call(operation)).await
    }

    /// Which of these calls pass.
    async fn passing(&self, calls: &[(&str, &str)]) -> Vec<String> {
        let mut passing = Vec::new();
        for (tenant, operation) in calls {
            match self.as_tenant(tenant, operation).await {
                Ok(_) => passing.push(format!("{tenant} {operation}")),
                Err(fault) => assert_eq!(fault.rejection, Some(Rejection::BreakerOpen)),
            }
        }
        passing
    }

    /// What each breaker was told.
    fn lanes(&self) -> Vec<(Option<String>, Option<String>, Switch)> {
        let lanes = self.guarded.status().lanes.into_iter().filter(|lane| lane.mode.is_some());
        lanes.map(|lane| (lane.operation, lane.key, lane.mode.unwrap())).collect()
    }

    fn refuses(&self, which: Which<'_>, why: &Expect) {
        let before = self.lanes();
        let refused = self.guarded.tell(which, Switch::ForcedOpen).unwrap_err();
        why.assert_eq(&refused.to_string());
        assert_eq!(self.guarded.reset(which), Err(refused));
        assert_eq!(self.lanes(), before, "a name that is refused leaves nothing behind");
    }
}

fn key(key: &str) -> Which<'_> {
    Which { key: Some(key), ..Which::ALL }
}

fn operation(operation: &str) -> Which<'_> {
    Which { operation: Some(operation), ..Which::ALL }
}

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

const EVERYBODY: [(&str, &str); 4] =
    [("acme", "read"), ("acme", "charge"), ("globex", "read"), ("globex", "charge")];

#[tokio::test(start_paused = true)]
async fn one_tenant_is_forced_open_and_its_neighbour_passes() {
    let world = well(per(Per::Tenant));
    assert_eq!(world.passing(&EVERYBODY).await.len(), 4);
    assert_eq!(world.guarded.tell(key("acme"), Switch::ForcedOpen), Ok(Some(Switch::Auto)));
    assert_eq!(world.passing(&EVERYBODY).await, ["globex read", "globex charge"]);
    let lanes = [(None, owned("acme"), Switch::ForcedOpen), (None, owned("globex"), Switch::Auto)];
    assert_eq!((world.lanes(), world.guarded.mode()), (lanes.to_vec(), Some(Switch::Auto)));
    assert_eq!(world.passing(&[("initech", "read")]).await.len(), 1, "nor does it hold for newcomers");
    assert_eq!(world.guarded.tell(key("acme"), Switch::Auto), Ok(Some(Switch::ForcedOpen)));
    assert_eq!(world.passing(&EVERYBODY).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_last_word_to_all_covers_those_that_were_told_apart() {
    let world = well(per(Per::Tenant));
    world.passing(&EVERYBODY).await;
    world.guarded.tell(key("acme"), Switch::Disabled).unwrap();
    assert_eq!(world.guarded.tell(Which::ALL, Switch::ForcedOpen), Ok(None), "they differed");
    assert_eq!(world.passing(&EVERYBODY).await, [""; 0]);
    assert_eq!(world.guarded.tell(key("acme"), Switch::Auto), Ok(Some(Switch::ForcedOpen)));
    assert_eq!(world.passing(&EVERYBODY).await, ["acme read", "acme charge"]);
    assert_eq!(world.guarded.mode(), Some(Switch::ForcedOpen));
}

/// `charge` judges by itself; `read` only has its own deadline, and so shares the system's breakers.
#[tokio::test(start_paused = true)]
async fn a_tenant_is_kept_in_also_where_it_has_not_called_yet() {
    let system = per(Per::Tenant);
    let read = Policy { deadline: Some(seconds(1)), attempt_timeout: seconds(1), ..system.clone() };
    let operations = [("charge".into(), apart(&system)), ("read".into(), read)].into();
    let world = well(Policies { system, operations });
    world.as_tenant("acme", "post").await.unwrap();
    world.guarded.tell(key("acme"), Switch::ForcedOpen).unwrap();
    assert_eq!(world.passing(&EVERYBODY).await, ["globex read", "globex charge"]);
    assert_eq!(world.passing(&[("acme", "post")]).await, [""; 0], "the first call of `read` changed nothing");
    world.guarded.tell(key("acme"), Switch::Auto).unwrap();
    assert_eq!(world.passing(&EVERYBODY).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_told_before_its_first_call() {
    let world = well(per(Per::Operation));
    world.guarded.tell(operation("charge"), Switch::ForcedOpen).unwrap();
    assert_eq!(world.passing(&EVERYBODY).await, ["acme read", "globex read"]);
    let lanes = [(owned("charge"), None, Switch::ForcedOpen), (owned("read"), None, Switch::Auto)];
    assert_eq!(world.lanes(), lanes);
    let known = expect![[
        r#"the system has no circuit breaker for operation "steal"; it has some for operation "charge", operation "post", operation "read""#
    ]];
    world.refuses(operation("steal"), &known);
}

#[tokio::test(start_paused = true)]
async fn all_tenants_of_an_operation_or_one_of_them() {
    let system = per(Per::Tenant);
    let operations = [("charge".into(), apart(&system))].into();
    let world = well(Policies { system, operations });
    world.passing(&EVERYBODY[..3]).await;
    let both = Which { operation: Some("charge"), key: Some("globex") };
    world.guarded.tell(both, Switch::ForcedOpen).unwrap();
    assert_eq!(world.passing(&EVERYBODY).await, ["acme read", "acme charge", "globex read"]);
    assert_eq!(world.guarded.tell(operation("charge"), Switch::ForcedOpen), Ok(None));
    assert_eq!(world.passing(&EVERYBODY).await, ["acme read", "globex read"]);
    assert_eq!(world.passing(&[("initech", "charge")]).await, [""; 0], "newcomers too");
    let unknown = Which { operation: Some("read"), key: Some("acme") };
    let known = expect![[
        r#"the system has no circuit breaker for operation "read" with key "acme"; it has some for key "acme", key "globex", key "initech", operation "charge", operation "charge" with key "acme", operation "charge" with key "globex", operation "charge" with key "initech""#
    ]];
    world.refuses(unknown, &known);
}

#[tokio::test(start_paused = true)]
async fn who_has_not_called_is_unknown() {
    let world = well(per(Per::Tenant));
    world.refuses(
        key("acme"),
        &expect![r#"the system has no circuit breaker for key "acme"; the only one known is for everything"#],
    );
    world.as_tenant("globex", "read").await.unwrap();
    world.refuses(
        key("acme"),
        &expect![r#"the system has no circuit breaker for key "acme"; it has some for key "globex""#],
    );
    for tenant in 0..24 {
        world.as_tenant(&format!("t{tenant:02}"), "read").await.unwrap();
    }
    let Err(refused @ NoBreaker::Unknown { .. }) = world.guarded.reset(key("acme")) else {
        panic!("it was known")
    };
    assert!(refused.to_string().ends_with(r#", key "t18" and 5 more"#), "{refused}");
    let one = well(per(Per::System));
    one.refuses(
        key("crm"),
        &expect![r#"the system has no circuit breaker for key "crm"; the only one known is for everything"#],
    );
    well(bare()).refuses(key("crm"), &expect!["the system has no circuit breaker"]);
}

#[tokio::test(start_paused = true)]
async fn one_key_is_reset_and_its_neighbour_stays_open() {
    let world = World::new(per(Per::Tenant), |number, _| async move {
        if number <= 2 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    for tenant in ["acme", "globex"] {
        world.as_tenant(tenant, "read").await.unwrap_err();
    }
    assert_eq!(world.passing(&EVERYBODY).await, [""; 0]);
    world.guarded.reset(key("acme")).unwrap();
    assert_eq!(world.ear.count("open to closed"), 1);
    assert_eq!(world.passing(&EVERYBODY).await, ["acme read", "acme charge"]);
    let states: Vec<State> = world.guarded.status().lanes.into_iter().map(|lane| lane.state).collect();
    assert_eq!(states, [State::Closed, State::Open]);
}

/// Keys are bounded. One that was told something is never forgotten; one that was forgotten is unknown again.
#[tokio::test(start_paused = true)]
async fn what_a_key_was_told_is_not_forgotten_for_newcomers() {
    let mut policy = per(Per::Tenant);
    policy.breaker = policy.breaker.map(|breaker| Breaker { max_keys: 2, ..breaker });
    let world = well(policy);
    world.passing(&EVERYBODY).await;
    world.guarded.tell(key("acme"), Switch::ForcedOpen).unwrap();
    for tenant in 0..10 {
        world.as_tenant(&format!("t{tenant}"), "read").await.unwrap();
    }
    assert_eq!(world.passing(&EVERYBODY).await, ["globex read", "globex charge"]);
    world.refuses(
        key("t1"),
        &expect![
            r#"the system has no circuit breaker for key "t1"; it has some for key "acme", key "globex""#
        ],
    );
}
