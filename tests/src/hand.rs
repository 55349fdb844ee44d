//! A device by hand: speaks the protocol over one socket, frame by frame, with no engine behind it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use staffetta_protocol::gate::{Gate, Token};
use staffetta_protocol::invite_code::InviteKeys;
use staffetta_protocol::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use staffetta_protocol::random::{OsRandom, bytes};
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::{DeviceSession, Input, Output};
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{CellId, Digest, Lane, Seq, TeamId};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::rows::{Claim, Row, RowsDocument, RowsSigner};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::eventually::PATIENCE;

/// The wall clock in unix seconds, as tokens need it.
pub fn now_s() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// A fresh token of an invite.
pub fn invite_token(keys: &InviteKeys, now_s: u64) -> Token {
    Gate::of_invites().token(&keys.gate, now_s, &mut OsRandom)
}

/// The head of an upgrade with a token.
pub fn upgrade(token: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
}

/// A socket on which nothing waits for ever.
pub fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("the relay listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    socket.set_write_timeout(Some(PATIENCE)).expect("a socket");
    socket.set_nodelay(true).expect("a socket");
    socket
}

/// Sends a head; returns the socket if it was upgraded, else everything that was answered.
pub fn knock(address: SocketAddr, head: &[u8]) -> Result<TcpStream, Vec<u8>> {
    let mut socket = connect(address);
    let mut answer = Vec::new();
    // A relay that refuses early may close before everything is written.
    let _ = socket.write_all(head);
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => answer.extend(byte),
            _ => return Err(answer),
        }
    }
    if answer.starts_with(b"HTTP/1.1 101 ") {
        return Ok(socket);
    }
    let _ = socket.read_to_end(&mut answer);
    Err(answer)
}

/// An open session.
pub struct Hand {
    socket: WebSocket<TcpStream>,
    session: DeviceSession,
    started: Instant,
    inbox: VecDeque<ToDevice>,
    relay: Option<StaticPublic>,
    requests: u32,
}

/// What makes a hand an enrolled device.
pub struct Enrolled {
    /// The relay's key.
    pub relay: StaticPublic,
    /// The transport key.
    pub transport: StaticSecret,
    /// The access secret.
    pub access: AccessSecret,
}

impl Hand {
    /// Comes in with an invite.
    pub fn newcomer(address: SocketAddr, keys: &InviteKeys) -> Self {
        let token = invite_token(keys, now_s()).to_text();
        let throwaway = StaticSecret::generate(&mut OsRandom);
        let session = DeviceSession::newcomer(0, &throwaway, &keys.psk).expect("a usable key");
        Self::open(address, &token, session)
    }

    /// Comes in as an enrolled device that wants the log from `resume` on.
    pub fn device(address: SocketAddr, as_whom: &Enrolled, resume: Seq) -> Self {
        let key = as_whom.access.gate_key();
        let token = Gate::of(&as_whom.relay).token(&key, now_s(), &mut OsRandom).to_text();
        let psk = as_whom.access.psk();
        let (relay, transport) = (&as_whom.relay, &as_whom.transport);
        let session = DeviceSession::device(0, relay, transport, &psk, resume);
        Self::open(address, &token, session.expect("a usable key"))
    }

    /// Claims a fresh relay by its founder code and enrols itself as its only device.
    pub fn claim(address: SocketAddr, keys: &InviteKeys) -> Enrolled {
        let mut founder = Self::newcomer(address, keys);
        let welcome = founder.hear().expect("a welcome");
        assert!(matches!(welcome, ToDevice::InviteWelcome { .. }));
        let root = Secret::<32>::random(&mut OsRandom);
        let public = staffetta_protocol::member::identity::SigningSecret::from_secret(&root);
        let public = public.public().0;
        let as_whom = Enrolled {
            relay: founder.relay.expect("the handshake shows it"),
            transport: StaticSecret::generate(&mut OsRandom),
            access: AccessSecret::generate(&mut OsRandom),
        };
        let access = Secret::copy(as_whom.access.secret().expose()).expect("32 bytes");
        let row = Row {
            access: AccessSecret::from_secret(access),
            transport: as_whom.access.bind(&as_whom.transport.public()),
            admin: true,
        };
        let document = RowsDocument {
            version: 1,
            previous: Digest([0; 32]),
            claim: Some(Claim { team: TeamId(bytes(&mut OsRandom)), root: public }),
            authority: public,
            added: vec![row],
            removed: vec![],
            addresses: vec![],
        };
        let document = document.sign(RowsSigner::Root, &root).expect("a small document");
        founder.send(&ToRelay::Rows { request: 1, document });
        let answer = founder.hear().expect("an answer");
        assert!(matches!(answer, ToDevice::Done { request: 1 }), "the claim is accepted");
        as_whom
    }

    fn open(address: SocketAddr, token: &str, session: DeviceSession) -> Self {
        let socket = knock(address, upgrade(token).as_bytes());
        let socket = socket.unwrap_or_else(|_| panic!("the gate is shut"));
        let mut hand = Self {
            socket: WebSocket::from_raw_socket(socket, Role::Client, None),
            session,
            started: Instant::now(),
            inbox: VecDeque::new(),
            relay: None,
            requests: 1,
        };
        assert!(hand.drain(), "the session starts");
        while !hand.session.is_open() {
            let frame = hand.hear().expect("the session opens");
            hand.inbox.push_front(frame);
        }
        hand
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis().try_into().expect("a short story")
    }

    /// Does what the session wants; false if it is over.
    fn drain(&mut self) -> bool {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Transmit(message) => {
                    if self.socket.send(Message::Binary(message)).is_err() {
                        return false;
                    }
                }
                Output::RelayKey(key) => self.relay = Some(key),
                Output::Frame(frame) => self.inbox.push_back(frame),
                Output::Close(_) => return false,
            }
        }
        true
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &ToRelay) {
        self.session.handle(self.now_ms(), Input::Send(frame));
        assert!(self.drain(), "the session is open");
    }

    /// The next frame; `None` if the connection is over.
    pub fn hear(&mut self) -> Option<ToDevice> {
        loop {
            if let Some(frame) = self.inbox.pop_front() {
                return Some(frame);
            }
            let Ok(Message::Binary(message)) = self.socket.read() else { return None };
            self.session.handle(self.now_ms(), Input::Message(&message));
            if !self.drain() && self.inbox.is_empty() {
                return None;
            }
        }
    }

    /// Sends bytes that no session made; true if the relay closes and says nothing more.
    pub fn is_cut_after(mut self, bytes: &[u8]) -> bool {
        while self.inbox.is_empty() {
            let Some(frame) = self.hear() else { return true };
            self.inbox.push_back(frame);
        }
        if self.socket.send(Message::binary(bytes.to_vec())).is_err() {
            return true;
        }
        loop {
            match self.socket.read() {
                Ok(Message::Close(_)) => {}
                Ok(_) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Stores cells and waits until they are acknowledged and have come back.
    pub fn put_and_see(&mut self, cells: &[(CellId, [u8; CELL])]) -> Vec<Seq> {
        self.requests += 1;
        let request = self.requests;
        let run = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
        self.send(&ToRelay::Put { lane: Lane(0), request, cells: run });
        let (mut acked, mut seen) = (None, 0);
        while acked.is_none() || seen < cells.len() {
            match self.hear().expect("the relay answers") {
                ToDevice::Ack { request: answered, seqs } if answered == request => {
                    acked = Some(seqs);
                }
                ToDevice::Push { cells, .. } => seen += cells.len(),
                _ => {}
            }
        }
        acked.unwrap_or_default()
    }
}
