//! Whom a call is for and what it costs, as guards count it.

use std::sync::Arc;

use port::Cost;

use super::section::{self, Operation};
use super::template::Template;
use crate::http::Judge;

/// Where the model or endpoint is named when nothing else is said.
pub(super) const MODEL: &str = "/model";

/// Judges `partition`.
pub(super) fn partition(name: &str, written: &Operation, judge: &mut Judge<'_>) -> Option<Arc<str>> {
    match &written.partition {
        None => Some(MODEL.into()),
        Some(text) => pointer(text, &["operations", name, "partition"], judge),
    }
}

/// Judges `cost`.
pub(super) fn tokens(name: &str, written: &Operation, judge: &mut Judge<'_>) -> Option<Cost> {
    match &written.cost {
        None => Some(Cost::One),
        Some(section::Cost::Fixed(tokens)) => Some(Cost::Fixed(*tokens)),
        Some(section::Cost::Member(text)) => {
            pointer(text, &["operations", name, "cost"], judge).map(Cost::At)
        }
    }
}

/// Where the one member is that `{member}` names.
fn pointer(text: &str, path: &[&str], judge: &mut Judge<'_>) -> Option<Arc<str>> {
    let member = Template::parse(text).ok().and_then(|template| Some(format!("/{}", template.sole()?)));
    member.map(Into::into).or_else(|| {
        judge.refuse("REST003", path, format!("{text:?} names no member of the input"), "write {member}")
    })
}
