//! Pages, and SQL for people who look.

use std::time::Duration;

use store::{Cell, Error, Expected, Options, Store};

use crate::given::{Disk, batch};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn pages_are_bounded_in_rows_and_bytes() {
    let disk = Disk::new();
    let options = Options { page_rows: 4, page_bytes: 2000, ..Options::default() };
    let store = Store::open(disk.path(), options).unwrap();
    store.commit(batch("s", Expected::NoStream, &["1", "2", "3", "4", "5", "6"])).await.unwrap();
    assert_eq!(store.log(0, 100).await.unwrap().len(), 4);
    assert_eq!(store.log(0, 2).await.unwrap().len(), 2);
    assert_eq!(store.stream("s", 4, 100).await.unwrap().len(), 2);
    let long = "x".repeat(1500);
    store.commit(batch("t", Expected::NoStream, &[&long, &long, &long])).await.unwrap();
    assert_eq!(store.stream("t", 0, 100).await.unwrap().len(), 2);
    assert_eq!(store.stream("nowhere", 0, 100).await.unwrap(), []);
}

#[tokio::test]
async fn a_query_sees_the_log() {
    let store = Store::temporary().unwrap();
    store.commit(batch("s", Expected::NoStream, &[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#])).await.unwrap();
    let sql = "SELECT stream, version, data ->> 'n' AS n FROM log ORDER BY position";
    let table = store.query(sql, 2, LONG).await.unwrap();
    assert_eq!(table.columns, ["stream", "version", "n"]);
    let row = |n| vec![Cell::Text("s".into()), Cell::Integer(n), Cell::Integer(n)];
    assert_eq!((table.rows, table.more), (vec![row(1), row(2)], true));
}

#[tokio::test]
async fn a_query_cannot_write_or_reach_out() {
    let store = Store::temporary().unwrap();
    let attempts = [
        "DELETE FROM events",
        "PRAGMA query_only = OFF",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "CREATE TABLE t (x)",
        "BEGIN IMMEDIATE",
        "SELECT load_extension('x')",
        "not sql",
    ];
    for sql in attempts {
        let refused = store.query(sql, 10, LONG).await;
        assert!(matches!(refused, Err(Error::Query(_))), "{sql}: {refused:?}");
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_interrupted() {
    let store = Store::temporary().unwrap();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    let refused = store.query(endless, 10, Duration::from_millis(50)).await;
    assert!(matches!(&refused, Err(Error::Query(what)) if what.contains("interrupted")), "{refused:?}");
}
