//! Tasks made of tasks: `do`, `switch`, `fork`.

use diag::{Entry, Node};

use super::super::reader::Reader;
use super::{Body, Race, read};

pub(super) fn sequence(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let block = read::block(reader, node.get("do")?);
    if let (Some(otherwise), None) = (node.get("else"), node.get("if")) {
        reader.error("FLOW010", &otherwise.span, "`else` without `if`", "add `if: …` beside `do` and `else`");
    }
    let otherwise = node.get("else").map(|otherwise| read::block(reader, otherwise));
    Some(Body::Do { block, otherwise })
}

pub(super) fn switch(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let mut cases = Vec::new();
    let mut default = false;
    for case in node.get("switch")?.items() {
        if default {
            let said = "this case is never reached: the one before it has no `when`";
            reader.error("FLOW006", &case.span, said, "put the case without `when` last");
        }
        let when = case.get("when");
        default |= when.is_none();
        let when = when.and_then(|when| reader.condition(when));
        cases.push((when, read::block(reader, case.get("do")?)));
    }
    Some(Body::Switch(cases))
}

pub(super) fn fork(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let mut branches: Vec<&Entry> = node.get("fork")?.entries().iter().collect();
    // Laid out in another order it is the same flow, whose unnamed steps must keep their names.
    branches.sort_by(|a, b| a.key.cmp(&b.key));
    let mut read = |branch: &Entry| (branch.key.as_str().into(), read::block(reader, &branch.value));
    let branches = branches.into_iter().map(&mut read).collect();
    let race = race(reader, node);
    Some(Body::Fork { branches, race })
}

fn race(reader: &mut Reader<'_>, node: &Node) -> Option<Race> {
    let (race, losers) = (node.get("race"), node.get("losers"));
    let needs_success = match race
        .and_then(|race| race.bool().map(|races| (races, "")).or(race.text().map(|word| (true, word))))
    {
        Some((true, word)) => word == "success",
        Some((false, _)) | None => {
            if let Some(losers) = losers {
                let help = "add `race: first` or `race: success` beside `fork`";
                reader.error("FLOW010", &losers.span, "`losers` without `race`", help);
            }
            return None;
        }
    };
    Some(Race { needs_success, keeps_losers: losers.and_then(Node::text) == Some("keep") })
}
