//! The operators' door: an address of their own.

use std::net::TcpListener;
use std::time::Duration;

use expect_test::expect;
use testkit::crash::{Process, free_port};

use crate::cardan::Cardan;
use crate::scene::pizza;

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

fn apart(api: u16, pages: u16) -> String {
    format!("{}operators: {{ listen: 127.0.0.1:{pages} }}\n", pizza(api, 1))
}

async fn status(port: u16, path: &str) -> u16 {
    reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn operators_with_an_address_of_their_own_have_the_pages_there_and_their_api_at_both() {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (api, pages) = (free_port().unwrap(), free_port().unwrap());
    let config = folder.path().join("cardan.yaml");
    let store = format!("sqlite:{}", folder.path().join("cardan.db").display());
    std::fs::write(&config, apart(api, pages).replace("sqlite:cardan.db", &store)).unwrap();
    let arguments = ["serve", config.to_str().unwrap()];
    let mut server = Process::new(env!("CARGO_BIN_EXE_cardan"), &arguments, &folder.path().join("serve.log"));
    server.start(&[]).unwrap();
    let ready = server.ready(&format!("http://127.0.0.1:{pages}/ready"), PATIENCE).await;
    assert!(ready, "{}", server.last_words());
    for path in ["/metrics", "/health", "/ready", "/health/adapters"] {
        let seen = (status(pages, path).await, status(api, path).await);
        assert_eq!(seen, (200, 404), "{path}");
    }
    for path in ["/v1/systems", "/v1/runs", "/v1/dead"] {
        assert_eq!((status(pages, path).await, status(api, path).await), (200, 200), "{path}");
    }
    let path = "/v1/conversations";
    assert_eq!((status(pages, path).await, status(api, path).await), (404, 200), "{path}");
}

#[tokio::test]
async fn a_busy_port_of_the_operators_is_refused_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    std::fs::write(folder.path().join("cardan.yaml"), apart(0, port)).unwrap();
    let ended = Cardan::new(folder.path(), &["serve"]).end().await;
    ended.refused_where(
        |text| text.replace(&port.to_string(), "PORT"),
        &expect![[r#"
        cardan: listening on 127.0.0.1:PORT: Address already in use (os error 98)
          another program listens there: stop it, or change `operators.listen` in cardan.yaml
    "#]],
    );
    assert!(!folder.path().join("cardan.db").exists(), "a refused start left a store");
}
