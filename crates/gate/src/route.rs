//! What a route is: everything the router, the door and the OpenAPI document need to know about it, in one place.

use futures_util::future::BoxFuture;

use crate::answer::Answer;
use crate::auth::{Permission, Whose};
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::{Code, Gate, Problem};

/// Handles one request that was let in.
pub(crate) type Handler = for<'a> fn(&'a Gate, Asked) -> BoxFuture<'a, Result<Answer, Problem>>;

/// One method on one path.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    /// A unique name, for clients that are generated.
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) permission: Permission,
    pub(crate) query: &'static [Parameter],
    pub(crate) headers: &'static [Parameter],
    pub(crate) takes: Takes,
    pub(crate) gives: Gives,
    /// What it may refuse with, beside what every route may.
    pub(crate) problems: &'static [Code],
    pub(crate) handler: Handler,
    /// Answers by how things stand, when the work was done and its answer not kept.
    pub(crate) shows: Option<Handler>,
}

/// Whom the routes of one path are for: the same people.
pub(crate) fn whose(routes: &[&Route]) -> Whose {
    routes.first().map_or(Whose::Callers, |route| route.permission.whose())
}

/// A query parameter or a header.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// A JSON Schema type.
    pub(crate) type_: &'static str,
    pub(crate) about: &'static str,
}

/// Where a page of a list goes on.
pub(crate) const AFTER: Parameter =
    Parameter { name: "after", type_: "string", about: "The `next` of the page before." };
/// How long a page of a list may be.
pub(crate) const LIMIT: Parameter =
    Parameter { name: "limit", type_: "integer", about: "1 to 100; 50 unless said." };

/// What a route reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// No body.
    Nothing,
    /// A JSON document; may be empty when the flag says so.
    Json(Schema, Optional),
    /// A JSON document, an array of them, or one per line.
    Acts,
}

/// Whether a body may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optional {
    Yes,
    No,
}

/// What a route answers when all is well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gives {
    pub(crate) status: u16,
    pub(crate) schema: Schema,
}

/// The methods there are. HEAD is answered wherever GET is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
        }
    }

    /// Whether requests with it change something.
    pub(crate) fn writes(self) -> bool {
        self != Verb::Get
    }
}
