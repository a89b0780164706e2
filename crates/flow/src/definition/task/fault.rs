//! `try`, `retry`, `catch`.

use diag::Node;
use expr::Ty;

use super::super::Retry;
use super::super::reader::Reader;
use super::{Body, Catch, Try, read};

/// `retry` inside `try`: three rounds unless it says otherwise.
fn rounds() -> Retry {
    Retry { attempts: 3, ..Retry::STEP }
}

pub(super) fn attempt(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let block = read::block(reader, node.get("try")?);
    let retry = node.get("retry").map(|retry| Retry::read(retry, &rounds()));
    let catch =
        node.get("catch").and_then(|node| reader.within("error", Ty::Any, |reader| catch(reader, node)));
    Some(Body::Try(Try { block, retry, catch }))
}

fn catch(reader: &mut Reader<'_>, node: &Node) -> Option<Catch> {
    let kinds = node.get("kinds").map(|kinds| kinds.texts().map(str::to_owned).collect()).unwrap_or_default();
    let when = node.get("when").and_then(|when| reader.condition(when));
    let undo = node.get("compensate").and_then(Node::bool).unwrap_or(false);
    let block = read::block(reader, node.get("do")?);
    Some(Catch { kinds, when, undo, block })
}
