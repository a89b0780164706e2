//! `sim` knows nothing of Cardan: its stand-ins see HTTP requests, as the systems they stand for would.
//!
#![doc = include_str!("../README.md")]

mod amount;
mod answer;
mod desk;
mod door;
mod house;
mod keys;
mod knob;
mod ledger;
mod options;
mod route;
mod server;
mod systems;

pub use knob::{Drop, Fail, Knob};
pub use ledger::{Answered, Effects, Entry, Outcome};
pub use options::Options;
pub use server::{Handle, serve};
