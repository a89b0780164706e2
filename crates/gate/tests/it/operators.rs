//! The operators' own door.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use futures_util::future::BoxFuture;
use gate::{Auth, Deps, Doors, Limits, Page, Shown};
use http::HeaderMap;
use store::Store;
use tokio::runtime::{Builder, Runtime};

use crate::fixture::{Port, deps, fact};

/// A gate with both doors. Its main runtime is given back: nothing runs there unless somebody lets it.
fn opened(operators: &str, limits: Limits) -> (Runtime, Doors) {
    opened_at(|| TcpListener::bind(operators).unwrap(), &Port::reserve(), limits)
}

fn opened_at(operators: impl FnOnce() -> TcpListener, port: &Port, limits: Limits) -> (Runtime, Doors) {
    let main = Builder::new_current_thread().enable_all().build().unwrap();
    let doors = main.block_on(async {
        let deps = with_page(deps(Store::temporary().unwrap(), Auth::Loopback, limits).await);
        gate::serve(port.listen(), Some(operators()), deps).unwrap()
    });
    (main, doors)
}

fn with_page(deps: Deps) -> Deps {
    let show = |_: &HeaderMap| -> BoxFuture<'static, Shown> {
        Box::pin(async { Shown { status: 200, content_type: "text/plain", body: "well".into() } })
    };
    Deps { pages: vec![Page { path: "/ready", summary: "Well.", show: Box::new(show) }], ..deps }
}

fn own(doors: &Doors) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], doors.operators.as_ref().unwrap().address().port()))
}

/// Sends a request and leaves the answer to be read.
fn asked(address: SocketAddr, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    stream
}

/// The status of the answer, and the answer.
fn answered(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text[9..12].parse().unwrap(), text)
}

fn get(address: SocketAddr, path: &str) -> u16 {
    answered(asked(address, "GET", path, "")).0
}

#[test]
fn operators_are_answered_while_the_main_runtime_does_nothing() {
    let (main, doors) = opened("127.0.0.1:0", Limits::default());
    let body = fact("act_1", "n", 1.into()).to_string();
    let waiting = asked(doors.main.address(), "POST", "/v1/conversations/conv_1/acts", &body);
    for path in ["/ready", "/v1/runs?stuck=true", "/v1/runs", "/v1/dead", "/v1/systems", "/openapi.json"] {
        assert_eq!(get(own(&doors), path), 200, "{path}");
    }
    let (status, text) = answered(asked(own(&doors), "POST", "/v1/dead/dead_0/discard", ""));
    assert!(status == 404 && text.contains("dead.unknown"), "{text}");
    waiting.set_nonblocking(true).unwrap();
    assert_eq!((&waiting).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "the main door is shut");
    waiting.set_nonblocking(false).unwrap();
    let act = main.block_on(main.spawn_blocking(|| answered(waiting))).unwrap();
    assert_eq!(act.0, 200, "{}", act.1);
}

#[test]
fn callers_are_not_served_at_the_operators_door_and_pages_at_no_other() {
    let (main, doors) = opened("127.0.0.1:0", Limits::default());
    for path in ["/v1/conversations", "/v1/events", "/conversation/conv_1"] {
        assert_eq!(get(own(&doors), path), 404, "{path}");
    }
    let address = doors.main.address();
    let paths = ["/ready", "/v1/conversations", "/v1/runs"];
    let seen = main.block_on(main.spawn_blocking(move || paths.map(|path| get(address, path))));
    assert_eq!(seen.unwrap(), [404, 200, 200]);
}

#[test]
fn where_others_can_reach_it_and_nobody_is_asked_there_are_only_pages() {
    let (_main, doors) = opened("0.0.0.0:0", Limits::default());
    assert_eq!((get(own(&doors), "/ready"), get(own(&doors), "/v1/runs")), (200, 404));
}

#[test]
fn the_operators_door_is_open_until_it_is_drained_itself() {
    // Nobody else is given these ports while we see that nobody listens there.
    let ports = [Port::reserve(), Port::reserve()];
    let own = || ports[1].listen().into_std().unwrap();
    let (main, Doors { main: door, operators }) = opened_at(own, &ports[0], Limits::default());
    let (address, operators) = (door.address(), operators.unwrap());
    main.block_on(door.drain());
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(get(operators.address(), "/v1/runs"), 200);
    let address = operators.address();
    main.block_on(operators.drain());
    assert!(TcpStream::connect(address).is_err());
}
