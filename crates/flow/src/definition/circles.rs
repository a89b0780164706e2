//! Flows that start themselves, alone or through others: by `run`, or by an emitted commit that another takes. What is
//! put together only at run time (a `system` that is an expression) is bounded there.

use std::collections::BTreeMap;

use diag::{Diagnostic, Node, Span};
use port::normalised;

use super::{Definition, Trigger};

/// What a step of a flow starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) what: Starts,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Starts {
    Flow(String),
    /// A pending commit whose system and action are written out.
    Commit {
        system: Option<String>,
        action: String,
    },
}

/// The commit that an `emit` says, as far as it is written out.
pub(super) fn commit(act: &Node) -> Option<Starts> {
    let literal = |key: &str| act.get(key).and_then(Node::text).filter(|text| !text.contains("${"));
    let pending = act.get("status").is_none() || literal("status") == Some("pending");
    if literal("type") != Some("commit") || !pending {
        return None;
    }
    let system = match act.get("system") {
        None => None,
        Some(_) => Some(literal("system")?.to_owned()),
    };
    Some(Starts::Commit { system, action: literal("action")?.to_owned() })
}

/// Every circle of flows in which none declares a bound, each once, naming the way round. `alias` gives the name of a system
/// as commits are routed.
pub fn circles(flows: &BTreeMap<String, Definition>, alias: impl Fn(&str) -> String) -> Vec<Diagnostic> {
    let mut search = Search { flows, alias: &alias, way: Vec::new(), over: Vec::new(), found: Vec::new() };
    for flow in flows.values() {
        search.enter(flow);
    }
    search.found
}

struct Search<'a> {
    flows: &'a BTreeMap<String, Definition>,
    alias: &'a dyn Fn(&str) -> String,
    /// The flows that are entered, each with the step by which it starts the next.
    way: Vec<(&'a Definition, Option<&'a Start>)>,
    over: Vec<&'a str>,
    found: Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    fn enter(&mut self, flow: &'a Definition) {
        // A flow with a bound ends every circle that it is in.
        if flow.recursion.is_some() || self.over.contains(&&*flow.name) {
            return;
        }
        if let Some(at) = self.way.iter().position(|(entered, _)| entered.name == flow.name) {
            return self.tell(at);
        }
        self.way.push((flow, None));
        for start in &flow.starts {
            if let Some(last) = self.way.last_mut() {
                last.1 = Some(start);
            }
            for next in self.started(start) {
                self.enter(next);
            }
        }
        self.way.pop();
        self.over.push(&flow.name);
    }

    fn started(&self, start: &Start) -> Vec<&'a Definition> {
        match &start.what {
            Starts::Flow(name) => self.flows.get(name).into_iter().collect(),
            Starts::Commit { system, action } => {
                let system = system.as_deref().map(|system| (self.alias)(&normalised(system)));
                let takes = |flow: &&Definition| takes(flow, system.as_deref(), action);
                self.flows.values().filter(takes).collect()
            }
        }
    }

    fn tell(&mut self, from: usize) {
        let round = &self.way[from..];
        let Some((first, Some(start))) = round.first() else { return };
        let mut way = format!("`{}`", first.name);
        for (at, (_, start)) in round.iter().enumerate() {
            let next = round.get(at + 1).map_or(&first.name, |(next, _)| &next.name);
            let verb = match start.map(|start| &start.what) {
                Some(Starts::Commit { .. }) => "emits a commit that starts",
                _ => "has a `run` of",
            };
            way += &format!(" {verb} `{next}`");
            if at + 1 < round.len() {
                way += ", which";
            }
        }
        let said = format!("the flow starts itself without end: {way}");
        let help = "declare how deep it may go, on one of them: `recursion: { depth: 5 }`";
        self.found.push(Diagnostic::error("FLOW020", &start.span, said).help(help));
    }
}

fn takes(flow: &Definition, system: Option<&str>, action: &str) -> bool {
    let Some(Trigger::Commit { system: wanted, action: wants }) = &flow.on else { return false };
    let named = wanted.as_deref().is_none_or(|wanted| system == Some(wanted));
    named && wants.as_deref().is_none_or(|wants| wants == action)
}
