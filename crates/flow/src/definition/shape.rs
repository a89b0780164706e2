//! The YAML of one flow as a shape: what is checked, what editors complete, what the reference prints.

use std::sync::OnceLock;

use diag::{Field, Shape};

/// The shape of one flow.
pub fn shape() -> Shape {
    Shape::object([
        Field::new("do", tasks()).doc("the steps, in order"),
        Field::new("on", trigger()).doc("what starts the flow"),
        Field::new("key", key()).doc("runs with one key go one at a time, in order of start, until their undoing is over"),
        Field::new("once", key()).doc(
            "of each key one run ever begins, also when that one has failed or was undone; what wants to begin another is refused",
        ),
        Field::new("busy", Shape::choice(["wait", "reject", "signal", "cancel"])).default("wait").doc(
            "what a run does that finds another of its key: waits, fails, hands its input over as the signal `busy` and \
             ends, or cancels the other first",
        ),
        Field::new("sla", Shape::duration()).doc("the longest a run should take; exceeding it is an event"),
        Field::new("result", Shape::any())
            .doc("what a succeeded run answers; `transaction_id` goes into the commit"),
        Field::new("on_exhausted", exhausted())
            .default("pause")
            .doc("what to do when a step exhausted its attempts"),
        Field::new("on_fault", Shape::choice(["pause", "compensate"])).default("pause").doc(
            "what to do when an expression fails on the data at hand, or an input does not fit, and something was sent before",
        ),
        Field::new("recursion", recursion()).doc("lets runs of it begin runs of it, alone or through other flows"),
        Field::new("template", Shape::text())
            .doc("the built-in flow whose steps these are, instead of `do`; other keys replace its keys"),
        Field::new("doc", Shape::text()).doc("what the flow is for"),
    ])
    .exactly_one_of(["do", "template"])
}

fn recursion() -> Shape {
    let depth = Field::new("depth", Shape::int(1..=32)).required();
    Shape::object([depth.doc("how many runs of the flow may stand below one another")])
}

/// The shape, made once.
pub(super) fn checker() -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(shape)
}

fn key() -> Shape {
    let shared = Shape::object([
        Field::new("in", Shape::text()).required().doc("the key space that flows share"),
        Field::new("of", Shape::expr()).required().doc("the key"),
    ]);
    Shape::one_of([Shape::expr(), shared])
}

fn trigger() -> Shape {
    let commit = Shape::object([
        Field::new("system", Shape::text()).doc("the commit's system"),
        Field::new("action", Shape::text()).doc("the commit's action"),
    ]);
    Shape::object([Field::new("commit", commit).required().doc("a commit act for this system and action")])
}

fn tasks() -> Shape {
    Shape::list(Shape::lazy("task", task))
}

fn task() -> Shape {
    let mut forms = verbs();
    let named = Shape::map("step", Shape::one_of(verbs()))
        .pattern(
            "^[A-Za-z][A-Za-z0-9_-]{0,63}$",
            "a name of letters, digits, - and _ that starts with a letter",
        )
        .length(1..=1);
    forms.push(named);
    Shape::one_of(forms)
}

fn verbs() -> Vec<Shape> {
    let with = || Field::new("with", Shape::any()).doc("the input");
    vec![
        verb("require", Shape::list(Shape::text()), "fields the entity must have", vec![]),
        verb("set", Shape::map("name", Shape::any()), "values for `vars`", vec![]),
        verb("call", target(), "the operation to call", [vec![with()], effect()].concat()),
        verb(
            "tell",
            target(),
            "the operation to call in the background, at least once; the step is done when its message is written down",
            vec![with(), undo(), on_dead(), how_to_verify()],
        ),
        verb("publish", Shape::text(), "the topic to publish to", vec![with()]),
        verb("emit", Shape::any(), "the act to append to the conversation", vec![]),
        verb("ask", utterance("prompt"), "the question to ask", question(&["fail", "continue"])),
        verb(
            "confirm",
            utterance("summary"),
            "what is to be confirmed",
            question(&["fail", "continue", "confirm"]),
        ),
        verb("wait", wait(), "how long to wait, or until when", vec![]),
        verb("listen", listen(), "what to wait for", answer()),
        verb("run", Shape::text(), "the flow to run and wait for", vec![with(), undo()]),
        verb("raise", raise(), "the error to fail with", vec![]),
        verb("try", tasks(), "steps whose errors may be retried or caught", vec![retry(), catch()]),
        verb("switch", Shape::list(case()), "cases, the first that holds is done", vec![]),
        verb("fork", branches(), "branches that go on at the same time", vec![race(), losers()]),
        verb("do", tasks(), "steps in sequence", vec![otherwise()]),
    ]
}

