//! A lane in memory: what is in flight, and how much may be at once.
//!
//! A lane has places of its own, so that a slow system delays nobody else. After trouble one delivery tries the system;
//! each success doubles what may be in flight, so that what waited goes as fast as the system takes it.

use std::collections::{HashMap, HashSet};

/// A lane, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name: the system that it goes to.
    pub lane: String,
    /// Deliveries in flight.
    pub in_flight: usize,
    /// How many may be at once now.
    pub window: usize,
}

/// What is in flight in each lane.
#[derive(Debug)]
pub(crate) struct Lanes {
    places: usize,
    lanes: HashMap<String, State>,
}

#[derive(Debug)]
struct State {
    window: usize,
    /// Those of which a row is in flight: one of each.
    keys: HashSet<String>,
}

impl Lanes {
    pub(crate) fn new(places: usize) -> Self {
        Self { places: places.max(1), lanes: HashMap::new() }
    }

    fn of(&mut self, lane: &str) -> &mut State {
        let places = self.places;
        self.lanes.entry(lane.to_owned()).or_insert_with(|| State { window: places, keys: HashSet::new() })
    }

    /// How many more may go now.
    pub(crate) fn free(&mut self, lane: &str) -> usize {
        let state = self.of(lane);
        state.window.saturating_sub(state.keys.len())
    }

    pub(crate) fn in_flight(&mut self, lane: &str) -> usize {
        self.of(lane).keys.len()
    }

    /// Takes a place for a row of this key, unless one is in flight.
    pub(crate) fn begin(&mut self, lane: &str, key: &str) -> bool {
        self.of(lane).keys.insert(key.to_owned())
    }

    /// Gives the place back.
    pub(crate) fn end(&mut self, lane: &str, key: &str) {
        let state = self.of(lane);
        state.keys.remove(key);
        if state.keys.is_empty() && state.window == self.places {
            self.lanes.remove(lane);
        }
    }

    /// The system took a message: twice as many may go.
    pub(crate) fn took(&mut self, lane: &str) {
        let places = self.places;
        let state = self.of(lane);
        state.window = (state.window * 2).min(places);
    }

    /// The system is in trouble: one at a time, until it takes one.
    pub(crate) fn troubled(&mut self, lane: &str) {
        self.of(lane).window = 1;
    }

    pub(crate) fn shown(&self) -> Vec<Lane> {
        let lane = |(lane, state): (&String, &State)| Lane {
            lane: lane.clone(),
            in_flight: state.keys.len(),
            window: state.window,
        };
        let mut lanes: Vec<_> = self.lanes.iter().map(lane).collect();
        lanes.sort_by(|one, other| one.lane.cmp(&other.lane));
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_in_trouble_is_tried_by_one_and_then_by_twice_as_many_each_time() {
        let mut lanes = Lanes::new(8);
        assert_eq!(lanes.free("crm"), 8);
        lanes.troubled("crm");
        let after = [1, 2, 4, 8, 8].map(|_| {
            let free = lanes.free("crm");
            lanes.took("crm");
            free
        });
        assert_eq!(after, [1, 2, 4, 8, 8]);
        assert_eq!(lanes.free("mail"), 8, "another lane has its own");
    }

    #[test]
    fn one_row_of_a_key_is_out_at_a_time() {
        let mut lanes = Lanes::new(8);
        assert!(lanes.begin("crm", "k") && !lanes.begin("crm", "k"));
        assert!(lanes.begin("crm", "other") && lanes.begin("mail", "k"));
        lanes.end("crm", "k");
        assert!(lanes.begin("crm", "k"));
    }
}
