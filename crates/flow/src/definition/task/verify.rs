//! `verify`: how to find out whether a step landed. It belongs to the operation, and a step may say it otherwise.

use std::time::Duration;

use diag::Node;
use expr::Ty;
use port::Repeat;
use relay::NotFound;

use super::super::reader::Reader;
use super::{Body, Call, Verify, call};

/// When the first look-up is made, how often, and for how long.
const AFTER: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_secs(2);
const UNTIL: Duration = Duration::from_secs(30);

/// The `verify` of a step, or else that of the operation it calls.
pub(super) fn verify(reader: &mut Reader<'_>, node: &Node, body: Option<&Body>) -> Option<Verify> {
    let own = node.get("verify");
    let verify = own.and_then(|own| read(reader, own));
    let (Some(Body::Call(done) | Body::Tell(done)), Some(target)) =
        (body, node.get("call").or_else(|| node.get("tell")))
    else {
        return verify;
    };
    let known = reader.known.operation(&done.system, &done.operation);
    let declared = known.and_then(|known| known.verify.clone()).filter(|_| own.is_none());
    let verify = match declared {
        Some(declared) => read(reader, &Node::from_json(&qualified(declared, done))),
        None => verify,
    };
    // Nothing is looked up before a message, which may leave when its step is long over.
    let useless = matches!(body, Some(Body::Tell(_))) && verify.as_ref().is_some_and(|verify| verify.before);
    let missing = own.is_none() && verify.is_none();
    if done.repeat == Repeat::Never && done.known && (missing || useless) {
        let said = format!(
            "when nobody knows whether `{}.{}` landed, nothing can find out, and a person has to decide",
            done.system, done.operation
        );
        let help = match useless {
            true => {
                "a `verify` that looks `before` does not serve a `tell`: write one without it, or `verify: none`"
            }
            false => "add `verify: { call: … }` to the operation or the step, or `verify: none`",
        };
        reader.warn("FLOW030", &target.span, said, help);
    }
    verify
}

/// At an operation, the look-up may be named without its system.
fn qualified(mut declared: serde_json::Value, done: &Call) -> serde_json::Value {
    if let Some(call) = declared.get_mut("call")
        && let Some(name) = call.as_str().filter(|name| !name.contains('.'))
    {
        *call = format!("{}.{name}", done.system).into();
    }
    declared
}

fn read(reader: &mut Reader<'_>, verify: &Node) -> Option<Verify> {
    if verify.text().is_some() {
        return None; // `verify: none` says that nothing can find out
    }
    reader.within("call", Ty::Any, |reader| {
        let look = call::call(reader, verify, "call")?;
        let known = reader.known.operation(&look.system, &look.operation);
        if known.is_some_and(|known| known.repeat != Repeat::Safe) {
            let said = format!("`{}.{}` changes something, so it cannot verify", look.system, look.operation);
            reader.error("FLOW009", &verify.span, said, "verify with an operation whose repeat is `safe`");
        }
        let (found, output) = reader.within("result", Ty::Any, |reader| {
            reader.within("before", Ty::Any, |reader| {
                let found = verify.get("found").and_then(|found| reader.condition(found));
                (found, verify.get("output").and_then(|output| reader.mapping(output)))
            })
        });
        let time = |key, usual| verify.get(key).and_then(Node::duration).unwrap_or(usual);
        let flag = |key| verify.get(key).and_then(Node::bool).unwrap_or_default();
        Some(Verify {
            call: look,
            found,
            output,
            before: flag("before"),
            looking: relay::Looking {
                after: time("after", AFTER),
                every: time("every", EVERY).max(Duration::from_millis(100)),
                until: time("until", UNTIL),
                not_found: match verify.get("not_found").and_then(Node::text) {
                    Some("send") => NotFound::Send,
                    Some("fail") => NotFound::Fail,
                    _ => NotFound::Park,
                },
            },
            absent: flag("absent"),
        })
    })
}

/// What must hold of the look-up before the step is sent.
pub(super) fn expect(reader: &mut Reader<'_>, node: &Node, verify: Option<&Verify>) -> Option<expr::Program> {
    let expect = node.get("expect")?;
    if !verify.is_some_and(|verify| verify.before) {
        let said = "`expect` looks at `before`, and no look-up is made before the step";
        reader.error("FLOW031", &expect.span, said, "add `before: true` to the step's `verify`");
    }
    reader.within("before", Ty::Any, |reader| reader.condition(expect))
}
