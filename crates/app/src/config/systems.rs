//! `systems`: what can be called, through which adapter, under which guard.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use adapters::{Kind, Kinds};
use diag::{Diagnostic, Field, Node, Shape, Span};
use guard::batch::Collect;
use guard::{Policies, Policy};
use port::{Spec, normalised};

use super::judge::{Judge, unknown};
use super::profiles::{Profiles, conflicts};
use super::shape::named;
use super::{batches, code, groups, guard as numbers};

/// One system that can be called.
#[derive(Clone, Debug)]
pub struct System {
    /// The name as it was written.
    pub name: String,
    /// The profile it starts from.
    pub profile: String,
    /// The profile's numbers, where those of the guard start.
    pub base: Policy,
    /// The numbers of its guard: the profile's, changed by `guard:`; and of the operations that differ.
    pub policies: Policies,
    /// The operations whose calls are collected, and how.
    pub batches: BTreeMap<Arc<str>, Collect>,
    /// The kind of adapter.
    pub kind: Kind,
    /// The adapter's section.
    pub section: Node,
    /// What it can do.
    pub spec: Spec,
}

impl System {
    /// The policies that say something about a call, from the most general to the most particular, each complete:
    /// what [`guard::explain`] wants. The last is in force.
    pub fn layers(&self, operation: &str) -> Vec<(String, &Policy)> {
        let mut layers = vec![
            (format!("profile {}", self.profile), &self.base),
            (format!("system {}", self.name), &self.policies.system),
        ];
        let own = self.policies.operations.get(operation);
        layers.extend(own.map(|policy| (format!("operation {}.{operation}", self.name), policy)));
        layers
    }
}

pub(super) fn shape(known: &Kinds) -> Shape {
    let kinds = || known.iter();
    let operations = Shape::map("operation", Shape::object(numbers::fields()).with([batches::field()]));
    let guard = Shape::object(numbers::fields())
        .with([Field::new("operations", operations).doc("guard numbers of single operations that differ")]);
    let fields = [
        Field::new("profile", Shape::text()).default("default").doc("the guard numbers to start from"),
        Field::new("guard", guard).doc(
            "guard numbers that differ from the profile's; [every default](../../crates/guard/README.md)",
        ),
    ];
    let adapters = kinds().map(|kind| Field::new(kind.name, (kind.shape)()));
    let ways = kinds().map(|kind| kind.name).chain([groups::KEY]);
    named("system", Shape::object(fields).with(adapters).with([groups::field()]).exactly_one_of(ways))
}

pub(super) fn read(judge: &mut Judge<'_>, profiles: &Profiles, kinds: &Kinds) -> BTreeMap<String, System> {
    let mut systems = BTreeMap::new();
    let mut first: HashMap<String, &str> = HashMap::new();
    for entry in judge.names("systems") {
        let name = normalised(&entry.key);
        if let Some(earlier) = first.insert(name.clone(), &entry.key) {
            let message = format!("`{}` and `{earlier}` are one name: `-` counts as `_`", entry.key);
            judge.push(
                Diagnostic::error(code::SAME_NAME, &entry.key_span, message).help("choose another name"),
            );
        }
        if groups::is_group(&entry.value) {
            continue;
        }
        let system = system(judge, (profiles, kinds), &entry.key, &entry.value, &entry.key_span);
        systems.extend(system.map(|system| (name, system)));
    }
    systems
}

fn system(
    judge: &mut Judge<'_>,
    (profiles, kinds): (&Profiles, &Kinds),
    name: &str,
    node: &Node,
    here: &Span,
) -> Option<System> {
    let (profile, place) = match node.get("profile") {
        Some(profile) => (profile.text().unwrap_or("default"), &profile.span),
        None => ("default", here),
    };
    let base = profiles.find(judge, profile, place);
    let (kind, written) = node.entries().iter().find_map(|entry| Some((*kinds.find(&entry.key)?, entry)))?;
    let section = &written.value;
    if judge.is_sound(&written.key_span, section) {
        judge.found.extend((kind.check)(name, section));
    }
    let spec = (kind.spec)(name, section);
    let policies = policies(judge, (profile, base.clone()), node, spec.as_ref());
    let spec = spec?;
    let batches = node.get("guard").map(|guard| batches::read(judge, guard, &spec)).unwrap_or_default();
    Some(System {
        name: name.to_owned(),
        profile: profile.to_owned(),
        base,
        policies,
        batches,
        kind,
        section: section.clone(),
        spec,
    })
}

/// The profile's numbers, changed for the system, and those changed again for single operations.
fn policies(
    judge: &mut Judge<'_>,
    (profile, base): (&str, Policy),
    node: &Node,
    spec: Option<&Spec>,
) -> Policies {
    let mut policies = Policies::from(base);
    let Some(guard) = node.entries().iter().find(|entry| entry.key == "guard") else { return policies };
    numbers::apply(&mut policies.system, &guard.value);
    let from = format!("the profile {profile}");
    conflicts(judge, &policies.system, &guard.value, &guard.key_span, &from);
    for entry in guard.value.get("operations").map_or(&[][..], Node::entries) {
        let mut policy = policies.system.clone();
        numbers::apply(&mut policy, &entry.value);
        conflicts(judge, &policy, &entry.value, &entry.key_span, "the system's guard");
        if policy.retry.budget != policies.system.retry.budget {
            let place = entry.value.at("/retry/budget").map_or(&entry.key_span, |budget| &budget.span);
            let found =
                Diagnostic::error(code::GUARD_CONFLICT, place, "an operation has no budget of its own");
            judge.push(found.help("all operations of a system share one: write it in the system's `guard:`"));
        }
        if let Some(spec) = spec.filter(|spec| spec.operation(&entry.key).is_none()) {
            let known = spec.operations.iter().map(|operation| &*operation.name);
            judge.push(unknown(code::NO_SUCH_OPERATION, &entry.key_span, "operation", &entry.key, known));
        }
        policies.operations.insert(entry.key.as_str().into(), policy);
    }
    policies
}
