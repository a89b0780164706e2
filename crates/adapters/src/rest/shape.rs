//! The section as it may be written: what `cardan check`, `cardan schema` and the reference know of it.

use diag::{Field, Shape};

/// The shape of `systems.<name>.rest`.
pub(super) fn shape() -> Shape {
    let bytes = Shape::one_of([Shape::size(), Shape::int(1..=64 << 20)]);
    Shape::object([
        Field::new("url", Shape::text())
            .required()
            .doc("where the system answers; every operation stays below it"),
        Field::new("headers", texts("header")).doc("sent with every request; never credentials"),
        Field::new("auth", auth()).doc("how requests are authenticated; without it they are not"),
        Field::new("health", Shape::text()).doc("a path that answers 2xx to GET while the system is well"),
        Field::new("max_response", bytes)
            .default("1MiB")
            .doc("the largest answer that is read, at most 64MiB"),
        Field::new("deadline_header", Shape::one_of([Shape::text(), deadline_header()]))
            .doc("a header that carries the time left until the call's deadline; by name alone in milliseconds, `grpc-timeout` in gRPC's format"),
        Field::new("operations", Shape::map("operation", operation())).doc("what the system can do"),
    ])
    .doc("A system that speaks JSON over HTTP.")
}

fn deadline_header() -> Shape {
    let formats = Shape::choice(["milliseconds", "grpc"]);
    Shape::object([
        Field::new("name", Shape::text()).required().doc("the header's name"),
        Field::new("format", formats)
            .doc("`1500`, or `1500000u`: at most eight digits and a unit; by default what the name suggests"),
    ])
}

fn auth() -> Shape {
    let api_key = Shape::object([
        Field::new("in", Shape::choice(["header", "query"])).default("header").doc("where the key travels"),
        Field::new("name", Shape::text()).default("X-API-Key").doc("the header's or parameter's name"),
        Field::new("prefix", Shape::text()).default("").doc("put before the key"),
        Field::new("value", Shape::secret()).required().doc("the key"),
    ]);
    let basic = Shape::object([
        Field::new("user", Shape::text()).required().doc("the user's name"),
        Field::new("password", Shape::secret()).required().doc("the user's password"),
    ]);
    Shape::object([
        Field::new("api_key", api_key).doc("a key in a header or in the query"),
        Field::new("bearer", Shape::secret()).doc("a token, sent as `Authorization: Bearer`"),
        Field::new("basic", basic).doc("a name and a password (RFC 7617)"),
    ])
    .exactly_one_of(["api_key", "bearer", "basic"])
}

fn operation() -> Shape {
    const VERBS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
    let path = "the path below `url`; `{member}` takes a member of the input";
    let verbs = VERBS.map(|verb| Field::new(verb, Shape::text()).doc(path));
    let schema = || Shape::one_of([Shape::map("keyword", Shape::any()), Shape::bool()]);
    let output = Shape::one_of([Shape::map("keyword", Shape::any()), Shape::bool(), Shape::choice(["text"])]);
    Shape::object(verbs)
        .with([
            Field::new("repeat", Shape::choice(["safe", "keyed", "never"]))
                .doc("how safe it is to send again; `safe` for get, put and delete, else `never`"),
            Field::new("undo", Shape::text()).doc("the operation of this system that undoes it"),
            Field::new("summary", Shape::text()).doc("what it does, in one sentence"),
            Field::new("query", texts("parameter")).doc("the query; values may hold `{member}`"),
            Field::new("headers", texts("header"))
                .doc("headers of this operation; values may hold `{member}`"),
            Field::new("body", Shape::text()).doc(
                "`rest` of the input, `all` of it, `{member}` or `none`; `rest` for post, put and patch",
            ),
            Field::new("input", schema()).doc("JSON Schema of the input"),
            Field::new("output", output).default(true).doc("JSON Schema of the answer, or `text`"),
            Field::new("idempotency_header", Shape::text())
                .default("Idempotency-Key")
                .doc("carries the idempotency key of a keyed operation"),
            Field::new("ok", Shape::list(Shape::int(300..=499))).doc("statuses beside 2xx that mean success"),
            Field::new("settles_within", Shape::duration())
                .default("5s")
                .doc("how long after a call whose outcome is unknown its effect may still appear"),
            Field::new("in_progress", in_progress())
                .doc("when a keyed operation is still at an earlier request with the same key"),
            Field::new("verify", Shape::map("key", Shape::any()))
                .doc("how to find out whether it landed, as at a step: `call`, `with`, `found`, …"),
            Field::new("key", key_form()).doc("the form of the key that it wants; else as it is"),
        ])
        .exactly_one_of(VERBS)
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
