//! `listen`: waits for an event on a topic, or for a signal.

use diag::Node;
use expr::Ty;

use super::super::reader::Reader;
use super::{Answer, Body, Hears, plain, say};

pub(super) fn listen(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let listen = node.get("listen")?;
    let from = match (listen.get("topic"), listen.get("signal")) {
        (Some(topic), _) => Answer::Topic(plain::topic(reader, topic)?),
        (None, signal) => Answer::Signal(signal?.text()?.into()),
    };
    let condition = listen.get("where");
    let filter =
        condition.and_then(|filter| reader.within("event", Ty::Any, |reader| reader.condition(filter)));
    Some(Body::Listen(Hears { from, filter, give_up: say::gives_up(node) }))
}
