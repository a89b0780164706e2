//! The laws of the repository.

mod adapters;
mod arrows;
mod docs;
mod files;
