use expect_test::{Expect, expect};
use serde_json::json;

use crate::{Colour, Field, Shape, Source, parse_partial, render};

fn check(shape: &Shape, text: &str, expected: Expect) {
    let (node, mut found) = parse_partial("t.yaml", text);
    found.extend(node.iter().flat_map(|node| shape.check(node)));
    let source = Source { file: "t.yaml".into(), text: text.into() };
    expected.assert_eq(&render(&found, &[source], Colour::Plain));
}

fn system() -> Shape {
    Shape::object([
        Field::new("url", Shape::text().pattern("^https?://", "an http or https URL"))
            .required()
            .doc("where it answers"),
        Field::new("kind", Shape::choice(["crm", "erp"])).default("crm"),
        Field::new("tries", Shape::int(1..=10)).default(3),
        Field::new("share", Shape::number(0.0..=1.0)),
        Field::new("timeout", Shape::duration()).default("30s"),
        Field::new("body", Shape::size()),
        Field::new("password", Shape::secret()),
        Field::new("tags", Shape::list(Shape::text()).length(1..=2)),
        Field::new("retries", Shape::int(0..=i64::MAX)).deprecated("write `tries`, one more"),
    ])
}

fn task() -> Shape {
    Shape::one_of([
        Shape::object([Field::new("call", Shape::text()).required(), Field::new("with", Shape::any())]),
        Shape::object([
            Field::new("do", Shape::list(Shape::lazy("task", task))).required(),
            Field::new("if", Shape::expr()),
        ]),
        Shape::map("step", Shape::lazy("task", task)).length(1..=1),
    ])
}

