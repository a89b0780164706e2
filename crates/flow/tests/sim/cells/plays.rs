//! Plays each cell in a scripted world.

use std::time::Duration;

use store::RunStatus;

use super::{CAUSES, Cause, ENDINGS, Ending, Then, flows, is_kept};
use crate::case::Case;
use crate::deed::Deed;
use crate::flows::{Flows, Step};
use crate::play::{Played, play};

/// As many moments as the longest of these flows has.
const MOMENTS: u64 = 20;

fn case(cause: &Cause, ending: Ending) -> Case {
    let text = flows(cause, ending).map(|(name, flow)| (name.to_owned(), flow)).into();
    let steps = ["s1", "s2"].map(|name| (name.to_owned(), Step { undo: true, tells: None })).into();
    Case {
        seed: 1,
        flows: Flows { text, steps, ..Flows::default() },
        runs: 1,
        runs_per_root: 1000,
        faults: 0,
        script: ending.script(),
        deeds: deeds(ending),
        kills: Vec::new(),
        tidied: false,
    }
}

fn deeds(ending: Ending) -> Vec<(Duration, Deed)> {
    let at = Duration::from_secs;
    match ending {
        Ending::Cancel => vec![(at(60), Deed::Cancel(0))],
        Ending::Restart => vec![(at(160), Deed::Restart(0, 0))],
        Ending::PauseResume => vec![(at(1), Deed::Pause(0)), (at(170), Deed::Resume(0))],
        Ending::Replay => vec![(at(150), Deed::Replay), (at(170), Deed::Replay)],
        Ending::Discard => vec![(at(160), Deed::Discard)],
        Ending::Success | Ending::LaterFailure | Ending::LateTimeout | Ending::Crash => Vec::new(),
    }
}

/// What is wrong with how a cell has ended.
fn wrong(cause: &Cause, ending: Ending, played: &Played) -> Option<String> {
    let then = ending.then(cause.kind);
    let main = played.found.runs.values().find(|run| run.view.flow == "main")?;
    let (status, standing) = (main.view.status, played.standing);
    let blocked = main.view.blocked_on.as_ref().map(|blocked| blocked.reason);
    let right = match then {
        Then::Stands => status == RunStatus::Succeeded && standing >= cause.effects,
        Then::Undone => status.is_ended() && standing == 0,
        Then::Letter => status == RunStatus::Succeeded && standing == 0,
        Then::Waits(reason) => !status.is_ended() && blocked == Some(reason),
        Then::Said(times) => status.is_ended() && played.said == times,
        Then::StandsOr(reason) => {
            let stands = status == RunStatus::Succeeded && standing == cause.effects;
            stands || (!status.is_ended() && blocked == Some(reason))
        }
    };
    let fine = right && played.violations.is_empty();
    let said = || {
        format!(
            "{} × {ending:?}: wanted {then:?}, found {status:?} {blocked:?}, {standing} standing {:?}",
            cause.name, played.violations
        )
    };
    (!fine).then(said)
}

/// Everything that is wrong with a cell.
fn faults(cause: &Cause, ending: Ending) -> Vec<String> {
    let case = case(cause, ending);
    let kills = if ending == Ending::Crash { 0..2 * MOMENTS } else { 0..0 };
    let killed = kills.map(|kill| Case { kills: vec![kill], ..case.clone() });
    let cases = std::iter::once(case.clone()).chain(killed);
    let wrong = |case: Case| {
        wrong(cause, ending, &play(&case)).map(|how| format!("{how}, killed at {:?}", case.kills))
    };
    cases.filter_map(wrong).collect()
}

#[test]
fn every_cell_ends_as_the_table_says() {
    let mut found = Vec::new();
    for cause in &CAUSES {
        for ending in ENDINGS {
            let faults = faults(cause, ending);
            match is_kept(cause, ending) {
                true => found.extend(faults),
                false if faults.is_empty() => found.push(format!("{} × {ending:?} is kept now", cause.name)),
                false => {}
            }
        }
    }
    assert!(found.is_empty(), "{} cells are otherwise:\n{}", found.len(), found.join("\n"));
}
