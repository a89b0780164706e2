//! What adapters that speak HTTP share: where a system answers and how it is asked, one bounded exchange, and what a
//! status or a broken connection means.
//!
//! It knows no operation and no document: an adapter makes the request and reads the answer.

mod address;
mod answer;
mod auth;
mod body;
mod client;
mod config;
mod credentials;
mod deadline;
pub(crate) mod fault;
mod headers;
mod judge;
mod pool;
mod resolve;
mod scrub;
mod secret;
mod tls;

pub(crate) use address::segment;
pub(crate) use answer::{Answer, Media, unreadable};
pub(crate) use auth::{Auth, Place};
pub(crate) use client::{Client, Request};
pub(crate) use config::{Codes, Config, Written, fields};
pub(crate) use headers::{check_content_type, check_fixed, header_name, header_value, warn_of_credential};
pub(crate) use judge::Judge;
pub(crate) use pool::pool;
