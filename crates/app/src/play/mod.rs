//! Plays a scripted conversation through the public API and prints what happens as it happens.

mod follow;
mod stage;
mod story;
pub mod timeline;
pub mod waits;

pub use stage::perform;
pub use story::Story;
