//! Export to collectors on loopback: well, away, slow, busy and picky.

mod collector;
mod delivered;
mod heard;
mod trouble;
