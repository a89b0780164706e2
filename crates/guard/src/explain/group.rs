//! What a call of a group can cost at worst: every member is asked, and each has its worst day.

use std::fmt;
use std::time::Duration;

use port::Operation;

use super::{Explanation, human};
use crate::group::{Pick, may_act_at_several};

/// What a call of a group can cost at worst. Its `Display` is the text for a terminal, without colour; what it costs at
/// each member follows by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupExplanation {
    /// `group.operation`.
    pub call: String,
    /// Who is asked first, in words.
    pub order: String,
    /// When the next member is asked, in words.
    pub moves_on: &'static str,
    /// What the call costs at each member, in the order written.
    pub members: Vec<Explanation>,
    /// How often the call is sent at most, by all members together.
    pub most_attempts: u32,
    /// How long the call can take at most.
    pub longest: Duration,
}

/// Explains a call that a group makes through `members`; `operation` is the group's, not the members'.
pub fn explain_group(
    call: &str,
    pick: &Pick,
    operation: &Operation,
    members: Vec<Explanation>,
) -> GroupExplanation {
    let anywhere = may_act_at_several(operation);
    let longest = match pick {
        Pick::Hedged { after } if anywhere => {
            // The order changes with how they do, so that the slowest may be the last.
            let slowest = members.iter().map(|member| member.longest).max().unwrap_or_default();
            (1..members.len()).fold(slowest, |longest, _| longest + *after)
        }
        _ => members.iter().map(|member| member.longest).sum(),
    };
    GroupExplanation {
        call: call.to_owned(),
        order: order(pick, &members),
        moves_on: moves_on(anywhere),
        most_attempts: members.iter().fold(0, |sum, member| sum.saturating_add(member.most_attempts)),
        longest,
        members,
    }
}

fn order(pick: &Pick, members: &[Explanation]) -> String {
    match pick {
        Pick::Failover => "failover: the first that answers, in this order".to_owned(),
        Pick::RoundRobin => "round_robin: each in turn, then the others in this order".to_owned(),
        Pick::Fastest => "fastest: the one that answered fastest lately, then the others".to_owned(),
        Pick::Hedged { after } => {
            let after = human(*after);
            format!("hedged: in this order, a safe call also of the next without an answer within {after}")
        }
        Pick::Weighted(weights) => {
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let share =
                |(weight, member): (&u32, &Explanation)| format!("{weight} of {total} {}", member.call);
            let shares: Vec<String> = weights.iter().zip(members).map(share).collect();
            format!("weighted: {}, then the others in this order", shares.join(", "))
        }
    }
}

fn moves_on(anywhere: bool) -> &'static str {
    match anywhere {
        true => "the next member is asked after any passing fault, because repeating it changes nothing",
        false => {
            "the next member is asked only when it certainly did not land: no other member would know its key"
        }
    }
}

impl fmt::Display for GroupExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.call)?;
        writeln!(f, "  {}", self.order)?;
        let width = self.members.iter().map(|member| member.call.len()).max().unwrap_or_default();
        for (member, place) in self.members.iter().zip(1..) {
            let (call, most, longest) = (&member.call, member.most_attempts, human(member.longest));
            writeln!(f, "  {place}  {call:width$}  at most {most} times, {longest}")?;
        }
        let (most, longest) = (self.most_attempts, human(self.longest));
        writeln!(f, "\nsent at most {most} times by all of them, takes at most {longest}")?;
        writeln!(f, "{}", self.moves_on)
    }
}
