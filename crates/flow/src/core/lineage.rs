//! Where a run stands below the one that no run began. Nothing starts itself without end: how deep runs may stand below one
//! another, and how many may come of one, is bounded.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::start::Start;

/// The runs above a run that another one began, by `run` or by a commit that it emitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The run that no run began.
    pub root: String,
    /// The flows of the runs above, the root's first.
    pub flows: Vec<String>,
    /// The speaker of the commit that began the first of them: a flow that commits does so for whoever that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committer: Option<String>,
}

impl Lineage {
    /// How many runs stand above.
    pub fn depth(&self) -> usize {
        self.flows.len()
    }

    /// Why a run of this flow may not begin here: `deepest` runs stand above it, or `again` of its own flow.
    pub(crate) fn refuses(&self, flow: &str, deepest: usize, again: Option<u32>) -> Option<Failure> {
        let own = self.flows.iter().filter(|above| *above == flow).count();
        let said = if self.depth() > deepest {
            format!("{} runs stand above it, allowed are {deepest}: {}", self.depth(), self.way(flow))
        } else {
            let again = again.filter(|again| own >= *again as usize)?;
            format!("{own} runs of `{flow}` stand above it, its `recursion` allows {again} in all")
        };
        Some(Failure::new(&flow.into(), "flow.too_deep", said))
    }

    /// The last flows of the way here.
    fn way(&self, flow: &str) -> String {
        let last = self.flows.iter().rev().take(4).rev();
        let names: Vec<&str> = last.map(String::as_str).chain([flow]).collect();
        format!("… {}", names.join(" → "))
    }
}

impl Start {
    /// The lineage of what this run begins.
    pub(crate) fn below(&self) -> Lineage {
        let first = || Lineage {
            root: self.run.clone(),
            flows: Vec::new(),
            committer: self.speaker().map(str::to_owned),
        };
        let mut above = self.lineage.clone().unwrap_or_else(first);
        above.flows.push(self.flow.clone());
        above
    }

    /// The speaker of the commit that the run is for, or of the one that began the first run above it.
    pub(crate) fn committer(&self) -> Option<&str> {
        let above = self.lineage.as_ref().and_then(|above| above.committer.as_deref());
        above.or_else(|| self.speaker())
    }

    fn speaker(&self) -> Option<&str> {
        self.input.get("act")?.get("speaker")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_commits_through_flows_is_whoever_began_the_first() {
        let begun_by = |speaker: &str, lineage| {
            let input = serde_json::json!({ "act": { "speaker": speaker } });
            Start { run: "run_1".into(), flow: "f".into(), input, lineage, ..Start::default() }
        };
        let first = begun_by("ada", None);
        let second = begun_by("f", Some(first.below()));
        let third = begun_by("f", Some(second.below()));
        assert_eq!([&first, &second, &third].map(Start::committer), [Some("ada"); 3]);
    }

    #[test]
    fn a_run_is_refused_below_too_many_and_below_too_many_of_its_own() {
        let mut start = Start { run: "run_1".into(), flow: "f".into(), ..Start::default() };
        for depth in 1..=32 {
            let below = start.below();
            assert_eq!((below.root.as_str(), below.depth()), ("run_1", depth));
            assert_eq!(below.refuses("g", 32, Some(1)), None);
            assert_eq!(below.refuses("f", 32, Some(3)).is_some(), depth >= 3, "at {depth}");
            start = Start { lineage: Some(below), run: format!("run_{depth}"), ..start };
        }
        let refused = start.below().refuses("g", 32, None).unwrap();
        assert_eq!(refused.code, "flow.too_deep");
        assert_eq!(refused.message, "33 runs stand above it, allowed are 32: … f → f → f → f → g");
    }
}
