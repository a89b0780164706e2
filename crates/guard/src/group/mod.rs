//! A system made of systems: the alternate payment provider, the pool of model providers, the replicated memory.
//!
//! A call moves on to the next member only if that cannot do the same thing twice: it did not land, or repeating it is
//! safe and nothing undoes it. An idempotency key does not help here, because members do not know each other's keys. So
//! what may have acted is one member, and its name comes back with the reply or the fault. Whoever must know it even when
//! nothing comes back is told before a member is asked: [`port::Witness`].

mod member;
mod spec;
mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use member::Member;
use port::{Call, Clock, Ctx, Fault, Kind, Landed, Link, Operation, Outlook, Repeat, Reply, Spec, Witness};
use serde::Serialize;

use crate::hedge;
use crate::landed::worse;

/// Who is asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The first that answers, in the order written.
    Failover,
    /// Each in turn.
    RoundRobin,
    /// In turn, in proportion to these weights, one per member; 0 is asked only when the others fail.
    Weighted(Vec<u32>),
    /// The one that answered fastest lately.
    Fastest,
    /// In the order written; safe operations are also sent to the next one when there is no answer after so long.
    Hedged {
        /// How long.
        after: Duration,
    },
}

impl Pick {
    /// `failover`, `round_robin`, `weighted`, `fastest`, `hedged`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Pick::Failover => "failover",
            Pick::RoundRobin => "round_robin",
            Pick::Weighted(_) => "weighted",
            Pick::Fastest => "fastest",
            Pick::Hedged { .. } => "hedged",
        }
    }
}

/// What a group looks like now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupStatus {
    /// Who is asked first; see [`Pick::as_str`].
    pub group: &'static str,
    /// In the order written.
    pub members: Vec<MemberStatus>,
}

/// What a group thinks of a member.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberStatus {
    /// The configured system.
    pub system: String,
    /// Of the calls that would go to it first, the percentage that does; less than 100 after it failed.
    pub share_percent: u32,
}

/// A group of systems, itself a system.
pub struct Group {
    spec: Spec,
    members: Vec<Member>,
    pick: Pick,
    turn: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl Group {
    /// A group called `name`. What it can do is told by [`check`].
    ///
    /// # Errors
    /// What is wrong with the members or the weights; reads after a colon.
    pub fn new(
        name: &str,
        members: Vec<Arc<dyn Link>>,
        pick: Pick,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let spec = check(name, members.iter().map(|member| member.spec()), &pick)?;
        let weights = weights(&pick, members.len())?;
        let members =
            members.into_iter().zip(weights).map(|(link, weight)| Member::new(link, weight)).collect();
        Ok(Self { spec, members, pick, turn: AtomicU64::new(0), clock })
    }

    /// What the group looks like now.
    pub fn status(&self) -> GroupStatus {
        let members = self.members.iter().map(Member::status).collect();
        GroupStatus { group: self.pick.as_str(), members }
    }

    /// The members in the order in which this call asks them. One that is to be the first had its turn when it was
    /// chosen.
    fn order(&self, first: Option<&str>) -> Vec<&Member> {
        let mut order: Vec<_> = self.members.iter().collect();
        let Some(first) = first else {
            match &self.pick {
                Pick::Failover | Pick::Hedged { .. } => {}
                Pick::RoundRobin | Pick::Weighted(_) => self.rotate(&mut order),
                Pick::Fastest => self.by_pace(&mut order),
            }
            // One that failed lately gets a growing share of first tries until it is well again; otherwise it goes last.
            let taker = order.iter().position(|member| member.standing.takes());
            order.rotate_left(taker.unwrap_or_default());
            return order;
        };
        order.sort_by_key(|member| 100 - member.standing.percent());
        order.sort_by_key(|member| **member.name() != *first);
        order
    }

    /// The fastest first, unless it is time to find out how fast another one is.
    fn by_pace(&self, order: &mut [&Member]) {
        order.sort_by_key(|member| member.pace.lately());
        let now = self.clock.nanos();
        if let Some(at) = order.iter().skip(1).position(|member| member.pace.is_due(now)) {
            order[..=at + 1].rotate_right(1);
        }
    }

    /// Puts the member whose turn it is first; the others follow in the order written.
    fn rotate<'a>(&'a self, order: &mut Vec<&'a Member>) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let total: u64 = self.members.iter().map(|member| u64::from(member.weight)).sum();
        let mut left = turn % total.max(1);
        for at in 0..order.len() {
            let weight = u64::from(order[at].weight);
            if left < weight {
                let first = order.remove(at);
                order.insert(0, first);
                return;
            }
            left -= weight;
        }
    }

    async fn ask(&self, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        let known = self.spec.operation(&call.operation).map(may_act_at_several);
        let Some(anywhere) = known else {
            let unknown =
                Fault::new(Kind::Invalid, Landed::No, "not an operation of every member of the group");
            return Err(unknown.with("operation", &*call.operation));
        };
        match self.pick {
            Pick::Hedged { after } if anywhere => self.race(ctx, &call, after).await,
            _ => self.one_by_one(ctx, &call, anywhere).await,
        }
    }

