//! Every expression ends soon and stays small.

use super::{compile, names, value};
use expr::{Names, Scope, Ty};
use serde_json::{Value, json};

fn code(result: Result<Value, String>) -> String {
    result.unwrap_err().split(' ').next().unwrap().to_owned()
}

fn over(source: &str, document: &Value) -> Result<Value, String> {
    let program = compile(source, &names())?;
    program.eval(&Scope::new().bind("entity", document)).map_err(|error| format!("{} {error}", error.code))
}

#[test]
fn a_loop_of_a_thousand_million_steps_stops() {
    let numbers = Value::from((0..1000).collect::<Vec<i32>>());
    for source in [
        "entity.map(a, entity.map(b, entity.map(c, a + b + c)))",
        "entity.all(a, entity.all(b, entity.all(c, a + b + c >= 0)))",
        "entity.exists(a, entity.exists(b, entity.exists(c, a + b + c < 0)))",
        "entity.filter(a, size(entity.filter(b, size(entity.filter(c, c > a)) > b)) > 0)",
    ] {
        assert_eq!(code(over(source, &numbers)), "EXPR107", "{source}");
    }
}

#[test]
fn steps_are_spent_inside_functions_too() {
    let long = json!({ "text": "x".repeat(200_000), "list": (0..20_000).collect::<Vec<i32>>() });
    for source in [
        "entity.list.map(i, size(entity.text))",
        "entity.list.map(i, entity.text + entity.text)",
        "entity.list.map(i, entity.text.contains('y'))",
        "entity.list.map(i, entity.text.matches('y+z'))",
        "entity.list.map(i, entity.text.replace('x', 'yy'))",
        "entity.list.map(i, toJson(entity.text))",
        "entity.list.map(i, sum(entity.list))",
        "entity.list.map(i, 7.5 in entity.list)",
        "entity.list.map(i, entity.list == entity.list)",
        "entity.list.map(i, entity.list + entity.list)",
    ] {
        assert_eq!(code(over(source, &long)), "EXPR107", "{source}");
    }
}

#[test]
fn the_budget_is_not_swallowed() {
    let numbers = Value::from((0..1000).collect::<Vec<i32>>());
    let bomb = "entity.map(a, entity.map(b, entity.map(c, c)))";
    assert_eq!(code(over(&format!("size({bomb}) > 0 || true"), &numbers)), "EXPR107");
    assert_eq!(code(over(&format!("coalesce({bomb}, 1)"), &numbers)), "EXPR107");
}

#[test]
fn texts_and_results_have_a_largest_size() {
    let long = json!({ "text": "x".repeat(600_000), "list": (0..100).collect::<Vec<i32>>() });
    assert_eq!(code(over("entity.text + entity.text", &long)), "EXPR108");
    assert_eq!(code(over("entity.text.replace('x', 'yy')", &long)), "EXPR108");
    assert_eq!(code(over("[entity.text, entity.text].join('')", &long)), "EXPR108");
    assert_eq!(code(over("entity.list.map(i, entity.text)", &long)), "EXPR108");
    let scope = Scope::new().bind("entity", &long);
    let twice = expr::Mapping::text("${ entity.text }${ entity.text }", &names()).unwrap();
    assert_eq!(twice.eval(&scope).unwrap_err().code, "EXPR108");
}

#[test]
fn sources_have_a_largest_size_and_depth() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(40), close.repeat(40));
    for source in [
        "x".repeat(9000),
        format!("'{}'", "x".repeat(9000)),
        format!("1{}", " + 1".repeat(300)),
        format!("entity{}", ".a".repeat(300)),
        format!("{}entity", "!".repeat(500)),
        format!("{}entity", "- ".repeat(500)),
        deep("(", ")"),
        deep("[", "]"),
        deep("{'a':", "}"),
        format!("{}1", "true ? 1 : ".repeat(40)),
    ] {
        let found = compile(&source, &names()).unwrap_err();
        assert!(found.starts_with("EXPR002"), "{source}: {found}");
    }
    assert_eq!(value(&format!("1{}", " + 1".repeat(190))).unwrap(), json!(191));
    let quoted = r#"'a # "b" // c' + "it's" + r'\' + '''x ' y''' // don't"#;
    assert_eq!(value(quoted).unwrap(), json!(r#"a # "b" // cit's\x ' y"#));
}

/// The deepest trees that are accepted do no harm to the 2 MiB stack of this thread, also without optimisation.
#[test]
fn the_deepest_expressions_are_evaluated() {
    let deep = (0..131).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(over(&format!("entity{}", "[0]".repeat(131)), &deep).unwrap(), json!(1));
    assert_eq!(over(&format!("{}entity", "!".repeat(398)), &json!(true)).unwrap(), json!(true));
    assert_eq!(over(&format!("entity{}", " + entity".repeat(199)), &json!(1)).unwrap(), json!(200));
    let nested = format!("{}entity{}", "[".repeat(31), "][0]".repeat(31));
    assert_eq!(over(&nested, &json!(7)).unwrap(), json!(7));
}

#[test]
fn loops_may_be_nested_three_deep() {
    let source = "entity.map(a, entity.map(b, entity.map(c, entity.map(d, d))))";
    assert!(compile(source, &names()).unwrap_err().starts_with("EXPR011"));
}

#[test]
fn patterns_are_written_out_small_and_linear() {
    assert!(compile("entity.matches(entity.pattern)", &names()).unwrap_err().starts_with("EXPR012"));
    assert!(compile("entity.matches('(a')", &names()).unwrap_err().starts_with("EXPR012"));
    assert!(compile("entity.matches('(a{100}){100}{100}')", &names()).unwrap_err().starts_with("EXPR012"));
    let evil = json!(format!("{}!", "a".repeat(50_000)));
    assert_eq!(over("entity.matches('^(a+)+$')", &evil).unwrap(), json!(false));
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<expr::Program>();
    shared::<expr::Mapping>();
    shared::<expr::Error>();
    let _ = Names::new().root("x", Ty::Any);
}
