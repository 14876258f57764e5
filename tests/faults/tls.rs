//! Row 46: TLS that is not acceptable. The program itself runs, for where the roots are is said in its environment.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls");

fn acceptor(certificate: &str) -> TlsAcceptor {
    let read = |name: &str| std::fs::read(Path::new(DATA).join(name)).unwrap();
    let certificate = CertificateDer::from_pem_slice(&read(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// What came of a run against a server with this certificate, or with none: the first cause of a connection that gives up,
/// the connections by then, and those that got through the handshake.
async fn run(certificate: Option<&'static str>, roots: &Path) -> (String, usize, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (came, through) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (came.clone(), through.clone());
    let server = tokio::spawn(async move {
        let acceptor = certificate.map(acceptor);
        while let Ok((client, _)) = listener.accept().await {
            counts.0.fetch_add(1, Ordering::SeqCst);
            // Who gets through is left there: what comes after is other tests' matter.
            let got_through = match &acceptor {
                Some(acceptor) => acceptor.accept(client).await.is_ok(),
                // Plain HTTP/2 to whoever speaks it.
                None => h2::server::handshake(client).await.is_ok(),
            };
            counts.1.fetch_add(usize::from(got_through), Ordering::SeqCst);
        }
    });
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
    command.args(["headless", "--connections", "1", "--endpoint", &url]);
    command.env_clear().env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    command.env("XDG_STATE_HOME", home.path()).env("SSL_CERT_FILE", roots);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let cause = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let events = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
        let given_up = |event: &serde_json::Value| {
            event["type"] == "connection" && (event["state"] == "backing_off" || event["state"] == "stopped")
        };
        let cause = events.filter(given_up).find_map(|event| Some(event["cause"].as_str()?.to_owned()));
        child.kill().unwrap();
        child.wait().unwrap();
        cause.expect("a cause")
    });
    let cause = cause.await.unwrap();
    server.abort();
    (cause, came.load(Ordering::SeqCst), through.load(Ordering::SeqCst))
}

#[tokio::test]
async fn tls_that_is_not_acceptable_is_named_and_nothing_goes_through_in_plain_text() {
    let (authority, none) = (Path::new(DATA).join("authority.pem"), Path::new("/dev/null"));
    for (certificate, roots, word) in [
        (Some("expired.pem"), authority.as_path(), "expired"),
        (Some("own.pem"), authority.as_path(), "UnknownIssuer"),
        (Some("elsewhere.pem"), authority.as_path(), "not valid for name"),
        (Some("good.pem"), none, "certificate"),
        (None, authority.as_path(), "InvalidContentType"),
    ] {
        let (cause, came, through) = run(certificate, roots).await;
        let words = "the server's certificate or TLS is not acceptable";
        assert!(cause.contains(words) && cause.contains(word), "{certificate:?}: {cause}");
        assert!(came <= 1, "{certificate:?}: {came} connections");
        assert_eq!(through, 0, "{certificate:?}");
    }
    // The certificates are what is wrong above, and not the way to the server.
    let (cause, _, through) = run(Some("good.pem"), &authority).await;
    assert!(through > 0, "{cause}");
}
