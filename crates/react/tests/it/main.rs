//! Conversations, told act by act.

mod commits;
mod config;
mod facts;
mod questions;
mod regressions;
mod replay;
mod story;
mod waits;
