//! Everything that can be asked. The router and the OpenAPI document are both made from these tables.

mod acts;
mod conversations;
mod dead;
mod effects;
mod entities;
mod events;
mod inbox;
mod integrations;
mod outbox;
mod questions;
mod runs;
mod signals;
mod systems;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;

use crate::route::Route;
use crate::{Code, Problem};

pub(crate) use acts::parse;
pub(crate) use integrations::of as integrations;

/// Every route.
pub(crate) fn all() -> Vec<&'static Route> {
    let tables: [&'static [Route]; 12] = [
        acts::ROUTES,
        conversations::ROUTES,
        entities::ROUTES,
        events::ROUTES,
        runs::ROUTES,
        questions::ROUTES,
        signals::ROUTES,
        inbox::ROUTES,
        effects::ROUTES,
        dead::ROUTES,
        outbox::ROUTES,
        systems::ROUTES,
    ];
    tables.into_iter().flatten().collect()
}

/// The routes of each path.
pub(crate) fn by_path() -> impl Iterator<Item = (&'static str, &'static [&'static Route])> {
    static PATHS: LazyLock<BTreeMap<&str, Vec<&Route>>> = LazyLock::new(|| {
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for route in all() {
            paths.entry(route.path).or_default().push(route);
        }
        paths
    });
    PATHS.iter().map(|(path, routes)| (*path, routes.as_slice()))
}

/// Where a page of what waits ended: since when its last entry waits, and its name.
fn since(after: &str) -> Result<(Timestamp, String), Problem> {
    let place = after.split_once('/').and_then(|(since, id)| Some((since.parse().ok()?, id.to_owned())));
    place.ok_or_else(no_page)
}

/// How long a page is, which may be asked for within bounds.
fn page_size(limit: Option<usize>) -> usize {
    limit.unwrap_or(50).clamp(1, 100)
}

/// `after` is not what a page gave.
fn no_page() -> Problem {
    Problem::because(Code::QueryInvalid, "after: expected the `next` of a page")
}

#[cfg(test)]
mod tests {
    use super::by_path;
    use crate::auth::Whose;
    use crate::route;

    #[test]
    fn what_is_for_operators_is_so_in_every_method_of_its_path() {
        for (path, routes) in by_path() {
            let whose = route::whose(routes);
            assert!(routes.iter().all(|route| route.permission.whose() == whose), "{path}");
            let theirs = ["/v1/runs", "/v1/dead", "/v1/outbox", "/v1/systems", "/v1/inbox", "/v1/effects"];
            // Who sends a signal is a caller, whomever it is for.
            let theirs = theirs.iter().any(|begin| path.starts_with(begin)) && !path.contains("/signals/");
            let theirs = theirs || path == "/v1/questions/{id}/withdraw";
            assert_eq!(whose == Whose::Operators, theirs, "{path}");
        }
    }
}
