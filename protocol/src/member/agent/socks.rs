//! The client's side of SOCKS5 (RFC 1928): CONNECT without authentication.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::address::Address;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN: u8 = 3;
const IPV6: u8 = 4;

/// Asks the proxy at the other end of `stream` to connect to `to`; names are resolved there.
///
/// # Errors
/// Whatever the socket says, or `ConnectionRefused` if the proxy does not do it.
pub(super) async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    to: &Address,
) -> io::Result<()> {
    stream.write_all(&[VERSION, 1, NO_AUTHENTICATION]).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    if chosen != [VERSION, NO_AUTHENTICATION] {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match to.host().parse() {
        Ok(IpAddr::V4(ip)) => {
            request.push(IPV4);
            request.extend_from_slice(&ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(IPV6);
            request.extend_from_slice(&ip.octets());
        }
        Err(_) => {
            request.push(DOMAIN);
            request.push(u8::try_from(to.host().len()).map_err(|_| io::ErrorKind::InvalidInput)?);
            request.extend_from_slice(to.host().as_bytes());
        }
    }
    request.extend_from_slice(&to.port().to_be_bytes());
    stream.write_all(&request).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    let [VERSION, 0, _, kind] = answer else {
        return Err(io::ErrorKind::ConnectionRefused.into());
    };
    // The bound address says nothing of use, but it stands before the relay's bytes.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        DOMAIN => usize::from(stream.read_u8().await?),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await?;
    Ok(())
}
