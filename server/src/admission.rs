//! Before the WebSocket: the HTTP head, the gate, and how many may stand before it.
//!
//! Whatever is wrong, the answer is the same 404, byte for byte, and no public-key work is done.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use staffetta_protocol::gate::Token;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;

use crate::config::Limits;

/// The largest HTTP head, in bytes.
pub(crate) const MAX_HEAD: usize = 8 * 1024;
/// The time within which it must be there.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(5);

/// What everybody gets who is not let in.
pub(crate) const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\n\
Content-Type: text/html\r\n\
Content-Length: 91\r\n\
Connection: close\r\n\
\r\n\
<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\r\n";

/// What a request that may pass the gate says.
pub(crate) struct Knock {
    /// The gate token.
    pub(crate) token: Token,
    /// `Sec-WebSocket-Key`.
    pub(crate) key: String,
}

/// Reads the head of a request, byte-bounded; the caller bounds the time. `None` unless it is a
/// whole WebSocket upgrade with something that looks like a token, and nothing after it.
pub(crate) async fn read_head(from: &mut (impl AsyncRead + Unpin)) -> Option<Knock> {
    let mut head = Vec::with_capacity(1_024);
    loop {
        let room = MAX_HEAD.checked_sub(head.len()).filter(|room| *room > 0)?;
        let read = (&mut *from).take(room as u64).read_buf(&mut head).await.ok()?;
        if read == 0 {
            return None;
        }
        // Whatever comes after the head came too early: parse finds it at the wrong end.
        if head.windows(4).any(|four| four == b"\r\n\r\n") {
            return parse(&head);
        }
    }
}

fn parse(head: &[u8]) -> Option<Knock> {
    let text = std::str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = text.split("\r\n");
    let mut request = lines.next()?.split(' ');
    let line = (request.next()?, request.next()?, request.next()?, request.next());
    let ("GET", path, "HTTP/1.1", None) = line else { return None };
    if !path.starts_with('/') {
        return None;
    }
    let (mut token, mut key, mut version, mut upgrade, mut connection) =
        (None, None, None, false, false);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        let lists = |word: &str| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                token = Some(Token::parse(value.strip_prefix("Bearer ")?.as_bytes())?)
            }
            "sec-websocket-key" => key = Some(value),
            "sec-websocket-version" => version = Some(value),
            "upgrade" => upgrade = lists("websocket"),
            "connection" => connection |= lists("upgrade"),
            _ => {}
        }
    }
    let key = key.filter(|key| key.len() == 24 && key.is_ascii())?;
    let wants = upgrade && connection && version == Some("13");
    wants.then_some(Knock { token: token?, key: key.to_owned() })
}

/// The answer that hands the connection to the WebSocket.
pub(crate) fn switching(knock: &Knock) -> String {
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(knock.key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

struct Waiting {
    number: u64,
    source: IpAddr,
    yields: Arc<Notify>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    next: u64,
}

/// Connections that did not prove themselves yet.
pub(crate) struct HalfOpen {
    line: Mutex<Line>,
    max: usize,
    per_source: usize,
}

/// A place in the line; left when dropped.
pub(crate) struct Place {
    line: Arc<HalfOpen>,
    number: u64,
    yields: Arc<Notify>,
}

impl HalfOpen {
    /// An empty line.
    pub(crate) fn new(limits: &Limits) -> Self {
        let (max, per_source) = (limits.half_open, limits.connections_per_source);
        Self { line: Mutex::default(), max, per_source }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place. When the line is full the oldest yields; when one source has too many, its
    /// own oldest does. Loopback is a proxy or the operator and has no budget of its own.
    pub(crate) fn enter(self: &Arc<Self>, source: IpAddr) -> Place {
        let yields = Arc::new(Notify::new());
        let mut line = self.line();
        line.next += 1;
        let number = line.next;
        let same = |waiting: &Waiting| waiting.source == source && !source.is_loopback();
        let victim = if line.waiting.iter().filter(|w| same(w)).count() >= self.per_source {
            line.waiting.iter().position(same)
        } else if line.waiting.len() >= self.max {
            Some(0)
        } else {
            None
        };
        if let Some(gone) = victim.and_then(|place| line.waiting.remove(place)) {
            gone.yields.notify_one();
        }
        line.waiting.push_back(Waiting { number, source, yields: yields.clone() });
        Place { line: self.clone(), number, yields }
    }
}

impl Place {
    /// Returns when this connection must make room.
    pub(crate) async fn yields(&self) {
        self.yields.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.line().waiting.retain(|waiting| waiting.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use staffetta_protocol::gate::TOKEN_TEXT;

    use super::*;

    fn token() -> String {
        "A".repeat(TOKEN_TEXT)
    }

    fn request(token: &str) -> String {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        )
    }

    async fn read(bytes: &[u8]) -> Option<Knock> {
        read_head(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_whole_upgrade_with_a_token_knocks() {
        let knock = read(request(&token()).as_bytes()).await.unwrap();
        assert!(switching(&knock).contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[tokio::test]
    async fn everything_else_does_not() {
        let good = request(&token());
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(MAX_HEAD));
        let bad = [
            String::new(),
            "GET / HTTP/1.1\r\n\r\n".into(),
            good.replace("GET", "POST"),
            good.replace("13", "8"),
            good.replace("WebSocket\r", "h2c\r"),
            good.replace(&token(), &token()[1..]),
            good.replace("Bearer", "Basic"),
            good.replace("Host: x", "Host"),
            format!("{good}early"),
            good.replacen("\r\n\r\n", "\r\n", 1),
            long,
        ];
        for text in bad {
            assert!(read(text.as_bytes()).await.is_none(), "{text}");
        }
        assert!(read(&[0xFF; MAX_HEAD + 1]).await.is_none());
    }

    #[test]
    fn the_404_is_well_formed() {
        let text = std::str::from_utf8(NOT_FOUND).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }

    #[tokio::test]
    async fn at_the_limit_the_oldest_half_open_yields_never_the_newcomer() {
        let limits = Limits { half_open: 2, connections_per_source: 1, ..Limits::default() };
        let line = Arc::new(HalfOpen::new(&limits));
        let local = IpAddr::from([127, 0, 0, 1]);
        let (first, second) = (line.enter(local), line.enter(local));
        let third = line.enter(local);
        first.yields().await;
        drop((second, third));
        let far = IpAddr::from([192, 0, 2, 1]);
        let (one, two) = (line.enter(far), line.enter(far));
        one.yields().await;
        drop((one, two));
        assert_eq!(line.line().waiting.len(), 0, "leaving gives the place back");
    }
}