/// A task: its verb first, then what belongs to the verb, then what every task may have.
fn verb(name: &str, shape: Shape, doc: &str, own: Vec<Field>) -> Shape {
    let common = [
        Field::new("if", Shape::one_of([Shape::bool(), Shape::expr()])).doc("skips the step unless it holds"),
        Field::new("for", each()).doc("does the step once per item"),
    ];
    Shape::object([Field::new(name, shape).required().doc(doc)]).with(own).with(common)
}

fn effect() -> Vec<Field> {
    vec![
        undo(),
        how_to_verify(),
        Field::new("expect", Shape::expr())
            .doc("what must hold of `before` (see `verify`), or the step fails without being sent"),
        retry(),
        Field::new("timeout", Shape::duration()).doc("how long one round may take"),
        Field::new("on_exhausted", exhausted()).doc("overrides the flow's `on_exhausted`"),
    ]
}

fn how_to_verify() -> Field {
    Field::new("verify", Shape::one_of([Shape::choice(["none"]), verify()]))
        .doc("how to find out whether it landed, when nobody knows; else as the operation says")
}

fn target() -> Shape {
    Shape::text().pattern("^[^.\\s]+\\.[^\\s]+$", "system.operation")
}

fn exhausted() -> Shape {
    Shape::choice(["pause", "fail", "compensate"])
}

fn undo() -> Field {
    let call = Shape::object([
        Field::new("call", target()).required().doc("the operation that undoes the step"),
        Field::new("with", Shape::any()).doc("its input; `result` is the step's output"),
        retry(),
        Field::new("timeout", Shape::duration()).default("60s").doc("how long one round may take"),
    ]);
    Field::new("compensate", Shape::one_of([Shape::choice(["none"]), call])).doc("how the step is undone; `none` leaves it. A run that a step began undoes what it did, unless this says otherwise")
}

fn on_dead() -> Field {
    Field::new("on_dead", Shape::choice(["hold", "skip"]))
        .default("hold")
        .doc("when the message is a dead letter: later messages of its key to that system wait, or go on")
}

fn verify() -> Shape {
    Shape::object([
        Field::new("call", target()).required().doc("an operation whose repeat is safe"),
        Field::new("with", Shape::any()).doc("its input"),
        Field::new("found", Shape::expr())
            .doc("whether `result` shows that the step landed; else: it is not null"),
        Field::new("output", Shape::any()).doc("the step's output made of `result`; else: `result`"),
        Field::new("before", Shape::bool())
            .default(false)
            .doc("makes the look-up before the step is sent, too; its answer is `before`"),
        Field::new("after", Shape::duration()).default("2s").doc("until the first look-up"),
        Field::new("every", Shape::duration()).default("2s").doc("between two look-ups"),
        Field::new("until", Shape::duration()).default("30s").doc("how long to go on looking"),
        Field::new("not_found", Shape::choice(["park", "send", "fail"])).default("park").doc(
            "when nothing is found once the outcome has settled: wait for a person, send again, or fail",
        ),
        Field::new("absent", Shape::bool())
            .default(false)
            .doc("the step landed when nothing is found (a removal)"),
    ])
}

fn retry() -> Field {
    let shape = Shape::object([
        Field::new("attempts", Shape::int(1..=1000)).doc(
            "rounds, the first one counted; when the system or its guard says when to come back, at least 20",
        ),
        Field::new("wait", Shape::duration()).default("1s").doc("before the second round; doubles with each"),
        Field::new("max", Shape::duration()).default("60s").doc("the longest wait between rounds"),
        Field::new("kinds", kinds()).doc("only faults of these kinds"),
    ]);
    Field::new("retry", shape).doc("durable rounds, each with all the guard's attempts")
}

fn kinds() -> Shape {
    Shape::list(Shape::text())
}

