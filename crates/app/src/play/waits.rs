//! What a run waits for, in words: who keeps it waiting, why, and when it goes on.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The present, for [`words`].
#[expect(clippy::disallowed_methods, reason = "the command line is wiring: it reads the real clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

const AGAIN: &str = "tries again";

/// What a run's `blocked_on` says. `None` when it waits for nothing.
pub fn words(blocked: &Value, now: Timestamp) -> Option<String> {
    let reason = blocked["reason"].as_str()?;
    let what = match reason {
        "queued" => queued(&blocked["on"]),
        "by a person" => "a person, who paused it".to_owned(),
        "exhausted" => "attempts exhausted".to_owned(),
        "outcome_unknown" => "nobody knows whether it landed".to_owned(),
        "parked" => "a person: something could not be undone".to_owned(),
        "expression" => "a person: an expression failed on its data".to_owned(),
        "input" => "a person: the input does not fit".to_owned(),
        "blocked" => {
            format!("{} is not configured", blocked["on"]["missing"].as_str().unwrap_or("something"))
        }
        "answer" => answer(&blocked["on"]),
        "retry" => "its last call failed".to_owned(),
        "delivery" => "its first delivery".to_owned(),
        "behind" => format!("its turn after {}", blocked["on"]["message"].as_str().unwrap_or("another")),
        "dead_letter" => "a person: it is a dead letter and holds its key; see `cardan dead list`".to_owned(),
        "timer" => "its time".to_owned(),
        "breaker_open" => "breaker open".to_owned(),
        "bulkhead_full" => "all its places are taken".to_owned(),
        "rate_limited" => "its rate limit is reached".to_owned(),
        "deadline_too_near" => "no time left for an attempt".to_owned(),
        other => other.to_owned(),
    };
    let who = blocked["system"].as_str().map(|system| format!("{system}: ")).unwrap_or_default();
    let step = match (reason, blocked["step"].as_str()) {
        ("exhausted" | "outcome_unknown" | "expression" | "input" | "blocked", Some(step)) => {
            format!(" at {step}")
        }
        _ => String::new(),
    };
    let until = blocked["until"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let when = match until {
        // Held back where it waits, until its guard lets it out.
        Some(until) if until <= now && verb(reason) == AGAIN => format!(", {AGAIN} as soon as it can"),
        Some(until) => format!(", {} {}", verb(reason), when(until, now)),
        None => String::new(),
    };
    Some(format!("{who}{what}{step}{when}"))
}

fn queued(on: &Value) -> String {
    match on["run"].as_str() {
        Some(ahead) => format!("its turn after {ahead}"),
        None => "its turn".to_owned(),
    }
}

fn answer(on: &Value) -> String {
    let named = |kind: &str| on[kind].as_str().map(|name| format!("{kind} {name}"));
    named("signal")
        .or_else(|| named("topic"))
        .or_else(|| named("run"))
        .unwrap_or_else(|| "an answer".to_owned())
}

fn verb(reason: &str) -> &'static str {
    match reason {
        "timer" => "goes on",
        "answer" => "until",
        _ => AGAIN,
    }
}

/// `04:30:24 (in 40 s)`, in UTC like the log; with the day when it is not within one.
fn when(until: Timestamp, now: Timestamp) -> String {
    let left = until.duration_since(now);
    let pattern = if left < SignedDuration::from_hours(24) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    format!("{} ({})", until.strftime(pattern), distance(left))
}

fn distance(left: SignedDuration) -> String {
    match left.as_secs() {
        ..=0 => "now".to_owned(),
        seconds => format!("in {}", span(seconds)),
    }
}

/// How long ago something was, as the API tells its time: `12 min`.
pub fn age(since: &Value, now: Timestamp) -> String {
    let since = since.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    since.map_or_else(|| "-".to_owned(), |since| span(now.duration_since(since).as_secs().max(0)))
}

fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(blocked: &Value, expected: &str) {
        let now = "2026-01-01T04:29:44.123456789Z".parse().unwrap();
        assert_eq!(words(blocked, now).unwrap_or_default(), expected);
    }

    #[test]
    fn a_run_says_whom_it_waits_for_and_until_when() {
        let at = "2026-01-01T04:30:24.5Z";
        check(
            &json!({ "reason": "breaker_open", "system": "payments", "step": "charge", "until": at }),
            "payments: breaker open, tries again 04:30:24 (in 40 s)",
        );
        check(
            &json!({ "reason": "breaker_open", "system": "payments", "until": "2026-01-01T04:29:00Z" }),
            "payments: breaker open, tries again as soon as it can",
        );
        check(&json!({ "reason": "timer", "until": at }), "its time, goes on 04:30:24 (in 40 s)");
        let tomorrow = "2026-01-03T04:30:24Z";
        check(
            &json!({ "reason": "answer", "on": { "signal": "approve" }, "until": tomorrow }),
            "signal approve, until 2026-01-03 04:30:24 (in 2 days)",
        );
        check(&json!({ "reason": "queued", "on": { "run": "run_1" } }), "its turn after run_1");
        check(
            &json!({ "reason": "exhausted", "system": "payments", "step": "charge" }),
            "payments: attempts exhausted at charge",
        );
        check(&json!({ "reason": "delivery", "system": "email" }), "email: its first delivery");
        check(
            &json!({ "reason": "blocked", "step": "ship", "system": "shop", "on": { "missing": "shop.ship" } }),
            "shop: shop.ship is not configured at ship",
        );
        check(
            &json!({ "reason": "behind", "system": "email", "on": { "message": "run_1/mail" } }),
            "email: its turn after run_1/mail",
        );
        check(&Value::Null, "");
    }

    #[test]
    fn an_age_is_told_roughly() {
        let told = |since: &str| age(&json!(since), "2026-01-01T04:00:00Z".parse().unwrap());
        assert_eq!(
            [
                "2026-01-01T03:58:01Z",
                "2026-01-01T03:58:00Z",
                "2025-12-31T04:00:00Z",
                "2026-01-02T04:00:00Z",
                "?"
            ]
            .map(told),
            ["119 s", "2 min", "24 h", "0 s", "-"]
        );
    }
}
