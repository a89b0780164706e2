//! Random flows over all causes of effects.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::switches::is_on;
use crate::world::{GROUP, SYSTEMS};

/// What can be generated beside plain calls.
pub(crate) const CAUSES: [&str; 13] = [
    "tell", "child", "loop", "fork", "race", "try", "ask", "confirm", "listen", "wait", "publish", "emit",
    "fault",
];

/// The flows of one case, and what the oracle must know of their steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flows {
    /// Each flow by its name, as it would be written.
    pub(crate) text: BTreeMap<String, Value>,
    /// The same flows, as they are deployed later.
    pub(crate) next: BTreeMap<String, Value>,
    /// The steps that act, of both.
    pub(crate) steps: BTreeMap<String, Step>,
    /// What the steps that wait for somebody wait for.
    pub(crate) waits: BTreeMap<String, Wait>,
}

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    Answer,
    Signal,
    Topic,
}

/// What is known of a step that acts.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Whether it says how it is undone.
    pub(crate) undo: bool,
    /// The system whose lane its message waits in, when it tells one.
    pub(crate) tells: Option<&'static str>,
}

impl Flows {
    /// As they would be written, one a line.
    pub(crate) fn shown(&self) -> String {
        let shown = |(name, flow): (&String, &Value)| format!("{name}: {flow}\n");
        self.text
            .iter()
            .map(shown)
            .chain(["later:\n".to_owned()])
            .chain(self.next.iter().map(shown))
            .collect()
    }

    pub(crate) fn random(dice: &mut Dice) -> Self {
        let causes = CAUSES.into_iter().filter(|cause| is_on(cause));
        let mut writer =
            Writer { causes: causes.collect(), dice, flows: Self::default(), next: 0, budget: 0 };
        writer.flows.text = writer.version();
        writer.flows.next = writer.version();
        writer.flows
    }
}

struct Writer<'a> {
    causes: Vec<&'static str>,
    dice: &'a mut Dice,
    flows: Flows,
    next: u32,
    /// How many more effects there may be.
    budget: u32,
}

