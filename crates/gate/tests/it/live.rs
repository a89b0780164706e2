//! Live events: no gap, no duplicate, nothing of others.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fixture::{House, fact, request};

const EVENTS: &str = "/v1/conversations/conv_1/events";

struct Follower {
    body: Body,
    text: String,
}

impl Follower {
    async fn open(house: &House, path: &str, headers: &[(&str, &str)]) -> Self {
        let response =
            house.router.clone().oneshot(request(Method::GET, path, headers, Body::empty())).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Reads on until `count` events were read in all; gives their ids and envelopes.
    async fn until(&mut self, count: usize) -> Vec<(u64, Value)> {
        let read = async {
            while self.events().len() < count {
                let frame = self.body.frame().await.expect("the stream goes on").unwrap();
                self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("events arrive");
        self.events()
    }

    fn events(&self) -> Vec<(u64, Value)> {
        let whole = |block: &&str| block.contains("\ndata: ");
        let parts = self.text.split("\n\n").filter(whole);
        parts
            .map(|block| {
                let line =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
                (line("id: ").parse().unwrap(), serde_json::from_str(&line("data: ")).unwrap())
            })
            .collect()
    }
}

async fn say(house: &House, conversation: &str, from: u32, to: u32) {
    for number in from..to {
        let act = fact(&format!("act_{number}"), "n", json!(number));
        assert_eq!(house.post(&format!("/v1/conversations/{conversation}/acts"), &act).await.status, 200);
    }
}

fn acts(events: &[(u64, Value)]) -> Vec<u64> {
    let processed = events.iter().filter(|(_, event)| event["type"] == "ActProcessed");
    processed.map(|(_, event)| event["payload"]["act"]["value"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_follower_resumes_without_gap_or_duplicate() {
    let house = House::open().await;
    say(&house, "conv_1", 0, 5).await;
    let mut first = Follower::open(&house, &format!("{EVENTS}?after=0"), &[]).await;
    let seen = first.until(7).await;
    let (last, _) = seen[6];
    let resuming = [("last-event-id", last.to_string())];
    let resuming: Vec<(&str, &str)> = resuming.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut second = Follower::open(&house, EVENTS, &resuming).await;
    say(&house, "conv_1", 5, 10).await;
    let all = house.events("conversation-conv_1").await.len();
    let rest = second.until(all - 7).await;
    let together: Vec<_> = seen[..7].iter().chain(&rest).cloned().collect();
    assert_eq!(acts(&together), (0..10).collect::<Vec<_>>());
    assert!(together.windows(2).all(|pair| pair[0].0 < pair[1].0), "ids grow");
}

#[tokio::test]
async fn a_conversations_follower_sees_only_it() {
    let house = House::open().await;
    say(&house, "conv_1", 0, 1).await;
    say(&house, "conv_2", 0, 3).await;
    let mut follower = Follower::open(&house, &format!("{EVENTS}?after=0"), &[]).await;
    say(&house, "conv_2", 3, 6).await;
    say(&house, "conv_1", 1, 2).await;
    let events = follower.until(5).await;
    assert!(events.iter().all(|(_, event)| event["source"] == "conversation-conv_1"), "{events:?}");
}

#[tokio::test]
async fn without_a_position_only_news_are_told() {
    let house = House::open().await;
    say(&house, "conv_1", 0, 3).await;
    let mut follower = Follower::open(&house, "/v1/events", &[]).await;
    say(&house, "conv_1", 3, 4).await;
    assert_eq!(acts(&follower.until(2).await), [3]);
}

#[tokio::test]
async fn subscriptions_are_bounded() {
    let house = House::with(|limits| limits.subscriptions = 1).await;
    let follower = Follower::open(&house, "/v1/events", &[]).await;
    let refused = house.get("/v1/events").await;
    assert_eq!((refused.status, refused.code()), (429, "live.too_many"));
    drop(follower);
    Follower::open(&house, "/v1/events", &[]).await;
}

#[tokio::test]
async fn silence_is_broken_by_a_heartbeat() {
    let house = House::with(|limits| limits.heartbeat = Duration::from_millis(5)).await;
    let mut follower = Follower::open(&house, "/v1/events", &[]).await;
    let mut text = String::new();
    while !text.contains(": beat\n\n") {
        let frame = follower.body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    assert!(text.starts_with(": ok\n\n"));
}

#[tokio::test]
async fn a_position_of_another_history_is_refused() {
    let house = House::open().await;
    say(&house, "conv_1", 1, 3).await;
    for (path, headers) in [
        (EVENTS, &[("last-event-id", "99999999")][..]),
        ("/v1/events", &[("last-event-id", "99999999")]),
        ("/v1/events?after=99999999", &[]),
    ] {
        let refused = house.get_with(path, headers).await;
        assert_eq!((refused.status, refused.code()), (409, "position.ahead"), "{path}: {}", refused.text);
        assert_eq!(refused.json["head"], house.head());
    }
    let acts = house.get("/v1/conversations/conv_1?after=999").await;
    assert_eq!((acts.status, acts.code()), (409, "position.ahead"));
    let head = house.head().to_string();
    let mut follower = Follower::open(&house, EVENTS, &[("last-event-id", &head)]).await;
    say(&house, "conv_1", 3, 4).await;
    follower.until(1).await;
}
