//! The real binary, from outside: what it refuses, what it prints, what it makes happen.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod again;
mod against;
mod batches;
mod cardan;
mod dead;
mod desk;
mod explain;
mod exported;
mod flood;
mod followed;
mod gone;
mod groups;
mod kinds;
mod nodes;
mod oncall;
mod overload;
mod pages;
mod poison;
mod probes;
mod refused_start;
mod refused_store;
mod scene;
mod sealed;
mod story;
mod switches;
mod timers;
mod together;
mod unheard;
mod upgraded;
mod validate;
