//! Every behaviour, seen from the caller's socket. The upstream is a simulated system.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Behaviour, FaultProxy};

const ASK: &[u8] = b"GET /email/health HTTP/1.1\r\nhost: sim\r\n\r\n";
const BODY: &str = "{\"status\":\"ok\"}";
/// Long enough that nothing dripped or delayed by it arrives within a test.
const NEVER: Duration = Duration::from_secs(3600);

async fn scene(behaviour: Behaviour) -> (sim::Handle, FaultProxy) {
    let upstream = sim::serve(sim::Options::free_port()).await.unwrap();
    let proxy = FaultProxy::start(upstream.addr()).await.unwrap();
    proxy.set(behaviour);
    (upstream, proxy)
}

fn calls(upstream: &sim::Handle) -> u64 {
    upstream.effects("email").unwrap().calls.get("health").copied().unwrap_or(0)
}

async fn ask(proxy: &FaultProxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    stream
}

/// Reads until the answer's body is there or the connection ends.
async fn answer(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut text = String::new();
    let mut chunk = [0; 1024];
    while !text.ends_with(BODY) {
        match stream.read(&mut chunk).await? {
            0 => break,
            length => text.push_str(std::str::from_utf8(&chunk[..length]).unwrap()),
        }
    }
    Ok(text)
}

#[tokio::test]
async fn passes_everything_and_counts_it() {
    let (upstream, proxy) = scene(Behaviour::Pass).await;
    let mut stream = ask(&proxy).await;
    let first = answer(&mut stream).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    let second = answer(&mut stream).await.unwrap();
    assert!(first.ends_with(BODY) && second.ends_with(BODY), "{first} {second}");
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.open, calls(&upstream)), (1, 1, 2));
    assert_eq!((counts.sent, counts.answered), (2 * ASK.len() as u64, (first.len() + second.len()) as u64));
}

#[tokio::test]
async fn refuses_and_comes_back_on_the_same_port() {
    let (_upstream, proxy) = scene(Behaviour::Pass).await;
    let mut open = ask(&proxy).await;
    answer(&mut open).await.unwrap();
    for _ in 0..3 {
        proxy.set(Behaviour::Refuse);
        while TcpStream::connect(proxy.addr()).await.is_ok() {}
        let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        proxy.set(Behaviour::Pass);
        while TcpStream::connect(proxy.addr()).await.is_err() {}
        assert!(answer(&mut ask(&proxy).await).await.unwrap().ends_with(BODY));
    }
    assert_eq!(answer(&mut open).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn resets_after_the_first_bytes() {
    let (upstream, proxy) = scene(Behaviour::Reset).await;
    assert_eq!(answer(&mut ask(&proxy).await).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(calls(&upstream), 0);
}

#[tokio::test]
async fn swallows_everything_until_told_otherwise() {
    let (upstream, proxy) = scene(Behaviour::BlackHole).await;
    let mut stream = ask(&proxy).await;
    let silent = tokio::time::timeout(Duration::from_millis(50), answer(&mut stream)).await;
    assert!(silent.is_err() && calls(&upstream) == 0);
    proxy.set(Behaviour::Pass);
    stream.write_all(ASK).await.unwrap();
    assert!(answer(&mut stream).await.unwrap().ends_with(BODY));
}

#[tokio::test]
async fn drips_the_head_or_only_the_body() {
    let (_upstream, proxy) = scene(Behaviour::DripHead(NEVER)).await;
    let mut stream = ask(&proxy).await;
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    proxy.set(Behaviour::DripBody(NEVER));
    let mut stream = ask(&proxy).await;
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n{") {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
    let silent = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(silent.is_err());
    proxy.set(Behaviour::Pass);
    let mut rest = vec![0; BODY.len() - 1];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(rest, BODY.as_bytes()[1..]);
}

#[tokio::test]
async fn delays_and_a_change_ends_the_wait() {
    let (upstream, proxy) = scene(Behaviour::Delay(NEVER)).await;
    let mut stream = ask(&proxy).await;
    let silent = tokio::time::timeout(Duration::from_millis(50), answer(&mut stream)).await;
    assert!(silent.is_err() && calls(&upstream) == 0);
    proxy.set(Behaviour::Pass);
    assert!(answer(&mut stream).await.unwrap().ends_with(BODY));
}

#[tokio::test]
async fn floods_and_stops_when_the_caller_leaves() {
    let (upstream, proxy) = scene(Behaviour::EndlessBody).await;
    let mut stream = ask(&proxy).await;
    let mut chunk = vec![0; 4 << 20];
    stream.read_exact(&mut chunk).await.unwrap();
    assert!(chunk.starts_with(b"HTTP/1.1 200 OK\r\n") && chunk.ends_with(b"xxx"));
    drop(stream);
    while proxy.counts().open > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(calls(&upstream), 0);
}

#[tokio::test]
async fn half_closes_after_the_request_went_through() {
    let (upstream, proxy) = scene(Behaviour::HalfClose).await;
    let mut stream = ask(&proxy).await;
    assert_eq!(answer(&mut stream).await.unwrap(), "");
    while calls(&upstream) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn cuts_after_so_many_bytes() {
    for most in [0, 1, 20] {
        let (_upstream, proxy) = scene(Behaviour::CutAfter(most)).await;
        let mut stream = ask(&proxy).await;
        let mut read = Vec::new();
        let error = stream.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((error.kind(), proxy.counts().answered), (ErrorKind::ConnectionReset, most));
    }
}

#[tokio::test]
async fn a_dropped_proxy_leaves_no_connection() {
    let (_upstream, proxy) = scene(Behaviour::DripHead(NEVER)).await;
    let addr = proxy.addr();
    // Ours beyond the proxy's end: otherwise another test might listen there by then.
    proxy.set(Behaviour::Refuse);
    connects(addr, false).await;
    let _ours = crate::reserved::bind(addr).unwrap();
    proxy.set(Behaviour::DripHead(NEVER));
    connects(addr, true).await;
    let mut stream = ask(&proxy).await;
    stream.read_u8().await.unwrap();
    drop(proxy);
    assert_eq!(answer(&mut stream).await.unwrap_or_default(), "");
    connects(addr, false).await;
}

/// Waits until connecting there works, or does not.
async fn connects(addr: SocketAddr, works: bool) {
    let turned = async { while TcpStream::connect(addr).await.is_ok() != works {} };
    assert!(tokio::time::timeout(Duration::from_secs(60), turned).await.is_ok(), "{addr} works: {}", !works);
}
