//! The section as it may be written: what `cardan check`, `cardan schema` and the reference know of it.

use diag::{Field, Shape};

use crate::http;

/// The shape of `systems.<name>.rest`.
pub(super) fn shape() -> Shape {
    Shape::object(http::fields())
        .with([
            Field::new("health", Shape::text())
                .doc("a path that answers 2xx to GET while the system is well"),
            Field::new("probe", probe())
                .doc("asks the system now and then whether it is well; shown in `/health/adapters`"),
            Field::new("operations", Shape::map("operation", operation())).doc("what the system can do"),
        ])
        .doc("A system that speaks JSON over HTTP.")
}

fn probe() -> Shape {
    Shape::object([
        Field::new("path", Shape::text())
            .required()
            .doc("below `url`; answers 2xx to GET within 5 s while the system is well"),
        Field::new("every", Shape::duration()).default("30s").doc("how often, from 1s to 1h"),
    ])
}

fn operation() -> Shape {
    const VERBS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
    let path = "the path below `url`; `{member}` takes a member of the input";
    let verbs = VERBS.map(|verb| Field::new(verb, Shape::text()).doc(path));
    let schema = || Shape::one_of([Shape::map("keyword", Shape::any()), Shape::bool()]);
    let output = Shape::one_of([
        Shape::map("keyword", Shape::any()),
        Shape::bool(),
        Shape::choice(["text", "bytes", "lines", "events"]),
    ]);
    Shape::object(verbs)
        .with([
            Field::new("repeat", Shape::choice(["safe", "keyed", "never"]))
                .doc("how safe it is to send again; `safe` for get, put and delete, else `never`"),
            Field::new("undo", Shape::text()).doc("the operation of this system that undoes it"),
            Field::new("summary", Shape::text()).doc("what it does, in one sentence"),
            Field::new("query", texts("parameter")).doc("the query; values may hold `{member}`"),
            Field::new("headers", texts("header"))
                .doc("headers of this operation; values may hold `{member}`"),
            Field::new("body", body()).doc(
                "`rest` of the input, `all` of it, `{member}` or `none`; `rest` for post, put and patch; or `{ bytes: \"{member}\" }`",
            ),
            Field::new("input", schema()).doc("JSON Schema of the input"),
            Field::new("output", output).default(true).doc("JSON Schema of the answer; or what it is where it is not JSON: `text`, `bytes`, JSON `lines`, server-sent `events`"),
            Field::new("idempotency_header", Shape::text())
                .default("Idempotency-Key")
                .doc("carries the idempotency key of a keyed operation"),
            Field::new("ok", Shape::list(Shape::int(300..=499))).doc("statuses beside 2xx that mean success"),
            Field::new("response_headers", Shape::list(Shape::text().example("ETag")))
                .doc("headers of an answer that are kept with it, at most 16; shown with the step"),
            Field::new("settles_within", Shape::duration())
                .default("5s")
                .doc("how long after a call whose outcome is unknown its effect may still appear"),
            Field::new("in_progress", in_progress())
                .doc("when a keyed operation is still at an earlier request with the same key"),
            Field::new("verify", Shape::map("key", Shape::any()))
                .doc("how to find out whether it landed, as at a step: `call`, `with`, `found`, …"),
            Field::new("partition", Shape::text())
                .default("{model}")
                .doc("the member that names the model or endpoint: what a guard keeps `per: model`"),
            Field::new("cost", Shape::one_of([Shape::int(1..=i64::from(u32::MAX)), Shape::text()]))
                .default(1)
                .doc("what a call takes of a rate limit: a number, or `{member}`: a number or a list of the input"),
            Field::new("key", key_form()).doc("the form of the key that it wants; else as it is"),
        ])
        .exactly_one_of(VERBS)
}

fn body() -> Shape {
    let bytes = Field::new("bytes", Shape::text()).required().doc("the member that carries them: `{member}`");
    Shape::one_of([Shape::text(), Shape::object([bytes])])
}

fn in_progress() -> Shape {
    Shape::object([
        Field::new("statuses", Shape::list(Shape::int(400..=599)))
            .doc("statuses that say so, beside 409 with `Retry-After`"),
        Field::new("until", Shape::duration())
            .default("10m")
            .doc("how long it may say so before a person has to look"),
    ])
}

fn key_form() -> Shape {
    Shape::object([
        Field::new("format", Shape::choice(["hex", "uuid"])).default("hex").doc("of a digest of the key"),
        Field::new("prefix", Shape::text()).doc("put before it"),
        Field::new("length", Shape::int(16..=64)).default(32).doc("hexadecimal digits, at least 16"),
    ])
}

fn texts(name: &'static str) -> Shape {
    Shape::map(name, Shape::text())
}
