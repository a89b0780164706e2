//! What arrives at a collector that is well.

use std::time::Duration;

use otlp::Protocol;
use port::{Recorder, SystemEntropy, TraceContext};

use crate::collector::Collector;
use crate::heard::{exporting, settings};

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::Http];

#[tokio::test]
async fn spans_arrive_in_order_in_batches_with_the_configured_headers() {
    for protocol in BOTH {
        let collector = Collector::default();
        let endpoint = collector.listens(protocol).await;
        let world = exporting(&settings(protocol, &endpoint));
        world.record(1..=25);
        world.heard.becomes("exported", 25).await;
        let ids = collector.ids();
        assert!(ids.iter().all(|batch| batch.len() <= 10), "{protocol:?}: {ids:?}");
        assert_eq!(ids.concat(), (1..=25).collect::<Vec<_>>(), "{protocol:?}");
        let got = collector.got.lock();
        assert_eq!(got[0].0["x-scope"], "tenant-1", "{protocol:?}");
        let resource = got[0].1.resource_spans[0].resource.as_ref().unwrap();
        let names: Vec<&str> = resource.attributes.iter().map(|attribute| &*attribute.key).collect();
        assert_eq!(names, ["service.name", "service.version"]);
    }
}

#[tokio::test]
async fn what_waits_is_sent_when_it_closes() {
    for protocol in BOTH {
        let collector = Collector::default();
        let endpoint = collector.listens(protocol).await;
        let mut settings = settings(protocol, &endpoint);
        settings.interval = Duration::from_secs(3600);
        let world = exporting(&settings);
        world.record(1..=5);
        world.exporter.close(Duration::from_secs(60)).await;
        assert_eq!((collector.ids(), world.heard.of("exported")), (vec![vec![1, 2, 3, 4, 5]], 5));
        world.record([6]);
        assert_eq!((world.heard.of("closed"), world.heard.all()), (1, 6), "nothing is lost uncounted");
    }
}

/// The sampler of a service that takes more takes all that one takes which takes less.
#[tokio::test]
async fn a_ratio_is_kept_and_agrees_with_other_samplers() {
    let sampler = |sample: f64| {
        let settings = otlp::Settings { sample, ..settings(Protocol::Http, "http://127.0.0.1:1") };
        exporting(&settings).exporter
    };
    let (all, none) = (sampler(1.0), sampler(0.0));
    let (some, more) = (sampler(0.25), sampler(0.5));
    let ids: Vec<u128> = (0..10_000).map(|_| TraceContext::root(&SystemEntropy).trace_id).collect();
    assert!(ids.iter().all(|id| all.samples(*id) && !none.samples(*id)));
    assert!(ids.iter().all(|id| more.samples(*id) || !some.samples(*id)));
    let taken = ids.iter().filter(|id| some.samples(**id)).count();
    // Ten standard deviations around 2,500.
    assert!((2000..3000).contains(&taken), "{taken} of 10000");
    // The threshold of a quarter as `tracestate` writes it is `th:c`: these ids stand on both sides of it.
    assert!(some.samples(0x00c0_0000_0000_0000) && !some.samples(0xffbf_ffff_ffff_ffff));
}
