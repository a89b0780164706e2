//! A collector that is down, slow, busy or picky is nobody's trouble but its own.

use std::time::Duration;

use otlp::{Patience, Protocol, Settings};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::collector::{Collector, Does};
use crate::heard::{exporting, exporting_with, settings};

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::Http];

#[tokio::test]
async fn a_collector_that_is_down_costs_spans_and_one_that_comes_back_gets_the_next() {
    for protocol in BOTH {
        let vacant = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = vacant.local_addr().unwrap();
        drop(vacant);
        let world = exporting(&settings(protocol, &format!("http://{address}")));
        world.record(1..=7);
        world.heard.becomes("away", 7).await;
        let collector = Collector::default();
        collector.listens_at(protocol, address).await;
        world.record(8..=9);
        world.heard.becomes("exported", 2).await;
        assert_eq!(collector.ids().concat(), [8, 9], "{protocol:?}");
    }
}

/// Recording is a plain function, and on this one thread nobody else runs meanwhile: it cannot have waited for anybody.
#[tokio::test(flavor = "current_thread")]
async fn a_full_queue_drops_and_counts_and_nobody_waits() {
    for protocol in BOTH {
        let collector = Collector::default();
        let endpoint = collector.listens(protocol).await;
        let world = exporting(&settings(protocol, &endpoint));
        world.record(1..=150);
        assert_eq!((world.heard.of("full"), world.heard.all()), (50, 50));
        world.heard.becomes("exported", 100).await;
        assert_eq!(collector.ids().concat(), (1..=100).collect::<Vec<_>>());
    }
}

/// It takes connections and says nothing.
async fn mute() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            open.push(tokio::spawn(async move { while stream.read_u8().await.is_ok() {} }));
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_collector_that_never_answers_loses_its_batches_and_no_more() {
    for protocol in BOTH {
        let settings = Settings { timeout: Duration::from_millis(20), ..settings(protocol, &mute().await) };
        let world = exporting(&settings);
        world.record(1..=20);
        world.heard.becomes("away", 20).await;
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_the_end_no_longer_than_is_allowed() {
    for protocol in BOTH {
        let world = exporting(&settings(protocol, &mute().await));
        world.record(1..=20);
        // The timeout of a request is a minute here, and `close` may not take it.
        world.exporter.close(Duration::from_millis(20)).await;
        assert_eq!((world.heard.of("closed"), world.heard.all()), (20, 20), "nothing is lost uncounted");
    }
}

#[tokio::test]
async fn what_is_busy_or_away_is_asked_again_with_the_same_spans() {
    for protocol in BOTH {
        for trouble in [Does::IsBusy, Does::IsAway] {
            let collector = Collector::that([trouble]);
            let endpoint = collector.listens(protocol).await;
            let world = exporting(&settings(protocol, &endpoint));
            world.record([1, 2]);
            world.heard.becomes("exported", 2).await;
            let ids = collector.ids();
            let again = ids.iter().filter(|batch| **batch == ids[0]).count();
            assert!(again >= 2, "{protocol:?}: {ids:?}");
            assert_eq!(world.heard.all(), 2);
        }
    }
}

#[tokio::test]
async fn what_a_collector_refuses_is_not_sent_again() {
    for protocol in BOTH {
        let collector = Collector::that([Does::Refuses]);
        let endpoint = collector.listens(protocol).await;
        let mut settings = settings(protocol, &endpoint);
        (settings.batch, settings.interval) = (2, Duration::from_secs(3600));
        // With more patience than a test has.
        let patience = Patience { first: Duration::from_secs(3600), ..Patience::default() };
        let world = exporting_with(&settings, patience);
        world.record([1, 2]);
        world.heard.becomes("refused", 2).await;
        world.record([3, 4]);
        world.heard.becomes("exported", 2).await;
        assert_eq!(collector.ids(), [[1, 2], [3, 4]], "{protocol:?}");
    }
}

#[tokio::test]
async fn what_is_taken_in_part_is_counted_in_part_and_not_sent_again() {
    for protocol in BOTH {
        let collector = Collector::that([Does::TakesAllBut(3)]);
        let endpoint = collector.listens(protocol).await;
        let mut settings = settings(protocol, &endpoint);
        settings.interval = Duration::from_secs(3600);
        let world = exporting(&settings);
        world.record(1..=10);
        world.heard.becomes("refused", 3).await;
        assert_eq!((world.heard.of("exported"), world.heard.all()), (7, 10));
        assert_eq!(collector.ids().len(), 1, "{protocol:?}");
    }
}
