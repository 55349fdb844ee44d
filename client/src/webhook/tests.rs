use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const SECRET: &[u8] = b"sixteen bytes ok";

/// A door on a free port, before an agent that answers as told; what it was asked.
struct World {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Value>>>,
}

async fn world(per_minute: u32, answer: Result<Value, ApiError>) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let send: Send = Box::new(move |params| {
        noted.lock().unwrap().push(params);
        Box::pin(std::future::ready(answer.clone()))
    });
    let door = Door::new(send, "alerts".to_owned(), Secret::of(SECRET), per_minute);
    tokio::spawn(door.serve(listener));
    World { address, asked }
}

fn sent() -> Result<Value, ApiError> {
    Ok(json!({"id": "ab", "seq": 12, "state": "sent"}))
}

fn failed(exit: u8) -> Result<Value, ApiError> {
    let data = json!({"id": "ab", "seq": null, "state": "queued"});
    Err(ApiError { code: 0, exit, message: "no".to_owned(), hint: None, data })
}

impl World {
    /// Posts bytes as they are; the status and the whole answer.
    async fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // It may answer before it has read everything.
        let _refused = socket.write_all(request).await;
        let mut answer = Vec::new();
        let _reset =
            timeout(Duration::from_secs(60), socket.read_to_end(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_default(), answer)
    }

    async fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn signed(body: &[u8]) -> String {
    use hmac::{Hmac, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(body);
    let hex = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    format!("X-Staffetta-Signature: sha256={hex}\r\n")
}

#[tokio::test]
async fn a_signed_body_is_sent_and_202_says_that_it_is() {
    let world = world(60, sent()).await;
    let body = br#"{"text": "disk full"}"#;
    let headers = format!("{}Idempotency-Key: alert-1\r\n", signed(body));
    let (status, answer) = world.post("/webhook", &headers, body).await;
    assert_eq!(status, 202, "{answer}");
    assert!(answer.contains(r#""id":"ab""#) && answer.contains(r#""seq":12"#), "{answer}");
    let wanted = json!({"room": "alerts", "text": "disk full", "wait_ms": SEND_MS,
        "key": "webhook alert-1"});
    assert_eq!(world.asked(), [wanted]);
}

#[tokio::test]
async fn without_a_right_signature_or_secret_nothing_is_taken() {
    let world = world(60, sent()).await;
    let body = b"{}";
    let other = signed(b"another body");
    for headers in
        ["", &other, "X-Staffetta-Signature: sha256=00\r\n", "Authorization: Bearer x\r\n"]
    {
        assert_eq!(world.post("/", headers, body).await.0, 401, "{headers}");
    }
    assert_eq!(world.raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.0, 401);
    assert_eq!(world.asked(), [Value::Null; 0]);
    let bearer = "Authorization: Bearer sixteen bytes ok\r\nContent-Type: text/plain\r\n";
    assert_eq!(world.post("/", bearer, b"hello").await.0, 202);
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_own_status_and_a_reason() {
    let world = world(60, sent()).await;
    let get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(world.raw(get).await.0, 405);
    assert_eq!(world.post("/elsewhere", "", b"").await.0, 404);
    let bad = b"{";
    let (status, answer) = world.post("/", &signed(bad), bad).await;
    assert!(status == 400 && answer.contains("not JSON"), "{answer}");
    let long = vec![b'a'; MAX_BODY + 1];
    assert_eq!(world.post("/", &signed(&long), &long).await.0, 413);
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(MAX_HEAD));
    assert_eq!(world.raw(head.as_bytes()).await.0, 431);
    assert_eq!(world.raw(b"\x16\x03\x01 no HTTP\r\n\r\n").await.0, 400);
    assert_eq!(world.asked(), [Value::Null; 0]);
}

#[tokio::test]
async fn what_is_only_queued_is_503_and_what_the_agent_refuses_is_4xx() {
    let body = br#"{"text": "x"}"#;
    for (exit, wanted) in [(69, 503), (75, 503), (77, 403), (1, 400)] {
        let world = world(60, failed(exit)).await;
        let (status, answer) = world.post("/", &signed(body), body).await;
        assert_eq!(status, wanted, "{answer}");
        assert!(answer.contains("no"), "{answer}");
        assert_eq!(answer.to_lowercase().contains("retry-after: 30"), wanted == 503, "{answer}");
    }
}

#[tokio::test]
async fn over_the_rate_is_429_and_everything_is_counted() {
    let world = world(2, sent()).await;
    let body = br#"{"text": "x"}"#;
    for wanted in [202, 202, 429] {
        assert_eq!(world.post("/", &signed(body), body).await.0, wanted);
    }
    assert_eq!(world.post("/", "", body).await.0, 401);
    let metrics =
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sixteen bytes ok\r\n\r\n";
    let (status, page) = world.raw(metrics.as_bytes()).await;
    assert_eq!(status, 200);
    for line in ["sent\"} 2", "limited\"} 1", "unauthorised\"} 1", "queued\"} 0"] {
        assert!(page.contains(line), "{line}: {page}");
    }
}

#[test]
fn only_loopback_is_listened_on_unless_told_otherwise() {
    let of = |text: &str, public| may_listen(text.parse().unwrap(), public);
    assert!(of("127.0.0.1:80", false) && of("[::1]:80", false));
    assert!(!of("0.0.0.0:80", false) && !of("192.0.2.1:80", false) && !of("[::]:80", false));
    assert!(of("0.0.0.0:80", true));
}
