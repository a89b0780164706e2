//! The stand-in systems as a caller meets them: over real HTTP.

mod keys;
mod misbehaviour;
mod systems;
mod town;
