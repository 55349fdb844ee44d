//! The WebSocket under a connection: reading and writing from one task, with one flush per burst.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink, Stream as _};
use staffetta_protocol::wire::limits::{MAX_FRAME, MAX_WIRE_MESSAGE};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::stream::Stream as Bytestream;

/// Bytes read at a time; a larger message grows the buffer to its size.
const READ_BUFFER: usize = 4 * 1024;
/// Bytes that are gathered before they are written without being flushed.
const WRITE_BUFFER: usize = 64 * 1024;
/// Bytes that may come before a message is whole: the largest message in a few fragments, and what
/// was read ahead. Pings, pongs and empty fragments without end are the end of a connection.
const MAX_BETWEEN: u64 = 2 * MAX_WIRE_MESSAGE as u64;
/// The same before the peer proved itself; its messages have the size of the smallest frame.
const MAX_BETWEEN_UNPROVEN: u64 = 8 * 1024;

/// What the socket has for its connection.
pub(super) enum Io {
    /// A binary message came.
    Message(Bytes),
    /// Everything that waited is out and the socket can take more.
    Writable,
    /// The peer is gone, or sent what is no binary message.
    Lost,
}

/// A WebSocket and whether something written to it still has to be flushed.
pub(super) struct Socket {
    stream: WebSocketStream<Bytestream>,
    is_flushed: bool,
    /// What [`Bytestream::meter`] is set to by each message.
    between: u64,
    /// Alternates, so that a long drain does not starve what the device says.
    read_first: bool,
}

impl Socket {
    /// Takes over a socket whose upgrade was answered.
    pub(super) async fn new(mut socket: Bytestream) -> Self {
        socket.meter(MAX_BETWEEN_UNPROVEN);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(2 * (WRITE_BUFFER + MAX_WIRE_MESSAGE))
            .max_message_size(Some(MAX_WIRE_MESSAGE))
            .max_frame_size(Some(MAX_WIRE_MESSAGE));
        const { assert!(MAX_FRAME <= MAX_WIRE_MESSAGE) }
        let stream = WebSocketStream::from_raw_socket(socket, Role::Server, Some(config)).await;
        Self { stream, is_flushed: true, between: MAX_BETWEEN_UNPROVEN, read_first: false }
    }

    /// The peer proved itself; from here on messages have all sizes.
    pub(super) fn proven(&mut self) {
        self.between = MAX_BETWEEN;
        self.stream.get_mut().meter(MAX_BETWEEN);
    }

    /// Writes what waits in `out`, flushes once nothing more is to come at once, and returns the
    /// next event: [`Io::Writable`] once all of it is out and only if `has_more`, messages only if `may_read`.
    pub(super) async fn next(
        &mut self,
        out: &mut VecDeque<Bytes>,
        has_more: bool,
        may_read: bool,
    ) -> Io {
        poll_fn(|cx| {
            self.read_first = !self.read_first;
            if self.read_first
                && may_read
                && let Poll::Ready(io) = self.read(cx)
            {
                return Poll::Ready(io);
            }
            if let Poll::Ready(io) = self.write(cx, out, has_more) {
                return Poll::Ready(io);
            }
            if !self.read_first && may_read { self.read(cx) } else { Poll::Pending }
        })
        .await
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Io> {
        loop {
            return match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(Ok(Message::Binary(message)))) => {
                    self.stream.get_mut().meter(self.between);
                    Poll::Ready(Io::Message(message))
                }
                // tungstenite answers pings by itself.
                Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {
                    self.is_flushed = false;
                    continue;
                }
                Poll::Ready(_) => Poll::Ready(Io::Lost),
            };
        }
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut VecDeque<Bytes>,
        has_more: bool,
    ) -> Poll<Io> {
        let mut stream = Pin::new(&mut self.stream);
        while has_more || !out.is_empty() {
            match stream.as_mut().poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Io::Lost),
                Poll::Pending => return Poll::Pending,
            }
            let Some(message) = out.pop_front() else { return Poll::Ready(Io::Writable) };
            if stream.as_mut().start_send(Message::Binary(message)).is_err() {
                return Poll::Ready(Io::Lost);
            }
            self.is_flushed = false;
        }
        if !self.is_flushed {
            match stream.as_mut().poll_flush(cx) {
                Poll::Ready(Ok(())) => self.is_flushed = true,
                Poll::Ready(Err(_)) => return Poll::Ready(Io::Lost),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Sends what waits in `out` and closes.
    pub(super) async fn finish(&mut self, out: &mut VecDeque<Bytes>) {
        while !out.is_empty() || !self.is_flushed {
            let written = poll_fn(|cx| match self.write(cx, out, false) {
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending if out.is_empty() && self.is_flushed => Poll::Ready(true),
                Poll::Pending => Poll::Pending,
            });
            if !written.await {
                return;
            }
        }
        // An error means that the peer closed first.
        let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_close(cx)).await;
    }
}