fn catch() -> Field {
    let shape = Shape::object([
        Field::new("do", tasks()).required().doc("what is done instead; `error` says what happened"),
        Field::new("kinds", kinds()).doc("only errors of these kinds or codes"),
        Field::new("when", Shape::expr()).doc("only when this holds"),
        Field::new("compensate", Shape::bool()).default(false).doc("undoes what the `try` has done first"),
    ]);
    Field::new("catch", shape).doc("takes errors, so that the run goes on")
}

fn answer() -> Vec<Field> {
    vec![
        Field::new("timeout", Shape::duration()).doc("how long to wait for the answer"),
        Field::new("on_timeout", Shape::choice(["fail", "continue"]))
            .default("fail")
            .doc("without an answer (or with a no): fail, or go on with null"),
    ]
}

/// What an `ask` or a `confirm` says of its answer.
fn question(on_timeout: &[&'static str]) -> Vec<Field> {
    vec![
        Field::new("timeout", Shape::duration())
            .doc("how long the answer is waited for; the shorter of this and a confirm act's `timeout_ms` counts"),
        Field::new("on_timeout", Shape::choice(on_timeout.iter().copied())).default("fail").doc(
            "without an answer (or with a no): fail, or go on with null; `confirm` takes silence for a yes, and a no fails",
        ),
        by(),
    ]
}

fn by() -> Field {
    let names = || Shape::one_of([Shape::expr(), Shape::list(Shape::expr()).length(1..=100)]);
    let shape = Shape::object([
        Field::new("role", names()).doc("a role of the caller's token; of several, one is enough"),
        Field::new("permission", names()).doc("a permission of the caller's token"),
        Field::new("participant", names()).doc("a participant, by name"),
        Field::new("not", Shape::choice(["committer"]))
            .doc("somebody else than the speaker of the commit (four eyes)"),
    ]);
    Field::new("by", shape).doc("who may answer; without it every participant of the conversation")
}

fn utterance(text: &str) -> Shape {
    Shape::object([
        Field::new(text, Shape::expr()).required().doc("the words"),
        Field::new("field", Shape::expr()).doc("the field that is asked for"),
        Field::new("entity", Shape::any()).doc("the entity it is about; else the run's own"),
        Field::new("with", Shape::any()).doc("further members of the act"),
        Field::new("shows", Shape::any())
            .doc("what is shown beside the words, such as amounts; stands in `metadata.cardan.shows`"),
        by(),
    ])
}

fn wait() -> Shape {
    let until = Shape::object([Field::new("until", Shape::expr()).required().doc("an RFC 3339 time")]);
    Shape::one_of([Shape::expr(), until])
}

fn listen() -> Shape {
    Shape::object([
        Field::new("topic", Shape::text()).doc("a topic"),
        Field::new("signal", Shape::text()).doc("a signal's name"),
        Field::new("where", Shape::expr()).doc("which `event` counts"),
    ])
    .exactly_one_of(["topic", "signal"])
}

fn raise() -> Shape {
    Shape::object([
        Field::new("code", Shape::expr()).required().doc("a word for machines"),
        Field::new("message", Shape::expr()).required().doc("a sentence for people"),
    ])
}

fn case() -> Shape {
    Shape::object([
        Field::new("do", tasks()).required().doc("the steps of this case"),
        Field::new("when", Shape::expr()).doc("the condition; the last case may do without"),
    ])
}

fn branches() -> Shape {
    Shape::map("branch", tasks())
}

fn race() -> Field {
    Field::new("race", Shape::one_of([Shape::bool(), Shape::choice(["first", "success"])])).default(false).doc(
        "goes on with the first branch that ends (`first`, `true`), or that succeeds; when none does the last error is raised",
    )
}

fn losers() -> Field {
    Field::new("losers", Shape::choice(["undo", "keep"]))
        .default("undo")
        .doc("what becomes of the other branches of a race: undone beside what goes on, or left as they are")
}

fn each() -> Shape {
    Shape::object([
        Field::new("in", Shape::any()).required().doc("a list"),
        Field::new("each", Shape::text()).default("item").doc("the name of one item"),
    ])
}

fn otherwise() -> Field {
    Field::new("else", tasks()).doc("what is done when `if` does not hold")
}
