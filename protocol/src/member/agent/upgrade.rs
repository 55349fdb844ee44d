//! The HTTP/1.1 upgrade (RFC 6455 section 4.1), by hand: the answer is read with a bound and
//! judged by what the gate may answer.

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::address::Address;
use super::core::Down;
use crate::gate::Token;
use crate::random::{Random, bytes};

/// The largest head of an answer that is read, in bytes.
const MAX_HEAD: usize = 8 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// Asks for the upgrade and returns what the relay sent after its head.
///
/// # Errors
/// [`Down::Refused`] if the gate is shut (404), else [`Down::Unreachable`].
pub(super) async fn upgrade(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    address: &Address,
    token: &Token,
    random: &mut impl Random,
) -> Result<Vec<u8>, Down> {
    let key = BASE64.encode(&bytes::<16>(random));
    let token = token.to_text();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|_| Down::Unreachable)?;
    let (head, rest) = read_head(stream).await?;
    judge(&head, &derive_accept_key(key.as_bytes()))?;
    Ok(rest)
}

/// Reads the head of an answer, and what came behind it.
///
/// # Errors
/// [`Down::Unreachable`] if it ends early or is too long.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(Vec<u8>, Vec<u8>), Down> {
    let mut head = Vec::with_capacity(1024);
    let end = loop {
        if stream.read_buf(&mut head).await.map_err(|_| Down::Unreachable)? == 0 {
            return Err(Down::Unreachable);
        }
        if let Some(at) = head.windows(END.len()).position(|bytes| bytes == END) {
            break at;
        }
        if head.len() > MAX_HEAD {
            return Err(Down::Unreachable);
        }
    };
    let rest = head.split_off(end + END.len());
    Ok((head, rest))
}

/// Whether an answer is what a relay gives strangers.
pub(super) fn is_not_found(head: &[u8]) -> bool {
    judge(head, "") == Err(Down::Refused)
}

fn judge(head: &[u8], accept: &str) -> Result<(), Down> {
    let head = std::str::from_utf8(head).map_err(|_| Down::Unreachable)?;
    let mut lines = head.split("\r\n");
    let mut status = lines.next().unwrap_or_default().split(' ');
    match (status.next(), status.next()) {
        (Some("HTTP/1.1"), Some("101")) => {}
        (Some("HTTP/1.1" | "HTTP/1.0"), Some("404")) => return Err(Down::Refused),
        _ => return Err(Down::Unreachable),
    }
    let headers: Vec<(&str, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim_matches([' ', '\t'])))
        .collect();
    let upgraded = all(&headers, "sec-websocket-accept") == [accept]
        && names(&all(&headers, "upgrade"), "websocket")
        && names(&all(&headers, "connection"), "upgrade")
        // None was asked for.
        && all(&headers, "sec-websocket-extensions").is_empty()
        && all(&headers, "sec-websocket-protocol").is_empty();
    if upgraded { Ok(()) } else { Err(Down::Unreachable) }
}

/// The values of all headers of this name.
fn all<'a>(headers: &[(&str, &'a str)], wanted: &str) -> Vec<&'a str> {
    let is_wanted = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(wanted);
    headers.iter().filter(is_wanted).map(|(_, value)| *value).collect()
}

/// Whether one of the values' lists holds `token`.
fn names(values: &[&str], token: &str) -> bool {
    values.iter().flat_map(|v| v.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: key\r\n\r\n";

    #[test]
    fn only_a_right_101_opens() {
        assert_eq!(judge(GOOD.as_bytes(), "key"), Ok(()));
        for (from, to) in [
            ("101", "200"),
            ("101", "503"),
            ("key", "other"),
            ("WebSocket", "h2c"),
            (", Upgrade", ""),
            ("Accept: key", "Accept: key\r\nSec-WebSocket-Accept: key"),
            ("Accept: key", "Accept: key\r\nSec-WebSocket-Extensions: permessage-deflate"),
        ] {
            assert_eq!(judge(GOOD.replace(from, to).as_bytes(), "key"), Err(Down::Unreachable));
        }
        assert_eq!(judge(b"\xff", "key"), Err(Down::Unreachable));
    }

    #[test]
    fn a_404_is_a_refusal() {
        let head = GOOD.replace("101 Switching Protocols", "404 Not Found");
        assert_eq!(judge(head.as_bytes(), "key"), Err(Down::Refused));
    }
}
