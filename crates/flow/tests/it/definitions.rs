//! Bad definitions, each with everything that is wrong with it.

use expect_test::{Expect, expect};

use crate::world::known;

fn check(text: &str, wanted: Expect) {
    check_among(&known(), text, wanted);
}

fn check_among(known: &flow::Known, text: &str, wanted: Expect) {
    let node = diag::parse("flows.yaml", text).unwrap();
    let (_, found) = flow::compile("main", &node, known);
    let lines: Vec<String> = found
        .iter()
        .map(|found| {
            format!(
                "{} {}:{} {} ({})",
                found.code,
                found.span.line,
                found.span.column,
                found.message,
                found.help.join("; ")
            )
        })
        .collect();
    wanted.assert_eq(&lines.join("\n"));
}

#[test]
fn unknown_operations_have_a_nearest_name() {
    check(
        "do:\n  - call: payments.chrage\n  - call: paymnts.charge\n  - run: mian\n",
        expect![[r#"
        FLOW004 2:11 unknown operation of `payments`: `chrage` (did you mean `charge`?)
        FLOW004 3:11 unknown system `paymnts` (did you mean `payments`?)
        FLOW005 4:10 unknown flow `mian` (did you mean `main`?)"#]],
    );
}

#[test]
fn unreachable_steps_and_cases() {
    check(
        "do:\n  - switch:\n      - do: [{ wait: 1s }]\n      - when: entity.x\n        do: []\n  - raise: { code: a, message: b }\n  - wait: 1s\n",
        expect![[r#"
            FLOW006 4:9 this case is never reached: the one before it has no `when` (put the case without `when` last)
            FLOW006 7:5 this step is never reached: `raise_3` always ends the run (remove it, or give the step before it an `if`)"#]],
    );
}

#[test]
fn a_final_operation_without_compensation_is_a_warning() {
    check(
        "do: [{ pay: { call: payments.capture } }]",
        expect![[r#"
            FLOW030 1:21 when nobody knows whether `payments.capture` landed, nothing can find out, and a person has to decide (add `verify: { call: … }` to the operation or the step, or `verify: none`)
            FLOW016 1:21 step `pay` does not say how it is undone, and `payments.capture` declares the undo `refund` (write `compensate: { call: payments.refund, with: { … } }`, or `compensate: none`)"#]],
    );
}

#[test]
fn names_are_unique_and_known() {
    check(
        "do:\n  - a: { wait: 1s }\n  - a: { wait: soon }\n  - set: { x: \"${ steps.later.id }\" }\n  - else: []\n    do: []\n",
        expect![[r#"
            FLOW003 3:5 step `a` is there already (every step of a flow has its own name, nested ones too)
            FLOW011 3:16 `soon` is not a length of time: it does not start with a whole number (write `5s`, `2m` or `1h30m`)
            EXPR004 4:25 there is no field `later` (one of `a`)
            FLOW010 5:11 `else` without `if` (add `if: …` beside `do` and `else`)"#]],
    );
}

#[test]
fn built_in_sagas_are_right() {
    for (name, _) in flow::templates::ALL {
        check(&format!("template: {name}"), expect![[r#""#]]);
    }
}

#[test]
fn an_unnamed_step_gets_a_name_that_nobody_has() {
    check(
        "do:\n  - set: { a: 1 }\n  - set_2: { set: { b: 2 } }\n  - set: { c: \"${ steps.set_1.a + steps.set_2.b }\" }\n  - set: { d: \"${ steps.set_3.c }\" }\n",
        expect![[r#""#]],
    );
}

#[test]
fn a_template_stands_for_steps() {
    check("template: order-create\nsla: 3s\non_exhausted: fail\n", expect![[r#""#]]);
    check(
        "template: order-crate\n",
        expect!["FLOW012 1:11 unknown template `order-crate` (did you mean `order-create`?)"],
    );
    check(
        "template: order-create\ndo: []\n",
        expect!["CFG019 2:1 `do` cannot stand beside `template` (write exactly one of `do` or `template`)"],
    );
    check("sla: 3s\n", expect!["CFG018 1:1 one of `do` or `template` must be here ()"]);
}

#[test]
fn equal_content_has_an_equal_hash() {
    let hash = |text: &str| crate::world::compile("main", text).hash;
    assert_eq!(hash("{ key: a, do: [{ wait: 1s }] }"), hash("do:\n  - wait: 1s\nkey: a"));
    assert_ne!(hash("do: [{ wait: 1s }]"), hash("do: [{ wait: 2s }]"));
}

/// Equal content has an equal hash, so its unnamed steps must have equal names: effects are keyed by them.
#[tokio::test(start_paused = true)]
async fn laid_out_in_another_order_steps_keep_their_keys() {
    let (charge, create) = ("[{ call: payments.charge }]", "[{ call: orders.create }]");
    let mut keys = Vec::new();
    for branches in [format!("a: {charge}, b: {create}"), format!("b: {create}, a: {charge}")] {
        let world = crate::world::World::of(&format!("do: [{{ fork: {{ {branches} }} }}]")).await;
        world.runs(crate::world::order()).await;
        keys.push([world.ledger.keys("payments.charge"), world.ledger.keys("orders.create")]);
    }
    assert_eq!(keys[0], keys[1]);
}

/// What has the wrong shape does not hide what else is wrong, and is not the cause of further mistakes.
#[test]
fn mistakes_of_shape_and_of_expressions_are_told_together() {
    check(
        "sla: soon\ndo:\n  - pay: { cal: payments.charge, with: { amount: \"${ entity. }\" } }\n  - set: { id: \"${ steps.pay.id }\" }\n  - set: { id: \"${ steps.pey.id }\" }\n  - call: paymnts.charge\n    timeot: 1s\n",
        expect![[r#"
            CFG016 1:6 "soon" is not a duration: it does not start with a whole number (write it as 250ms, 3s, 5m, 1h or 1d)
            CFG010 3:12 unknown key `cal` (did you mean `call`?; one of `require`, `set`, `call`, `tell`, `publish`, `emit`, `ask`, `confirm`, `wait`, `listen`, `run`, `raise`, `try`, `switch`, `fork` or `do`)
            CFG010 7:5 unknown key `timeot` (did you mean `timeout`?; allowed here: `call`, `with`, `compensate`, `verify`, `expect`, `retry`, `timeout`, `on_exhausted`, `if` or `for`)
            EXPR001 3:62 the expression ends too early ()
            EXPR004 5:26 there is no field `pey` (did you mean `pay`?)
            FLOW004 6:11 unknown system `paymnts` (did you mean `payments`?)"#]],
    );
    check(
        "do:\n  - cal: payments.charge\n    if: entity.x ==\n  - switch:\n      - whn: entity.x\n        do: []\n      - when: entity.y +\n        do: []\n  - call: payments\n",
        expect![[r#"
            CFG010 2:5 unknown key `cal` (did you mean `call`?; one of `require`, `set`, `call`, `tell`, `publish`, `emit`, `ask`, `confirm`, `wait`, `listen`, `run`, `raise`, `try`, `switch`, `fork` or `do`)
            CFG010 5:9 unknown key `whn` (did you mean `when`?; allowed here: `do` or `when`)
            CFG015 9:11 "payments" is not system.operation ()
            EXPR001 3:20 the expression ends too early ()
            EXPR001 7:25 the expression ends too early ()"#]],
    );
}

#[test]
fn a_list_that_is_only_text() {
    check(
        "do:\n  - for: { in: entity.items }\n    set: { x: 1 }\n  - for: { in: 3 }\n    set: { x: 1 }\n  - for: { in: \"${ entity.items }\" }\n    set: { x: 1 }\n",
        expect![[r#"
            EXPR018 2:16 this is text, and reads like the expression `entity.items` (write `${ entity.items }` for its value, or `$${` somewhere in a text that is meant so)
            FLOW015 2:16 `for` goes over a list, not over text (write `${ entity.items }`)
            FLOW015 4:16 `for` goes over a list, not over a number (give it a list)"#]],
    );
}

/// What an operation needs is known before it is called, whichever key of a step calls it.
#[test]
fn an_input_that_cannot_fit() {
    let schema = serde_json::json!({
        "type": "object", "properties": { "id": true }, "required": ["id"], "additionalProperties": false,
    });
    let mut known = known();
    for operations in known.systems.values_mut() {
        operations.values_mut().for_each(|operation| operation.input = flow::Input::from_schema(&schema));
    }
    let step = "do:
  - a: { call: payments.charge, with: { id: 1 }, compensate: { call: payments.refund, with: { charge: 2 } } }
  - b: { call: payments.charge, compensate: { call: payments.refund, with: { id: \"${ result.id }\", why: x } } }
  - c: { tell: payments.charge, with: { order: 1, id: 2 } }
  - d: { call: payments.charge, with: { id: 1 }, compensate: none, verify: { call: payments.find, with: { key: 1 } } }
  - e: { call: payments.charge, with: \"${ entity }\", compensate: none }
  - f: { call: payments.charge, with: \"${ run }\", compensate: none }
";
    check_among(
        &known,
        step,
        expect![[r#"
        FLOW014 2:93 `payments.refund` needs the member `id` (write `with: { id: … }`)
        FLOW014 2:95 `payments.refund` has no place for the member `charge` (it takes `id`)
        FLOW014 3:16 `payments.charge` needs the member `id` (write `with: { id: … }`)
        FLOW014 3:100 `payments.refund` has no place for the member `why` (it takes `id`)
        FLOW014 4:41 `payments.charge` has no place for the member `order` (it takes `id`)
        FLOW014 5:105 `payments.find` needs the member `id` (write `with: { id: … }`)
        FLOW014 5:107 `payments.find` has no place for the member `key` (it takes `id`)"#]],
    );
}

/// What a declared undo needs, and what its step answers.
fn undone(needs: &[&str], answers: &[&str]) -> flow::Known {
    let mut known = known();
    let payments = known.systems.get_mut("payments").unwrap();
    let properties = |names: &[&str]| -> serde_json::Value {
        names.iter().map(|name| ((*name).to_owned(), serde_json::json!(true))).collect()
    };
    let schema = serde_json::json!({ "type": "object", "required": needs, "properties": properties(needs) });
    payments.get_mut("refund").unwrap().input = flow::Input::from_schema(&schema);
    let schema = serde_json::json!({ "type": "object", "properties": properties(answers) });
    payments.get_mut("charge").unwrap().output = expr::Ty::from_schema(&schema);
    known
}

#[test]
fn a_declared_undo_is_used_where_its_input_is_plain() {
    let nested = "do: [{ d: { do: [{ t: { try: [{ pay: { call: payments.charge, with: { order: '${ entity.id }' } } }] } }] } }]";
    check_among(&undone(&["id", "order"], &["id"]), nested, expect![""]);
    let without = "do: [{ pay: { call: payments.charge, compensate: none } }]";
    check_among(&undone(&["id"], &[]), without, expect![""]);
    let changing = "do: [{ pay: { call: payments.charge, with: { id: '${ vars.id }' } } }]";
    check_among(
        &undone(&["id"], &[]),
        changing,
        expect![
            "FLOW016 1:21 step `pay` does not say how it is undone, and `payments.charge` declares the undo `refund` (write `compensate: { call: payments.refund, with: { id: … } }`, or `compensate: none`)"
        ],
    );
}
