//! Two providers of payments in the place of one: the pizza example with a group.

use serde_json::{Value, json};
use testkit::crash::client;

/// Charges that the first provider has no time for: those go on to the second.
const BUSY: u32 = 60;
/// How long a provider takes to answer after it has charged, in milliseconds: most kills fall into it.
const LATE: u64 = 120;

/// The configuration with `payments` made of the one that was there and another at `port`, each asked in turn.
pub(crate) fn two(text: &str, port: u16) -> String {
    let one = text.replace("  payments:\n", "  stripe:\n");
    let more = format!(
        "systems:
  payments:
    group: {{ round_robin: [stripe, adyen] }}
  adyen:
    guard: {{ limit: off, deadline: 2s, attempt_timeout: 1s }}
    rest:
      url: http://127.0.0.1:{port}/payments
      operations:
        charge: {{ post: /charges, repeat: keyed, undo: refund }}
        refund: {{ post: /refunds, repeat: keyed }}
"
    );
    one.replacen("systems:\n", &more, 1)
}

/// Lets both charge at once and answer late, and the first refuse a few because it is busy.
pub(crate) async fn take_their_time(first: &str, second: &str) {
    behave(
        first,
        &json!({ "operation": "charge", "times": BUSY, "fail": { "status": 429, "retry_after": 0 } }),
    )
    .await;
    for provider in [first, second] {
        behave(provider, &json!({ "operation": "charge", "late": LATE })).await;
    }
}

async fn behave(provider: &str, knob: &Value) {
    let url = format!("{provider}/_sim/payments/behave");
    let answer = client().post(url).json(knob).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
