//! One connection of a device, as lean as a client can be.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use staffetta_protocol::gate::Gate;
use staffetta_protocol::noise::keys::GateKey;
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::session::device::{DeviceSession, Input, Output};
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A connection through gate and Noise.
pub struct Link {
    socket: WebSocketStream<TcpStream>,
    session: DeviceSession,
    frames: VecDeque<ToDevice>,
    unsent: VecDeque<Message>,
}

impl Link {
    /// Goes through the gate and begins the session.
    pub async fn connect(
        address: SocketAddr,
        gate: Gate,
        key: &GateKey,
        session: DeviceSession,
    ) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/").into_client_request()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let token = gate.token(key, now, &mut OsRandom).to_text();
        request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        let mut link = Self { socket, session, frames: VecDeque::new(), unsent: VecDeque::new() };
        link.drain()?;
        Ok(link)
    }

    fn drain(&mut self) -> anyhow::Result<()> {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Transmit(message) => self.unsent.push_back(Message::Binary(message)),
                Output::Frame(frame) => self.frames.push_back(frame),
                Output::RelayKey(_) => {}
                Output::Close(closed) => bail!("closed: {closed}"),
            }
        }
        Ok(())
    }

    /// Seals a frame; [`Link::flush`] sends it.
    pub fn send(&mut self, frame: &ToRelay) -> anyhow::Result<()> {
        self.session.handle(0, Input::Send(frame));
        self.drain()
    }

    /// Sends what was sealed.
    pub async fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(message) = self.unsent.pop_front() {
            self.socket.feed(message).await?;
        }
        Ok(self.socket.flush().await?)
    }

    /// The next frame.
    pub async fn next(&mut self) -> anyhow::Result<ToDevice> {
        loop {
            if !self.unsent.is_empty() {
                self.flush().await?;
            }
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            match self.socket.next().await.context("the relay closed")?? {
                Message::Binary(message) => {
                    self.session.handle(0, Input::Message(&message));
                    self.drain()?;
                }
                _ => bail!("no frame"),
            }
        }
    }
}