#[test]
fn every_kind_of_mistake_is_found_at_once() {
    check(
        &Shape::map("system", system()).pattern("^[a-z][a-z0-9_-]*$", "lower-case letters, digits, - and _"),
        "crm:
  urll: http://x
  kind: cmr
  tries: 11
  share: 1.5
  timeout: 30
  body: 1MB
  password: hunter2
  tags: [a, 1, c]
  retries: 3
Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: geheim }
bad: [1]
",
        expect![[r#"
            t.yaml:1:1: error[CFG011]: missing key `url`
              |
            1 | crm:
              | ^^^
              help: add `url:` with text: an http or https URL, where it answers

            t.yaml:2:3: error[CFG010]: unknown key `urll`
              |
            2 |   urll: http://x
              |   ^^^^
              help: did you mean `url`?
              help: allowed here: `url`, `kind`, `tries`, `share`, `timeout`, `body`, `password` or `tags`

            t.yaml:3:9: error[CFG014]: "cmr" is not one of `crm` or `erp`
              |
            3 |   kind: cmr
              |         ^^^
              help: did you mean `crm`?

            t.yaml:4:10: error[CFG013]: 11 is out of range: expected a whole number from 1 to 10
              |
            4 |   tries: 11
              |          ^^

            t.yaml:5:10: error[CFG013]: 1.5 is out of range: expected a number from 0 to 1
              |
            5 |   share: 1.5
              |          ^^^

            t.yaml:6:12: error[CFG012]: expected a duration (`250ms`, `3s`, `5m`), found a whole number
              |
            6 |   timeout: 30
              |            ^^
              help: write the unit: 30ms, 30s or 30m

            t.yaml:7:9: error[CFG017]: "1MB" is not a size: the unit "MB" is not B, KiB, MiB or GiB
              |
            7 |   body: 1MB
              |         ^^^
              help: write it as 512B, 64KiB, 1MiB or 2GiB

            t.yaml:8:13: error[CFG023]: expected a secret's handle, not a value
              |
            8 |   password: *******
              |             ^^^^^^^
              help: name it under `secrets:` and write `{ secret: NAME }` here

            t.yaml:9:3: error[CFG020]: expected 1 to 2 items, found 3
              |
            9 |   tags: [a, 1, c]
              |   ^^^^

            t.yaml:9:13: error[CFG012]: expected text, found a whole number
              |
            9 |   tags: [a, 1, c]
              |             ^
              help: quote it to make it text

            t.yaml:10:3: warning[CFG022]: `retries` is deprecated
               |
            10 |   retries: 3
               |   ^^^^^^^
              help: write `tries`, one more

            t.yaml:11:1: error[CFG021]: `Erp` cannot be the name of a system
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               | ^^^
              help: write lower-case letters, digits, - and _

            t.yaml:11:13: error[CFG015]: "ftp://x" is not an http or https URL
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               |             ^^^^^^^

            t.yaml:11:29: error[CFG012]: expected a whole number from 1 to 10, found text
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               |                             ^^^

            t.yaml:11:40: error[CFG012]: expected a list of text, found text
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               |                                        ^

            t.yaml:11:52: error[CFG016]: "3sec" is not a duration: the unit "sec" is not ms, s, m, h or d
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               |                                                    ^^^^
              help: write it as 250ms, 3s, 5m, 1h or 1d

            t.yaml:11:58: error[CFG010]: unknown key `passwort`
               |
            11 | Erp: { url: ftp://x, tries: '3', tags: x, timeout: 3sec, passwort: ****** }
               |                                                          ^^^^^^^^
              help: did you mean `password`?
              help: allowed here: `url`, `kind`, `tries`, `share`, `timeout`, `body`, `password` or `tags`

            t.yaml:12:6: error[CFG012]: expected a mapping with `url`, found a list
               |
            12 | bad: [1]
               |      ^^^

        "#]],
    );
}

#[test]
fn a_right_value_passes() {
    let text =
        "{ url: 'http://x', kind: erp, tries: 1, share: 0, timeout: 1s, body: 1B, password: { secret: P } }";
    check(&system(), text, expect![[""]]);
}

#[test]
fn alternatives_are_told_apart_by_their_first_key() {
    check(
        &Shape::list(task()),
        "- call: a.b
- calll: a.b
  with: 1
- call: a.b
  do: []
- reserve: { call: 1 }
- reserve: { wiht: 1, call: x }
- cal: 1
- do:
    - do:
        - call: 2
- nothing
",
        expect![[r#"
            t.yaml:2:3: error[CFG010]: unknown key `calll`
              |
            2 | - calll: a.b
              |   ^^^^^
              help: did you mean `call`?
              help: one of `call` or `do`

            t.yaml:5:3: error[CFG019]: `do` cannot stand beside `call`
              |
            5 |   do: []
              |   ^^

            t.yaml:6:20: error[CFG012]: expected text, found a whole number
              |
            6 | - reserve: { call: 1 }
              |                    ^
              help: quote it to make it text

            t.yaml:7:14: error[CFG010]: unknown key `wiht`
              |
            7 | - reserve: { wiht: 1, call: x }
              |              ^^^^
              help: did you mean `with`?
              help: allowed here: `call` or `with`

            t.yaml:8:8: error[CFG012]: expected a mapping with `call` or `do` or a mapping of step names, found a whole number
              |
            8 | - cal: 1
              |        ^
              help: did you mean `call`?

            t.yaml:11:17: error[CFG012]: expected text, found a whole number
               |
            11 |         - call: 2
               |                 ^
              help: quote it to make it text

            t.yaml:12:3: error[CFG012]: expected a mapping with `call` or `do` or a mapping of step names, found text
               |
            12 | - nothing
               |   ^^^^^^^

        "#]],
    );
}

#[test]
fn alternatives_are_told_apart_by_type() {
    let shape = Shape::one_of([Shape::int(0..=5), Shape::duration(), Shape::list(Shape::text())]);
    check(
        &shape,
        "7",
        expect![[r#"
        t.yaml:1:1: error[CFG013]: 7 is out of range: expected a whole number from 0 to 5
          |
        1 | 7
          | ^

    "#]],
    );
    check(
        &shape,
        "3x",
        expect![[r#"
        t.yaml:1:1: error[CFG016]: "3x" is not a duration: the unit "x" is not ms, s, m, h or d
          |
        1 | 3x
          | ^^
          help: write it as 250ms, 3s, 5m, 1h or 1d

    "#]],
    );
    check(
        &shape,
        "{ a: 1 }",
        expect![[r#"
            t.yaml:1:1: error[CFG012]: expected a whole number from 0 to 5 or a duration (`250ms`, `3s`, `5m`) or a list of text, found a mapping
              |
            1 | { a: 1 }
              | ^^^^^^^^

        "#]],
    );
}

#[test]
fn exactly_one_of_some_keys() {
    let either = Shape::object([Field::new("env", Shape::text()), Field::new("file", Shape::text())])
        .exactly_one_of(["env", "file"]);
    check(
        &Shape::map("secret", either),
        "a: { env: A, file: b }\nb: {}\n",
        expect![[r#"
        t.yaml:1:14: error[CFG019]: `file` cannot stand beside `env`
          |
        1 | a: { env: A, file: b }
          |              ^^^^
          help: write exactly one of `env` or `file`

        t.yaml:2:1: error[CFG018]: one of `env` or `file` must be here
          |
        2 | b: {}
          | ^

    "#]],
    );
}

#[test]
fn the_schema_says_the_same() {
    let schema = Shape::map("system", system()).json_schema("urn:test");
    expect![[r#"
        {
          "$id": "urn:test",
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "additionalProperties": {
            "additionalProperties": false,
            "properties": {
              "body": {
                "pattern": "^[0-9]+(B|KiB|MiB|GiB)$",
                "type": "string"
              },
              "kind": {
                "default": "crm",
                "enum": [
                  "crm",
                  "erp"
                ]
              },
              "password": {
                "additionalProperties": false,
                "properties": {
                  "secret": {
                    "type": "string"
                  }
                },
                "required": [
                  "secret"
                ],
                "type": "object"
              },
              "retries": {
                "deprecated": true,
                "minimum": 0,
                "type": "integer"
              },
              "share": {
                "maximum": 1.0,
                "minimum": 0.0,
                "type": "number"
              },
              "tags": {
                "items": {
                  "type": "string"
                },
                "maxItems": 2,
                "minItems": 1,
                "type": "array"
              },
              "timeout": {
                "default": "30s",
                "pattern": "^([0-9]+(ms|s|m|h|d))+$",
                "type": "string"
              },
              "tries": {
                "default": 3,
                "maximum": 10,
                "minimum": 1,
                "type": "integer"
              },
              "url": {
                "description": "where it answers",
                "pattern": "^https?://",
                "type": "string"
              }
            },
            "required": [
              "url"
            ],
            "type": "object"
          },
          "type": "object"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&schema).unwrap());
    let nested = Shape::list(task()).json_schema("urn:task");
    let inner = &nested["$defs"]["task"]["anyOf"][1]["properties"]["do"]["items"];
    assert_eq!(inner, &json!({ "$ref": "#/$defs/task" }));
}

#[test]
fn the_reference_says_the_same() {
    let page = Shape::object([
        Field::new("systems", Shape::map("system", system())).doc("what is called"),
        Field::new("do", Shape::list(Shape::lazy("task", task))),
    ]);
    expect![[r#"
        # Configuration

        | key | value | default | what it is |
        |---|---|---|---|
        | `systems` | a mapping of system names | – | what is called |
        | `do` | a list of tasks | – |  |

        ### `systems.<system>`

        | key | value | default | what it is |
        |---|---|---|---|
        | `url` | text: an http or https URL | required | where it answers |
        | `kind` | one of `crm` or `erp` | `crm` |  |
        | `tries` | a whole number from 1 to 10 | `3` |  |
        | `share` | a number from 0 to 1 | – |  |
        | `timeout` | a duration (`250ms`, `3s`, `5m`) | `30s` |  |
        | `body` | a size (`64KiB`, `1MiB`) | – |  |
        | `password` | a secret's handle (`{ secret: NAME }`) | – |  |
        | `tags` | a list of text | – |  |
        | `retries` | a whole number of at least 0 | – | (deprecated: write `tries`, one more) |

        ## A task

        ### With `call`

        | key | value | default | what it is |
        |---|---|---|---|
        | `call` | text | required |  |
        | `with` | any value | – |  |

        ### With `do`

        | key | value | default | what it is |
        |---|---|---|---|
        | `do` | a list of tasks | required |  |
        | `if` | text | – |  |
    "#]]
    .assert_eq(&page.reference("Configuration"));
}
