//! The five systems: what each keeps and how it changes. Nothing here waits, drops or fails on purpose.

mod crm;
mod email;
mod inventory;
mod orders;
mod payments;
mod shelf;

use fastrand::Rng;
use serde_json::Value;

use crate::answer::Answer;
use crate::desk::Call;
use crate::route::Route;

/// One stand-in system.
pub(crate) trait System: Send {
    /// Its name, which is also its path prefix.
    fn name(&self) -> &'static str;
    /// What can be asked of it.
    fn routes(&self) -> &'static [Route];
    /// Does what is asked; the operation is one of its routes'.
    fn act(&mut self, call: &Call) -> Answer;
    /// Everything it holds, newest last, at most 100,000 of each kind.
    fn state(&self) -> Value;
}

/// All systems, fresh. Each has dice of its own, so that traffic on one does not change the ids of another.
pub(crate) fn all(seed: u64, stock: u32) -> Vec<Box<dyn System>> {
    let mut dice = Rng::with_seed(seed);
    vec![
        Box::new(crm::Crm::new(dice.fork())),
        Box::new(inventory::Inventory::new(dice.fork(), stock)),
        Box::new(payments::Payments::new(dice.fork())),
        Box::new(orders::Orders::new(dice.fork())),
        Box::new(email::Email::new(dice.fork())),
    ]
}

/// A new id such as `ch_8f14e45fceea`.
fn id(prefix: &str, dice: &mut Rng) -> String {
    format!("{prefix}_{:012x}", dice.u64(..) >> 16)
}
