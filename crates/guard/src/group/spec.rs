//! What a group can do, from what its members can do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use port::{Operation, Repeat, Spec};
use schema::Schema;

/// What a group called `name` can do.
pub(super) fn of(name: &str, members: &[&Spec]) -> Result<Spec, String> {
    if members.is_empty() {
        return Err("a group needs at least one member".into());
    }
    let mut operations = shared(members);
    if operations.is_empty() {
        return Err(
            "its members have no operation in common; a group can do what each of them can, by the same name"
                .into(),
        );
    }
    if members.len() > 1 {
        let names: BTreeSet<_> = operations.iter().map(|operation| Arc::clone(&operation.name)).collect();
        operations.iter_mut().for_each(|operation| of_several(operation, &names));
    }
    Ok(Spec { system: name.into(), adapter: "group", version: "1.0.0", operations, probe_every: None })
}

/// Members do not know each other's keys; and what undoes must be there at whichever member has acted.
fn of_several(operation: &mut Operation, names: &BTreeSet<Arc<str>>) {
    operation.undo.take_if(|undo| !names.contains(undo));
    if operation.repeat == Repeat::Keyed {
        operation.repeat = Repeat::Never;
    }
}

/// What all members can do, by name.
fn shared(members: &[&Spec]) -> Vec<Operation> {
    let mut shared: BTreeMap<Arc<str>, (Operation, usize)> = BTreeMap::new();
    for operation in members.iter().flat_map(|member| &member.operations) {
        let known = shared.entry(Arc::clone(&operation.name)).or_insert_with(|| (operation.clone(), 0));
        merge(&mut known.0, operation);
        known.1 += 1;
    }
    shared.into_values().filter(|(_, by)| *by == members.len()).map(|(operation, _)| operation).collect()
}

/// Members that do not say the same of their inputs or answers promise nothing together.
fn merge(known: &mut Operation, operation: &Operation) {
    known.repeat = least_safe(known.repeat, operation.repeat);
    let same = |one: &mut Schema, other: &Schema| {
        if one != other {
            *one = Schema::any();
        }
    };
    same(&mut known.input, &operation.input);
    same(&mut known.output, &operation.output);
    known.may_be_silent |= operation.may_be_silent;
    if known.undo != operation.undo {
        known.undo = None;
    }
    if known.verify != operation.verify {
        known.verify = None;
    }
    known.settles_within = known.settles_within.max(operation.settles_within);
    known.in_progress_until = known.in_progress_until.max(operation.in_progress_until);
}

fn least_safe(one: Repeat, other: Repeat) -> Repeat {
    match (one, other) {
        (Repeat::Never, _) | (_, Repeat::Never) => Repeat::Never,
        (Repeat::Keyed, _) | (_, Repeat::Keyed) => Repeat::Keyed,
        (Repeat::Safe, Repeat::Safe) => Repeat::Safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str, repeat: Repeat, undo: Option<&str>, output: Schema) -> Operation {
        let undo = undo.map(Into::into);
        Operation { undo, output, ..Operation::new(name, repeat) }
    }

    fn member(name: &str, operations: Vec<Operation>) -> Spec {
        Spec { system: name.into(), adapter: "rest", version: "1.0.0", operations, probe_every: None }
    }

    fn stripe() -> Spec {
        let text = Schema::compile(&serde_json::json!({ "type": "string" })).unwrap();
        let operations = vec![
            operation("charge", Repeat::Keyed, Some("refund"), text.clone()),
            operation("find", Repeat::Safe, None, text.clone()),
            operation("refund", Repeat::Safe, None, text),
        ];
        member("stripe", operations)
    }

    #[test]
    fn a_group_of_several_repeats_nothing_under_a_key_and_undoes_what_every_member_can() {
        let mut adyen = stripe();
        adyen.operations[1].output = Schema::any();
        let spec = of("payments", &[&stripe(), &adyen]).unwrap();
        let told: Vec<_> =
            spec.operations.iter().map(|known| (&*known.name, known.repeat, known.undo.clone())).collect();
        let undo = Some("refund".into());
        assert_eq!(told[..2], [("charge", Repeat::Never, undo), ("find", Repeat::Safe, None)]);
        assert_eq!(spec.operation("find").unwrap().output, Schema::any(), "they do not promise the same");
        assert_ne!(spec.operation("charge").unwrap().output, Schema::any());
    }

    #[test]
    fn what_one_member_cannot_undo_or_undoes_otherwise_the_group_does_not_undo() {
        let mut without = stripe();
        without.operations.truncate(2);
        let mut otherwise = stripe();
        otherwise.operations[0].undo = Some("find".into());
        for adyen in [without, otherwise] {
            let spec = of("payments", &[&stripe(), &adyen]).unwrap();
            assert_eq!(spec.operation("charge").unwrap().undo, None);
        }
    }

    #[test]
    fn a_group_of_one_is_that_one() {
        assert_eq!(of("payments", &[&stripe()]).unwrap().operations, stripe().operations);
    }

    #[test]
    fn members_with_nothing_in_common_are_no_group() {
        let other = member("fax", vec![operation("send", Repeat::Never, None, Schema::any())]);
        let none = of("payments", &[&stripe(), &other]).unwrap_err();
        assert!(none.starts_with("its members have no operation in common"), "{none}");
    }
}
