//! A relay of one listener, whose every step the test takes itself.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::within;
use crate::gate::{Gate, Token};
use crate::noise::keys::{AccessSecret, GateKey, StaticSecret};
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::session::relay::{Input, Output, RelaySession};
use crate::wire::Cells;
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::{CellId, Digest, Lane, LogId};
use crate::wire::limits::CELL;

pub(crate) const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// A relay and its only device.
pub(crate) struct Keys {
    pub(crate) relay: StaticSecret,
    pub(crate) transport: StaticSecret,
    pub(crate) access: AccessSecret,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            relay: StaticSecret::generate(&mut OsRandom),
            transport: StaticSecret::generate(&mut OsRandom),
            access: AccessSecret::generate(&mut OsRandom),
        }
    }
}

fn copy(secret: &Secret<32>) -> Secret<32> {
    Secret::copy(secret.expose()).unwrap()
}

impl Clone for Keys {
    fn clone(&self) -> Self {
        Self {
            relay: StaticSecret::from_secret(copy(self.relay.secret())),
            transport: StaticSecret::from_secret(copy(self.transport.secret())),
            access: AccessSecret::from_secret(copy(self.access.secret())),
        }
    }
}

pub(crate) fn welcome() -> ToDevice {
    ToDevice::Welcome {
        version: 1,
        lane: Lane(0),
        log: LogId([1; 16]),
        oldest: 1,
        head: 4,
        hash: Digest([2; 32]),
        admin: false,
        blob_quota: 0,
    }
}

pub(crate) fn cells(count: usize) -> Cells {
    Cells::collect((0..count).map(|_| (CellId([9; 16]), &[8; CELL])))
}

pub(crate) struct FakeRelay {
    pub(crate) keys: Keys,
    pub(crate) address: String,
    listener: TcpListener,
}

/// One connection, from the relay's side.
pub(crate) struct Peer {
    ws: WebSocketStream<TcpStream>,
    session: RelaySession,
}

impl FakeRelay {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { keys: Keys::new(), address, listener }
    }

    pub(crate) async fn accept(&self) -> TcpStream {
        within("a connection", self.listener.accept()).await.unwrap().0
    }

    /// Answers the next request with these bytes and closes.
    pub(crate) async fn answer(&self, answer: &str) {
        let mut tcp = self.accept().await;
        read_head(&mut tcp).await;
        tcp.write_all(answer.as_bytes()).await.unwrap();
    }

    async fn upgrade(&self, gate: Gate, key: &GateKey) -> WebSocketStream<TcpStream> {
        let mut tcp = self.accept().await;
        let head = read_head(&mut tcp).await;
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name}")).to_owned()
        };
        let token = Token::parse(header("Authorization: Bearer ").as_bytes()).unwrap();
        assert_eq!(gate.check(&token, key, token.time()), Ok(()));
        let accept = derive_accept_key(header("Sec-WebSocket-Key: ").as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        tcp.write_all(answer.as_bytes()).await.unwrap();
        WebSocketStream::from_raw_socket(tcp, Role::Server, None).await
    }

    /// Takes the next connection through the gate; nothing of Noise has happened yet.
    pub(crate) async fn knocked(&self) -> Peer {
        let Keys { relay, transport, access } = self.keys.clone();
        let ws = self.upgrade(Gate::of(&relay.public()), &access.gate_key()).await;
        let transport = access.bind(&transport.public());
        Peer { ws, session: RelaySession::device(0, &relay, access, transport).unwrap() }
    }

    /// Takes the next connection up to and including WELCOME.
    pub(crate) async fn welcomed(&self) -> Peer {
        let mut peer = self.knocked().await;
        peer.hello().await;
        peer.send(&welcome()).await;
        peer
    }

    /// Takes the next invite connection up to its HELLO.
    pub(crate) async fn invited(&self) -> Peer {
        let Keys { relay, access, .. } = self.keys.clone();
        let ws = self.upgrade(Gate::of_invites(), &access.gate_key()).await;
        let session = RelaySession::newcomer(0, &relay, &access.psk()).unwrap();
        let mut peer = Peer { ws, session };
        peer.hello().await;
        peer
    }
}

impl Peer {
    /// Runs the handshake up to HELLO and returns the seq wanted.
    pub(crate) async fn hello(&mut self) -> u64 {
        match self.output().await {
            Some(Output::Hello { resume, .. }) => resume,
            _ => panic!("no HELLO"),
        }
    }

    /// The next frame; `None` when the other side has hung up.
    pub(crate) async fn frame(&mut self) -> Option<ToRelay> {
        match self.output().await? {
            Output::Frame(frame) => Some(frame),
            _ => panic!("no frame"),
        }
    }

    async fn output(&mut self) -> Option<Output> {
        loop {
            while let Some(output) = self.session.poll() {
                match output {
                    Output::Transmit(message) => {
                        self.ws.send(Message::Binary(message)).await.unwrap();
                    }
                    other => return Some(other),
                }
            }
            match within("a message", self.ws.next()).await? {
                Ok(Message::Binary(message)) => self.session.handle(0, Input::Message(&message)),
                _ => return None,
            }
        }
    }

    pub(crate) async fn send(&mut self, frame: &ToDevice) {
        self.session.handle(0, Input::Send(frame));
        while let Some(output) = self.session.poll() {
            let Output::Transmit(message) = output else { panic!("cannot send") };
            self.ws.send(Message::Binary(message)).await.unwrap();
        }
    }
}

async fn read_head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("a request", tcp.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
