//! The HTTP head of a connection: read within bounds, and answered alike unless it knocks.

use std::net::IpAddr;
use std::time::Duration;

use staffetta_protocol::gate::Token;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::source::{forwarded, forwarded_for};
use crate::address::TrustedProxy;

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

/// What a device gets whose token is good while the operator keeps devices out.
pub(crate) const IN_MAINTENANCE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
Content-Length: 0\r\n\
Retry-After: 30\r\n\
Connection: close\r\n\
\r\n";

/// What a request that may pass the gate says.
pub(crate) struct Knock {
    /// The gate token.
    pub(crate) token: Token,
    /// `Sec-WebSocket-Key`.
    pub(crate) key: String,
}

/// The head of a request.
pub(crate) struct Head {
    /// A whole WebSocket upgrade with something that looks like a token, and nothing after it.
    pub(crate) knock: Option<Knock>,
    /// The source that a trusted proxy names.
    pub(crate) source: Option<IpAddr>,
}

/// Reads the head of a request, byte-bounded; the caller bounds the time. `None` unless a whole
/// head came. Who passed the connection on is believed only if `is_proxied`.
pub(crate) async fn read_head(
    from: &mut (impl AsyncRead + Unpin),
    proxies: &[TrustedProxy],
    is_proxied: bool,
) -> Option<Head> {
    let mut bytes = Vec::with_capacity(1_024);
    loop {
        let room = MAX_HEAD.checked_sub(bytes.len()).filter(|room| *room > 0)?;
        // What was searched before can only end in the first three bytes of the mark.
        let searched = bytes.len().saturating_sub(3);
        let read = (&mut *from).take(room as u64).read_buf(&mut bytes).await.ok()?;
        if read == 0 {
            return None;
        }
        // Whatever comes after the head came too early: parse finds it at the wrong end.
        let fresh = bytes.get(searched..).unwrap_or_default();
        if fresh.windows(4).any(|four| four == b"\r\n\r\n") {
            let text = std::str::from_utf8(&bytes).ok();
            let text = text.and_then(|text| text.strip_suffix("\r\n\r\n"));
            let source = text.filter(|_| is_proxied).and_then(|text| source(text, proxies));
            return Some(Head { knock: text.and_then(parse), source });
        }
    }
}

fn source(head: &str, proxies: &[TrustedProxy]) -> Option<IpAddr> {
    let values = |wanted: &'static str| {
        head.split("\r\n").skip(1).filter_map(move |line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value)
        })
    };
    // A proxy that sets the older header may pass on a stranger's newer one.
    forwarded_for(values("x-forwarded-for"), proxies)
        .or_else(|| forwarded(values("forwarded"), proxies))
}

fn parse(text: &str) -> Option<Knock> {
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
        read_head(&mut &*bytes, &[], false).await?.knock
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

    #[tokio::test]
    async fn the_source_is_read_only_from_a_trusted_proxy() {
        let text = request(&token()).replace(
            "Host: x",
            "Host: x\r\nForwarded: for=192.0.2.9\r\nX-Forwarded-For: 192.0.2.7, 192.0.2.8",
        );
        let head = read_head(&mut text.as_bytes(), &[], true).await.unwrap();
        assert_eq!(head.source, Some(IpAddr::from([192, 0, 2, 8])));
        assert!(head.knock.is_some());
        let head = read_head(&mut text.as_bytes(), &[], false).await.unwrap();
        assert_eq!(head.source, None);
    }

    #[test]
    fn the_404_is_well_formed() {
        let text = std::str::from_utf8(NOT_FOUND).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
