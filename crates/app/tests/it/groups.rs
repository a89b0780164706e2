//! A system made of systems: the second serves while the first is down, and the first is asked again when it is back.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::fault_proxy::{Behaviour, FaultProxy};

use crate::cardan::Cardan;
use crate::nodes::Nodes;

/// Two systems that can `create`; what they keep does not matter here. The first is reached through a proxy.
const CONFIG: &str = "
systems:
  first:
    guard: { retry: { max_attempts: 1 }, breaker: off }
    rest: { url: 'http://PROXY/crm', operations: { create: { post: /contacts, repeat: keyed } } }
  second:
    rest: { url: 'SYSTEMS/orders', operations: { create: { post: /orders, repeat: keyed } } }
  records:
    group: { failover: [first, second] }
flows:
  write:
    on: { commit: { system: records } }
    do: [ { write: { call: records.create, with: { id: '${ entity.id }', name: '${ entity.name }' }, compensate: none } } ]
";

#[tokio::test]
async fn the_second_member_serves_while_the_first_is_down() {
    let mut town = Nodes::none().await;
    let proxy = FaultProxy::start(town.systems).await.unwrap();
    proxy.set(Behaviour::Refuse);
    town.serve(&CONFIG.replace("PROXY", &proxy.addr().to_string())).await;
    commits(&town, 0..3).await;
    assert_eq!((town.ledger("crm").await.len(), town.ledger("orders").await.len()), (0, 3));
    let down = shares(&town).await;
    assert!(down[0] <= 50 && down[1] == 100, "it is asked first less often: {down:?}");
    let list =
        Cardan::new(Path::new("/"), &["system", "list"]).env("CARDAN_URL", &town.nodes[0].url).end().await;
    let shown = format!("failover of first {}%, second", down[0]);
    assert!(list.done().contains(&shown), "{}", list.out);

    proxy.set(Behaviour::Pass);
    commits(&town, 3..35).await;
    let (first, second) = (town.ledger("crm").await.len(), town.ledger("orders").await.len());
    assert!(first >= 4, "it is back, and asked again: {first} of 32");
    assert_eq!(first + second, 35, "each once");
    assert!(shares(&town).await[0] > down[0], "and more and more often");
}

/// Two systems that can `charge` and `refund`; the first is reached through a proxy, and so is what comes after.
const SHOP: &str = "
systems:
  first:
    guard: { retry: { max_attempts: 1 }, breaker: off }
    rest:
      url: 'http://PROXY/crm'
      operations: { charge: { post: /contacts, repeat: keyed, undo: refund }, refund: { post: /contacts, repeat: keyed } }
  second:
    rest:
      url: 'SYSTEMS/payments'
      operations: { charge: { post: /charges, repeat: keyed, undo: refund }, refund: { post: /refunds, repeat: keyed } }
  orders:
    guard: { retry: { max_attempts: 1 }, breaker: off }
    rest: { url: 'http://PROXY/orders', operations: { update: { patch: '/orders/{id}', repeat: safe } } }
  payments:
    group: { failover: [first, second] }
flows:
  pay:
    on: { commit: { system: shop } }
    do:
      - charge:
          call: payments.charge
          with: { amount: 42, currency: EUR, method: tok_visa }
          compensate: { call: payments.refund, with: { charge: '${ result.id }' } }
      - record: { call: orders.update, with: { id: nowhere }, retry: { attempts: 500, wait: 100ms, max: 100ms } }
";

#[tokio::test]
async fn a_charge_is_refunded_by_the_member_that_took_it() {
    let mut town = Nodes::none().await;
    let proxy = FaultProxy::start(town.systems).await.unwrap();
    proxy.set(Behaviour::Refuse);
    town.serve(&SHOP.replace("PROXY", &proxy.addr().to_string())).await;
    town.nodes[0].commit("shop", "o1", &json!({ "name": "ada" })).await;
    eventually("a charge", async || (!town.ledger("payments").await.is_empty()).then_some(())).await;
    // The first member is back before anything is undone, and there is no such order.
    proxy.set(Behaviour::Pass);
    let undone = async || {
        let run = town.nodes[0].runs(1).await.remove(0);
        (run["status"] == "compensated").then_some(run)
    };
    let run = eventually("what was done is undone", undone).await;
    let asked = town.ledger("payments").await;
    let told: Vec<_> = asked.iter().map(|entry| (&entry["operation"], &entry["outcome"])).collect();
    let (charge, refund, acted) = (json!("charge"), json!("refund"), json!("acted"));
    assert_eq!(told, [(&charge, &acted), (&refund, &acted)]);
    assert_eq!(asked[1]["body"]["charge"], asked[0]["answer"]["id"]);
    assert_eq!(town.ledger("crm").await, Vec::<Value>::new(), "the first was asked for nothing");

    let show = Cardan::new(Path::new("/"), &["flow", "show", run["id"].as_str().unwrap()]);
    let shown = show.env("CARDAN_URL", &town.nodes[0].url).end().await;
    for line in ["payments.charge at second", "payments.refund at second"] {
        assert!(shown.done().contains(line), "{}", shown.out);
    }
}

/// Waits until there is what is looked for.
async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never happened: {what}");
}

/// So many commits at the one server, each of which must succeed.
async fn commits(town: &Nodes, numbers: std::ops::Range<usize>) {
    let until = numbers.end;
    for number in numbers {
        town.nodes[0].commit("records", &format!("r{number}"), &json!({ "name": "ada" })).await;
    }
    let runs = town.nodes[0].runs(until).await;
    assert!(runs.iter().all(|run| run["status"] == "succeeded"), "{runs:#?}");
}

/// The percentage of its first tries that each member gets.
async fn shares(town: &Nodes) -> Vec<u64> {
    let shown = town.nodes[0].get("/v1/systems/records").await;
    assert_eq!((&shown["adapter"], &shown["status"]["group"]), (&json!("group"), &json!("failover")));
    let members = shown["status"]["members"].as_array().unwrap().iter();
    members.map(|member: &Value| member["share_percent"].as_u64().unwrap()).collect()
}