impl Writer<'_> {
    fn version(&mut self) -> BTreeMap<String, Value> {
        self.budget = 8;
        let grandchild = self.flow("grandchild", 1, &[]);
        let child = self.flow("child", 2, &["grandchild"]);
        self.budget = 12;
        let main = self.flow("main", 3, &["child", "grandchild"]);
        [("grandchild", grandchild), ("child", child), ("main", main)]
            .map(|(name, flow)| (name.to_owned(), flow))
            .into()
    }

    fn flow(&mut self, name: &str, depth: u32, children: &[&str]) -> Value {
        let mut tasks = self.block(depth, &[], children);
        if name == "main" {
            tasks.extend(self.block(depth, &[], children));
        }
        if self.dice.percent(30) {
            tasks.push(json!({ "raise": { "code": "no", "message": "it is not to be" } }));
        }
        let mut flow = json!({ "do": tasks });
        if name == "main" && self.dice.percent(40) {
            flow["key"] = json!("${ entity.order }");
            let busy = ["wait", "wait", "reject", "signal", "cancel"];
            flow["busy"] = json!(if is_on("busy") { *self.dice.pick(&busy) } else { "wait" });
        }
        if self.dice.percent(40) {
            flow["on_exhausted"] = json!("compensate");
        }
        if self.dice.percent(20) {
            flow["on_fault"] = json!("compensate");
        }
        flow
    }

    fn block(&mut self, depth: u32, vars: &[String], children: &[&str]) -> Vec<Value> {
        let tasks = 1 + self.dice.below(if depth > 1 { 3 } else { 2 });
        (0..tasks).map(|_| self.task(depth, vars, children)).collect()
    }

    fn task(&mut self, depth: u32, vars: &[String], children: &[&str]) -> Value {
        let mut cause = *self.dice.pick(&self.causes.clone());
        let nests = matches!(cause, "loop" | "fork" | "race" | "try");
        if (nests && depth == 0) || self.dice.percent(45) {
            cause = "call";
        }
        if cause == "child" && children.is_empty() {
            cause = "call";
        }
        self.next += 1;
        let n = self.next;
        match cause {
            "tell" => self.effect("tell", vars),
            "child" => json!({ format!("c{n}"): { "run": *self.dice.pick(children) } }),
            "loop" => self.each(n, depth, vars, children),
            "fork" | "race" => self.fork(n, cause == "race", depth, vars, children),
            "try" => self.attempt(n, depth, vars, children),
            "ask" => self.waiting(
                n,
                Wait::Answer,
                json!({ "ask": { "prompt": "Which?", "field": "colour" }, "timeout": "90s" }),
            ),
            "confirm" => {
                self.waiting(n, Wait::Answer, json!({ "confirm": { "summary": "Sure?" }, "timeout": "90s" }))
            }
            "listen" if self.dice.percent(50) => {
                self.waiting(n, Wait::Signal, json!({ "listen": { "signal": "go" }, "timeout": "120s" }))
            }
            "listen" => {
                self.waiting(n, Wait::Topic, json!({ "listen": { "topic": "news" }, "timeout": "120s" }))
            }
            "wait" => json!({ format!("w{n}"): { "wait": format!("{}s", 1 + self.dice.below(40)) } }),
            "publish" => json!({ format!("p{n}"): { "publish": "news", "with": { "n": n } } }),
            "emit" => {
                json!({ format!("e{n}"): { "emit": { "type": "fact", "entity": "order-1", "field": "n", "value": n } } })
            }
            // The entity has no such member: the fault is ours.
            "fault" => json!({ "set": { "x": "${ entity.nothing.there }" } }),
            _ => self.effect("call", vars),
        }
    }

    fn waiting(&mut self, n: u32, wait: Wait, mut task: Value) -> Value {
        self.flows.waits.insert(format!("q{n}"), wait);
        if self.dice.percent(60) {
            task["on_timeout"] = json!("continue");
        }
        json!({ format!("q{n}"): task })
    }

    fn each(&mut self, n: u32, depth: u32, vars: &[String], children: &[&str]) -> Value {
        let name = format!("i{n}");
        let inner = [vars, std::slice::from_ref(&name)].concat();
        let tasks = self.block(depth - 1, &inner, children);
        json!({ format!("f{n}"): { "for": { "each": name, "in": [0, 1] }, "do": tasks } })
    }

    fn fork(&mut self, n: u32, race: bool, depth: u32, vars: &[String], children: &[&str]) -> Value {
        let branches =
            ["a", "b"].map(|name| (format!("{name}{n}"), json!(self.block(depth - 1, vars, children))));
        let branches: serde_json::Map<String, Value> = branches.into_iter().collect();
        let mut task = json!({ "fork": branches, "race": race });
        if race {
            task["race"] = json!(*self.dice.pick(&["first", "success"]));
            if is_on("keep") && self.dice.percent(25) {
                task["losers"] = json!("keep");
            }
        }
        json!({ format!("k{n}"): task })
    }

    fn attempt(&mut self, n: u32, depth: u32, vars: &[String], children: &[&str]) -> Value {
        let mut tasks = self.block(depth - 1, vars, children);
        if self.dice.percent(25) {
            tasks.push(json!({ "raise": { "code": "no", "message": "not this way" } }));
        }
        let mut task = json!({ "try": tasks });
        if self.dice.percent(40) {
            task["retry"] = json!({ "attempts": 2, "wait": "2s" });
        }
        if self.dice.percent(70) {
            task["catch"] = json!({ "do": self.block(0, vars, &[]), "compensate": self.dice.percent(60) });
        }
        json!({ format!("t{n}"): task })
    }

    fn effect(&mut self, verb: &str, vars: &[String]) -> Value {
        if self.budget == 0 {
            return json!({ format!("w{}", self.next): { "wait": "1s" } });
        }
        self.budget -= 1;
        let mut system = *self.dice.pick(&SYSTEMS);
        // Nobody would hear which member of a group took what it was told.
        if verb == "call" && self.dice.percent(20) {
            system = GROUP;
        }
        if !is_on(system) {
            system = "keyed";
        }
        let name = format!("s{}", self.next);
        let mut mark = format!("${{ run.id }}/{name}");
        for var in vars {
            mark.push_str(&format!("/${{ {var} }}"));
        }
        let with = json!({ "id": mark });
        let mut task = json!({ verb: format!("{system}.put"), "with": with });
        let undo = self.dice.percent(85);
        if undo {
            let by_result = verb == "call" && self.dice.percent(35);
            let with = if by_result { json!({ "id": "${ result.id }" }) } else { with.clone() };
            task["compensate"] = json!({ "call": format!("{system}.drop"), "with": with, "timeout": "10s" });
        } else {
            task["compensate"] = json!("none");
        }
        if verb == "call" {
            task["timeout"] = json!("10s");
            if self.dice.percent(50) {
                task["retry"] = json!({ "attempts": 1 + self.dice.below(4), "wait": "2s" });
            }
            if self.dice.percent(55) {
                task["verify"] = json!({ "call": format!("{system}.find"), "with": with });
                if self.dice.percent(25) {
                    task["verify"]["not_found"] = json!("send");
                }
            }
        }
        self.flows.steps.insert(name.clone(), Step { undo, tells: (verb == "tell").then_some(system) });
        json!({ name: task })
    }
}
