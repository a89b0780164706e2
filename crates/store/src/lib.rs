//! `store` keeps the log and everything that must be true together with it.
//!
//! It does not know acts, flows, HTTP or any vendor: it keeps bytes in streams, rows beside them, and commits a
//! [`Batch`] of both at once.
