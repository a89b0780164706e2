//! Who asks, and what they may do.
//!
//! With keys configured every request brings a bearer token. Without, the gate serves loopback only, as the one
//! principal `local`, and guards itself against pages in a browser that speak to loopback.

mod key;
mod local;
mod permission;
mod token;

use std::sync::Arc;

use conversation::{Caller, Rights};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use crate::{Code, Problem};

pub use key::{Algorithm, Key, Material};
pub(crate) use permission::Whose;
pub use permission::{Permission, Permissions};
pub use token::{Error, Tokens};

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The token's subject; `local` without authentication.
    pub subject: Arc<str>,
    /// The organisation; `default` without one.
    pub tenant: Arc<str>,
    /// What they may do.
    pub permissions: Permissions,
    /// Everything the token's `permissions` says, the words of other systems included: flows may name them.
    pub grants: Arc<[String]>,
    /// The token's `roles`.
    pub roles: Arc<[String]>,
    /// Whether anybody is asked who they are. Without, everybody is `local` and takes part everywhere.
    pub known: bool,
}

impl Principal {
    /// The one principal of a server without authentication.
    pub fn local() -> Self {
        Self {
            subject: "local".into(),
            tenant: "default".into(),
            permissions: Permissions::all(),
            grants: [].into(),
            roles: [].into(),
            known: false,
        }
    }

    /// The principal as conversations know it.
    pub(crate) fn caller(&self) -> Caller {
        let may = |permission| self.permissions.has(permission);
        Caller {
            subject: self.subject.clone(),
            tenant: self.tenant.clone(),
            roles: self.roles.clone(),
            grants: self.grants.clone(),
            known: self.known,
            rights: Rights {
                speaks_for_others: may(Permission::SpeakForOthers),
                sees_questions: may(Permission::FlowRead),
                ends_conversations: may(Permission::FlowManage),
            },
        }
    }
}

/// How requests are authenticated.
pub enum Auth {
    /// Bearer tokens.
    Tokens(Tokens),
    /// None: loopback only.
    Loopback,
}

impl Auth {
    /// Who asks; the refusal is the same whatever is wrong with a token.
    ///
    /// # Errors
    /// 401 without a valid token; 403 when a loopback server is spoken to by another name or from another origin.
    pub fn principal(
        &self,
        headers: &HeaderMap,
        authority: Option<&str>,
        method: &Method,
    ) -> Result<Arc<Principal>, Problem> {
        match self {
            Auth::Tokens(tokens) => {
                let token = bearer(headers).ok_or(Problem::new(Code::AuthToken))?;
                tokens.verify(token).map(Arc::new).map_err(|reason| {
                    tracing::debug!(reason, "refusing a token");
                    Problem::new(Code::AuthToken)
                })
            }
            Auth::Loopback => local::admit(headers, authority, method).map(|()| local::principal()),
        }
    }

    /// Whether a page that asks for no token may be shown to whoever asks so.
    ///
    /// # Errors
    /// 403 when a loopback server is spoken to by another name or from another origin.
    pub fn may_see(&self, headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
        match self {
            Auth::Tokens(_) => Ok(()),
            Auth::Loopback => local::admit(headers, authority, &Method::GET),
        }
    }

    /// Whether this may be served at `address`.
    ///
    /// # Errors
    /// When the address is not loopback and there is no authentication.
    pub fn may_serve(&self, address: std::net::SocketAddr) -> Result<(), String> {
        match self {
            Auth::Loopback if !address.ip().is_loopback() => Err(format!(
                "serving {address} without authentication: add an `auth` section, or serve a loopback address"
            )),
            Auth::Tokens(_) | Auth::Loopback => Ok(()),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let only = values.next().is_none();
    (only && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

#[cfg(test)]
mod tests;
