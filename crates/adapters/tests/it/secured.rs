//! Whom a system must prove to be, and where it may be: over real sockets.

use std::path::PathBuf;
use std::sync::Arc;

use port::{Kind, Landed, Link, Status};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::remote::Remote;
use crate::rig::{self, call, rest};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// A server at localhost that is certified by an authority of its own; with `strict`, callers must be as well.
async fn server(strict: bool) -> String {
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let mut known = RootCertStore::empty();
    known.add(CertificateDer::from_pem_file(file("authority.pem")).unwrap()).unwrap();
    let callers = WebPkiClientVerifier::builder(Arc::new(known));
    let callers = if strict { callers } else { callers.allow_unauthenticated() };
    let config = ServerConfig::builder().with_client_cert_verifier(callers.build().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                _ = stream.write_all(b"HTTP/1.1 204 Done\r\nconnection: close\r\n\r\n").await;
                _ = stream.shutdown().await;
            }
        }
    });
    format!("https://localhost:{port}")
}

fn link(url: &str, tls: Value) -> Arc<dyn Link> {
    rest(json!({ "url": url, "tls": tls, "operations": { "look": { "get": "/look" } } }))
}

#[tokio::test]
async fn a_system_is_trusted_when_the_authority_that_is_named_certifies_it() {
    let url = server(false).await;
    let trusting = link(&url, json!({ "ca": file("authority.pem") }));
    assert_eq!(call(&*trusting, "look", Value::Null).await.unwrap().status, Some(Status::http(204)));
    // Another authority, and the machine's own.
    let others = [json!({ "ca": file("caller.pem") }), json!({})];
    for tls in others {
        let fault = call(&*link(&url, tls.clone()), "look", Value::Null).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Connect, Landed::No), "{tls}: {fault}");
    }
}

#[tokio::test]
async fn a_system_that_asks_who_we_are_is_shown_our_certificate() {
    let url = server(true).await;
    let named = json!({ "ca": file("authority.pem"), "certificate": file("caller.pem"), "key": { "secret": "CALLER" } });
    assert_eq!(call(&*link(&url, named), "look", Value::Null).await.unwrap().status, Some(Status::http(204)));
    let nameless = link(&url, json!({ "ca": file("authority.pem") }));
    assert!(call(&*nameless, "look", Value::Null).await.is_err());
}

#[tokio::test]
async fn what_tls_names_and_cannot_be_used_stops_the_build() {
    let kind = rig::kind("rest");
    let key = json!({ "secret": "KEY" });
    for (tls, says) in [
        (json!({ "ca": file("nowhere.pem") }), "reading "),
        (json!({ "ca": file("make.sh") }), "make.sh holds no certificate in PEM"),
        (
            json!({ "certificate": file("caller.pem"), "key": key }),
            "the secret KEY are no certificate and key in PEM",
        ),
    ] {
        let section = json!({ "url": "https://h.example", "tls": tls });
        let Err(found) = rig::built(&kind, &diag::Node::from_json(&section)) else {
            panic!("built with {tls}")
        };
        assert_eq!(found[0].code, "REST016", "{tls}");
        assert!(found[0].message.contains(says), "{}", found[0].message);
        assert!(!found[0].message.contains(rig::SECRET));
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let remote = Remote::answering(204, "", "").await;
    let url = format!("http://localhost:{}", remote.addr.port());
    let at = |addresses: &str| {
        rest(json!({ "url": url, "addresses": addresses, "operations": { "look": { "get": "/look" } } }))
    };
    let fault = call(&*at("public"), "look", Value::Null).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Connect, Landed::No), "{fault}");
    assert_eq!(fault.context, [("cause", "localhost has no public address".to_owned())]);
    assert!(remote.requests().is_empty());
    assert_eq!(call(&*at("any"), "look", Value::Null).await.unwrap().status, Some(Status::http(204)));
}
