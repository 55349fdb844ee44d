//! The bytes of a connection, over TCP or a unix socket, with a meter on what comes in.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::address::ListenAddress;

/// Who may connect to the unix socket: the relay's user and group, such as a proxy's.
const SOCKET_MODE: u32 = 0o660;

/// Where connections come in.
pub(crate) enum Listener {
    /// On a port.
    Tcp(TcpListener),
    /// On a unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Listens; a socket that a dead process left is replaced.
    pub(crate) async fn bind(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            ListenAddress::Unix(path) => {
                if is_left_over(path).await {
                    std::fs::remove_file(path)?;
                }
                let listener = UnixListener::bind(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
                Ok(Self::Unix(listener))
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                Ok(ListenAddress::Unix(address.as_pathname().unwrap_or(Path::new("")).into()))
            }
        }
    }

    /// The next connection and its peer's address; a unix socket's peers have none.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        let (inner, peer) = match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                (Inner::Tcp(stream), Some(peer.ip().to_canonical()))
            }
            Self::Unix(listener) => (Inner::Unix(listener.accept().await?.0), None),
        };
        Ok((Stream { inner, left: u64::MAX }, peer))
    }
}

async fn is_left_over(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    is_socket
        && matches!(UnixStream::connect(path).await,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

enum Inner {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection's bytes.
pub(crate) struct Stream {
    inner: Inner,
    left: u64,
}

enum Detached {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// A stream on its way from one runtime to another.
pub(crate) struct Moving(Detached);

impl Stream {
    /// Sends small writes at once.
    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        match &self.inner {
            Inner::Tcp(stream) => stream.set_nodelay(true),
            Inner::Unix(_) => Ok(()),
        }
    }

    /// Reads at most `bytes` more; what comes then is an error.
    pub(crate) fn meter(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// Leaves the runtime that reads it.
    pub(crate) fn detach(self) -> io::Result<Moving> {
        Ok(Moving(match self.inner {
            Inner::Tcp(stream) => Detached::Tcp(stream.into_std()?),
            Inner::Unix(stream) => Detached::Unix(stream.into_std()?),
        }))
    }
}

impl Moving {
    /// Is read by the present runtime from here on.
    pub(crate) fn attach(self) -> io::Result<Stream> {
        let inner = match self.0 {
            Detached::Tcp(stream) => Inner::Tcp(TcpStream::from_std(stream)?),
            Detached::Unix(stream) => Inner::Unix(UnixStream::from_std(stream)?),
        };
        Ok(Stream { inner, left: u64::MAX })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        let read = (buffer.filled().len() - before) as u64;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into())),
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
