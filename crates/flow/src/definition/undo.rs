//! What undoes a step is said once, at its operation: a step that says nothing is undone by the operation's `undo`, if its
//! input is plain. Where it is not, the author is told.
//!
//! What is derived is written into the flow before it is compiled, so that runs pin it like everything else.

use diag::{Diagnostic, Entry, Node, Tree};
use expr::Ty;

use super::known::{Known, KnownOperation};

/// The flow with the `compensate` that its steps left to their operations, and where that could not be derived.
pub(super) fn with_defaults(flow: Node, known: &Known) -> (Node, Vec<Diagnostic>) {
    let mut writer = Writer { known, found: Vec::new() };
    let mut flow = flow;
    if let Some(tasks) = entry(&mut flow, "do") {
        writer.block(tasks);
    }
    (flow, writer.found)
}

struct Writer<'k> {
    known: &'k Known,
    found: Vec<Diagnostic>,
}

impl Writer<'_> {
    fn block(&mut self, tasks: &mut Node) {
        let Tree::List(items) = &mut tasks.tree else { return };
        for item in items {
            match &mut item.tree {
                Tree::Map(entries) if is_named(entries) => {
                    let named = &mut entries[0];
                    self.task(Some(&named.key), &mut named.value);
                }
                _ => self.task(None, item),
            }
        }
    }

    fn task(&mut self, name: Option<&str>, task: &mut Node) {
        for inner in ["do", "else", "try"] {
            if let Some(block) = entry(task, inner) {
                self.block(block);
            }
        }
        if let Some(block) = entry(task, "catch").and_then(|catch| entry(catch, "do")) {
            self.block(block);
        }
        if let Some(Tree::List(cases)) = entry(task, "switch").map(|cases| &mut cases.tree) {
            cases.iter_mut().filter_map(|case| entry(case, "do")).for_each(|block| self.block(block));
        }
        if let Some(Tree::Map(branches)) = entry(task, "fork").map(|branches| &mut branches.tree) {
            branches.iter_mut().for_each(|branch| self.block(&mut branch.value));
        }
        self.undo(name, task);
    }

    fn undo(&mut self, name: Option<&str>, task: &mut Node) {
        let target = task.get("call").or_else(|| task.get("tell"));
        let (Some(target), None) = (target, task.get("compensate")) else { return };
        let Some((system, operation)) = target.text().and_then(|text| text.split_once('.')) else { return };
        let Some(known) = self.known.operation(system, operation) else { return };
        let Some(undo) = known.undo.as_deref() else { return };
        let Some(undoing) = self.known.operation(system, undo) else { return };
        let (call, span) = (format!("{system}.{undo}"), target.span.clone());
        match input(task, known, undoing) {
            Ok(input) => {
                let value = serde_json::json!({ "call": call, "with": input });
                let value = placed(Node::from_json(&value), &span);
                if let Tree::Map(entries) = &mut task.tree {
                    entries.push(Entry { key: "compensate".to_owned(), key_span: span, value });
                }
            }
            Err(members) => {
                let step = name.map_or_else(|| "the step".to_owned(), |name| format!("step `{name}`"));
                let said = format!(
                    "{step} does not say how it is undone, and `{system}.{operation}` declares the undo `{undo}`"
                );
                let help = format!(
                    "write `compensate: {{ call: {call}, with: {{ {members} }} }}`, or `compensate: none`"
                );
                self.found.push(Diagnostic::warning("FLOW016", &span, said).help(help));
            }
        }
    }
}

/// The undo's input: each member that it needs is one of the step's output, or of its input where that never changes. Else
/// how such an input would be written.
fn input(task: &Node, done: &KnownOperation, undo: &KnownOperation) -> Result<serde_json::Value, String> {
    let needed: Vec<&str> = undo.input.required().collect();
    let derived = |member: &str| of_output(task, done, member).or_else(|| of_input(task, member));
    let members: Option<serde_json::Map<_, _>> =
        needed.iter().map(|member| Some(((*member).to_owned(), derived(member)?))).collect();
    match members {
        Some(members) if !members.is_empty() => Ok(members.into()),
        _ if needed.is_empty() => Err("…".to_owned()),
        _ => Err(needed.iter().map(|member| format!("{member}: …")).collect::<Vec<_>>().join(", ")),
    }
}

fn of_output(task: &Node, done: &KnownOperation, member: &str) -> Option<serde_json::Value> {
    let known = matches!(&done.output, Ty::Map { fields, .. } if fields.contains_key(member));
    (known && task.get("call").is_some() && is_name(member)).then(|| format!("${{ result.{member} }}").into())
}

/// What is written for a member of the step's input, when it is the same at any time: a plain value, or a path of a name
/// that no step changes.
fn of_input(task: &Node, member: &str) -> Option<serde_json::Value> {
    let written = task.get("with")?.get(member)?;
    let item = task.get("for").map(|each| each.get("each").and_then(Node::text).unwrap_or("item"));
    let stays = match &written.tree {
        Tree::Bool(_) | Tree::Number(_) => true,
        Tree::Text(text) if !text.contains("${") => true,
        Tree::Text(text) => is_path(text, item),
        Tree::Null | Tree::List(_) | Tree::Map(_) => false,
    };
    stays.then(|| written.to_json())
}

fn is_path(text: &str, item: Option<&str>) -> bool {
    let inner = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(mut names) = inner.map(|inner| inner.trim().split('.')) else { return false };
    let root = names.next().unwrap_or_default();
    let lasting = ["entity", "act", "input", "run"].contains(&root) || Some(root) == item;
    lasting && names.all(is_name)
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `name: { … }` rather than a task itself.
fn is_named(entries: &[Entry]) -> bool {
    let [entry] = entries else { return false };
    matches!(entry.value.tree, Tree::Map(_)) && !super::task::is_verb(&entry.key)
}

fn entry<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Tree::Map(entries) = &mut node.tree else { return None };
    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
}

/// What is derived stands where the operation is named, for what is wrong with it.
fn placed(mut node: Node, span: &diag::Span) -> Node {
    node.span = span.clone();
    match node.tree {
        Tree::Map(entries) => {
            let place =
                |entry: Entry| Entry { key_span: span.clone(), value: placed(entry.value, span), ..entry };
            Node { tree: Tree::Map(entries.into_iter().map(place).collect()), span: node.span }
        }
        tree => Node { tree, span: node.span },
    }
}
