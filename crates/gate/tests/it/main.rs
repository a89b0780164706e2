//! The gate as its callers see it: over the router in this process, and some of it over real connections.

mod acts;
mod fixture;
mod idempotent;
mod live;
mod refused;
mod tokens;
mod wire;
