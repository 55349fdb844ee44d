//! `webhook`: an HTTP door for programs that can do nothing else, such as monitoring.
//!
//! It owns sockets, bounds and answers. It must never answer 202 before the message is sent, and
//! never take a request that is not authenticated. The only place that names hyper.

mod body;
mod counters;
mod limit;
mod secret;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::counters::{Counters, Outcome};
use self::limit::Limit;
pub(crate) use self::secret::Secret;
use crate::api::ApiError;
use crate::errors::exit;

/// The largest body, in bytes: a text of the longest kind, however it is escaped.
const MAX_BODY: usize = 256 * 1024;
/// The largest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Connections at a time; more wait in the kernel.
const MAX_CONNECTIONS: usize = 32;
/// How long a request's head may take to come.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a request's body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a message is waited for, in milliseconds, before the answer is 503.
const SEND_MS: u64 = 10_000;
/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 200;
/// The pause after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const SIGNATURES: [HeaderName; 2] = [
    HeaderName::from_static("x-staffetta-signature"),
    HeaderName::from_static("x-hub-signature-256"),
];
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The method `send` of the local API: its parameters in, its answer out.
pub(crate) type Send = Box<dyn Fn(Value) -> Sending + std::marker::Send + Sync>;
/// A `send` under way.
pub(crate) type Sending =
    Pin<Box<dyn Future<Output = Result<Value, ApiError>> + std::marker::Send>>;

/// What all requests share.
pub(crate) struct Door {
    send: Send,
    room: String,
    secret: Secret,
    limit: Limit,
    counters: Counters,
}

/// An answer: its status, a reason or an id, and how long to wait before the next try.
struct Answer {
    outcome: Outcome,
    status: StatusCode,
    body: Value,
    retry_s: Option<u64>,
}

impl Answer {
    fn refused(status: StatusCode, reason: &str) -> Self {
        let body = json!({"error": reason});
        Self { outcome: Outcome::Refused, status, body, retry_s: None }
    }
}

impl Door {
    pub(crate) fn new(send: Send, room: String, secret: Secret, per_minute: u32) -> Self {
        let limit = Limit::new(per_minute);
        Self { send, room, secret, limit, counters: Counters::default() }
    }

    /// Takes connections until the task is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let (door, places) = (Arc::new(self), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((socket, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let door = Arc::clone(&door);
            tokio::spawn(async move {
                let _place = place;
                door.connection(socket).await;
            });
        }
    }

    async fn connection(self: Arc<Self>, socket: TcpStream) {
        let answer = service_fn(move |request| {
            let door = Arc::clone(&self);
            async move { Ok::<_, Infallible>(door.answer(request).await) }
        });
        let mut connection = http1::Builder::new();
        connection.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD);
        // One request each: a client that stays keeps no place.
        connection.keep_alive(false);
        // One that hangs up or sends no HTTP has nobody to be told.
        let _over = connection.serve_connection(TokioIo::new(socket), answer).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let is_metrics = request.uri().path() == "/metrics";
        if is_metrics && request.method() == Method::GET {
            return match self.secret.is_bearer(request.headers()) {
                true => text(StatusCode::OK, self.counters.render()),
                false => self.told(unauthorised()),
            };
        }
        let answer = self.take(request).await;
        self.told(answer)
    }

    fn told(&self, answer: Answer) -> Response<Full<Bytes>> {
        self.counters.count(answer.outcome);
        let mut response = text(answer.status, format!("{}\n", answer.body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = answer.retry_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// Checks a request, cheap things first, and sends what it says.
    async fn take(&self, request: Request<Incoming>) -> Answer {
        if request.uri().path() != "/" && request.uri().path() != "/webhook" {
            return Answer::refused(StatusCode::NOT_FOUND, "Post to / or /webhook.");
        }
        if request.method() != Method::POST {
            return Answer::refused(StatusCode::METHOD_NOT_ALLOWED, "Only POST is taken.");
        }
        let (head, body) = request.into_parts();
        let bearer = self.secret.is_bearer(&head.headers);
        let signature = signature(&head.headers);
        if !bearer && signature.is_none() {
            return unauthorised();
        }
        let read = timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await;
        let body = match read {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                let reason = format!("A body has {MAX_BODY} bytes at most.");
                return Answer::refused(StatusCode::PAYLOAD_TOO_LARGE, &reason);
            }
            Err(_) => {
                return Answer::refused(StatusCode::REQUEST_TIMEOUT, "The body came too slowly.");
            }
        };
        if !bearer && !signature.is_some_and(|signature| self.secret.signed(&body, &signature)) {
            return unauthorised();
        }
        if let Err(wait) = self.limit.take(Instant::now()) {
            return Answer {
                outcome: Outcome::Limited,
                status: StatusCode::TOO_MANY_REQUESTS,
                body: json!({"error": "Too many requests a minute."}),
                retry_s: Some(wait.as_secs().saturating_add(1)),
            };
        }
        let said = match body::text_of(content_type(&head.headers), &body) {
            Ok(said) => said,
            Err(reason) => return Answer::refused(StatusCode::BAD_REQUEST, reason),
        };
        match key(&head.headers) {
            Ok(key) => self.send(said, key).await,
            Err(reason) => Answer::refused(StatusCode::BAD_REQUEST, reason),
        }
    }

    /// Sends a text: 202 means that it is sent, and nothing else does.
    async fn send(&self, said: String, key: Option<String>) -> Answer {
        let mut params = Map::new();
        params.insert("room".to_owned(), self.room.clone().into());
        params.insert("text".to_owned(), said.into());
        params.insert("wait_ms".to_owned(), SEND_MS.into());
        if let Some(key) = key {
            params.insert("key".to_owned(), format!("webhook {key}").into());
        }
        match (self.send)(Value::Object(params)).await {
            Ok(sent) => {
                let body = json!({"id": sent.get("id"), "seq": sent.get("seq")});
                Answer { outcome: Outcome::Sent, status: StatusCode::ACCEPTED, body, retry_s: None }
            }
            Err(error) => not_sent(&error),
        }
    }
}

fn not_sent(error: &ApiError) -> Answer {
    let (status, outcome, retry_s) = match error.exit {
        exit::UNREACHABLE | exit::TRY_AGAIN => {
            (StatusCode::SERVICE_UNAVAILABLE, Outcome::Queued, Some(30))
        }
        77 => (StatusCode::FORBIDDEN, Outcome::Refused, None),
        _ => (StatusCode::BAD_REQUEST, Outcome::Refused, None),
    };
    let mut body = json!({"error": error.message});
    if let (Some(id), Some(fields)) = (error.data.get("id"), body.as_object_mut()) {
        fields.insert("id".to_owned(), id.clone());
        fields.insert("state".to_owned(), "queued".into());
    }
    Answer { outcome, status, body, retry_s }
}

fn unauthorised() -> Answer {
    let body = json!({"error": "The signature or the secret is missing or wrong."});
    let status = StatusCode::UNAUTHORIZED;
    Answer { outcome: Outcome::Unauthorised, status, body, retry_s: None }
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

fn signature(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = SIGNATURES.iter().find_map(|name| headers.get(name))?.to_str().ok()?;
    secret::parse(value)
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim()
}

fn key(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err("An Idempotency-Key has 1 to 200 printable characters."),
    }
}

/// Whether an address may be listened on: those of others only if that was asked for.
pub(crate) fn may_listen(on: SocketAddr, public: bool) -> bool {
    public || on.ip().is_loopback()
}

#[cfg(test)]
mod tests;