    async fn one_by_one(&self, ctx: &Ctx, call: &Call, anywhere: bool) -> Result<Reply, Fault> {
        let (mut attempts, mut landed, mut acted) = (0, Landed::No, None);
        let mut told: Option<Fault> = None;
        let witness = ctx.witness.as_deref().filter(|_| !anywhere);
        for member in self.order(witness.map(Witness::first)) {
            let fault = match self.ask_one(ctx, call, member, witness).await {
                Ok(reply) => return Ok(Reply { attempts: attempts + reply.attempts, ..reply }),
                Err(fault) => fault,
            };
            attempts += fault.attempts;
            landed = worse(landed, fault.landed);
            acted = fault.member.clone().filter(|_| !anywhere).or(acted);
            let stop = !may_move_on(&fault, anywhere);
            told = Some(told.map_or_else(|| fault.clone(), |before| together(before, &fault)));
            if stop || ctx.remaining().is_some_and(|left| left.is_zero()) {
                break;
            }
        }
        let none = || Fault::new(Kind::Unavailable, Landed::No, "no member of the group was asked");
        Err(Fault { attempts, landed, member: acted, ..told.unwrap_or_else(none) })
    }

    /// Asks a member, after it is written down that it is asked.
    async fn ask_one(
        &self,
        ctx: &Ctx,
        call: &Call,
        member: &Member,
        witness: Option<&dyn Witness>,
    ) -> Result<Reply, Fault> {
        if let Some(witness) = witness.filter(|witness| *witness.first() != **member.name()) {
            witness.next(member.name()).await?;
        }
        member.call(ctx, call, &*self.clock).await
    }

    async fn race(&self, ctx: &Ctx, call: &Call, after: Duration) -> Result<Reply, Fault> {
        let order = self.order(None);
        let home: Vec<AtomicBool> = order.iter().map(|_| AtomicBool::new(false)).collect();
        let mut asked = order.iter().zip(&home).enumerate();
        let next = || {
            let (at, (member, home)) = asked.next()?;
            Some(async move {
                let result = member.call(ctx, call, &*self.clock).await;
                home.store(true, Ordering::Relaxed);
                result.map(|reply| (at, reply))
            })
        };
        let raced = hedge::race(after, next, |fault| may_move_on(fault, true)).await;
        let (winner, reply) = raced.map_err(|fault| Fault { member: None, ..fault })?;
        let before = order.iter().zip(&home).take(winner);
        let overtaken = before.filter(|(_, home)| !home.load(Ordering::Relaxed));
        overtaken.for_each(|(member, _)| member.standing.slip());
        Ok(reply)
    }
}

/// What a group called `name` could do: what all of its members can, each operation as safe to repeat as with the least
/// safe of them.
///
/// An operation that all members repeat safely under its key is one that must never be repeated through a group of
/// several, because another member does not know the key; whoever knows which member acted may repeat it at that one.
/// An operation is undone by another when every member says so.
///
/// # Errors
/// What is wrong with the members or the weights; reads after a colon.
pub fn check<'a>(
    name: &str,
    members: impl IntoIterator<Item = &'a Spec>,
    pick: &Pick,
) -> Result<Spec, String> {
    let members: Vec<&Spec> = members.into_iter().collect();
    weights(pick, members.len())?;
    spec::of(name, &members)
}

/// Whether another member may be asked after this fault.
fn may_move_on(fault: &Fault, anywhere: bool) -> bool {
    let there = fault.kind.may_pass() || fault.kind == Kind::Unauthorised || fault.rejection.is_some();
    there && (fault.landed == Landed::No || anywhere)
}

/// Whether it does no harm when more than one member acts: repeating is safe, and there is nothing to undo at each.
pub(crate) fn may_act_at_several(operation: &Operation) -> bool {
    operation.repeat == Repeat::Safe && operation.undo.is_none()
}

/// The fault that tells more: the later one, unless it only says that a guard kept the call in. The earliest time to
/// come back is the group's.
fn together(before: Fault, fault: &Fault) -> Fault {
    let retry_after = match (before.retry_after, fault.retry_after) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let told = if fault.rejection.is_some() { before } else { fault.clone() };
    Fault { retry_after, ..told }
}

fn weights(pick: &Pick, members: usize) -> Result<Vec<u32>, String> {
    match pick {
        Pick::Weighted(weights) if weights.len() != members => {
            Err(format!("{} weights for {members} members; one each", weights.len()))
        }
        Pick::Weighted(weights) if weights.iter().all(|weight| *weight == 0) => {
            Err("all weights are 0; at least one member must be asked".into())
        }
        Pick::Weighted(weights) => Ok(weights.clone()),
        Pick::Failover | Pick::RoundRobin | Pick::Fastest | Pick::Hedged { .. } => Ok(vec![1; members]),
    }
}

impl Link for Group {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(self.ask(ctx, call))
    }

    /// A group is well as long as one of its members is.
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async {
            let mut told = Err(Fault::new(Kind::Unavailable, Landed::No, "no member of the group was asked"));
            for member in &self.members {
                told = member.probe(ctx).await;
                if told.is_ok() {
                    break;
                }
            }
            told
        })
    }

    /// Its members are systems of their own: whoever closes those closes all that a group holds.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn outlook(&self, operation: &str, tenant: &str) -> Outlook {
        let each = self.members.iter().map(|member| member.outlook(operation, tenant));
        each.reduce(Outlook::or).unwrap_or(Outlook::Open)
    }

    fn limit(&self, operation: &str) -> Option<Duration> {
        self.members.iter().map(|member| member.limit(operation)).sum()
    }

    fn first_asked(&self, operation: &str) -> Option<Arc<str>> {
        let one = self.spec.operation(operation).is_some_and(|known| !may_act_at_several(known));
        let chosen = (one && self.members.len() > 1).then(|| self.order(None))?;
        chosen.first().map(|member| Arc::clone(member.name()))
    }
}
