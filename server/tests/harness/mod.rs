//! A real relay process on a free port, and links to it as devices and newcomers have them.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each story file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt, StreamExt};
use staffetta_protocol::gate::Gate;
use staffetta_protocol::invite_code::{Bundle, InviteCode};
use staffetta_protocol::noise::keys::{AccessSecret, GateKey, StaticPublic, StaticSecret};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::{DeviceSession, Input, Output};
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{CellId, Digest, Lane, LogId, Seq, TeamId};
use staffetta_protocol::wire::limits::CELL;
use staffetta_protocol::wire::rows::{Claim, Row, RowsDocument, RowsSigner, SignedRows};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// No story waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A relay process; killed when dropped.
pub struct Relay {
    child: Child,
    pub address: SocketAddr,
    pub data: PathBuf,
    pub code: String,
    pub key: StaticPublic,
    /// What it wrote to stderr after the first line.
    pub said: Arc<Mutex<Vec<u8>>>,
    _dir: tempfile::TempDir,
}

impl Relay {
    /// Makes a relay and starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Makes a relay and starts it with these environment variables.
    pub fn start_with(env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("relay");
        let output = Command::new(env!("CARGO_BIN_EXE_staffetta-relay"))
            .args(["init", "--address", "relay.example:7443", "--team", "Campagne", "--json"])
            .arg("--data-dir")
            .arg(&data)
            .output()
            .unwrap();
        assert!(output.status.success());
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let code = said["founder_code"].as_str().unwrap().to_owned();
        let (child, address, said) = serve(&data, env);
        let key = StaticPublic([0; 32]);
        let mut relay = Self { child, address, data, code, key, said, _dir: dir };
        let bytes = std::fs::read(relay.data.join("keys/transport.key")).unwrap();
        let secret = StaticSecret::from_secret(Secret::copy(&bytes).unwrap());
        relay.key = secret.public();
        relay
    }

    /// Stops `relay` and serves the directory `data`, which is of the same relay, in its place.
    pub fn adopt(mut relay: Self, data: &Path) -> Self {
        relay.child.kill().unwrap();
        relay.child.wait().unwrap();
        relay.data = data.to_owned();
        (relay.child, relay.address, relay.said) = serve(data, &[]);
        relay
    }

    /// Runs a command on this relay's directory; its exit code, and what it printed.
    pub fn command(&self, arguments: &[&str]) -> (i32, String) {
        command(&self.data, arguments)
    }

    /// The same with `--json`, read.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let (code, text) = self.command(&[arguments, &["--json"]].concat());
        assert_eq!(code, 0, "{arguments:?}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits for the process to end and returns its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// kill -9, and a new process on the same directory.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.address, self.said) = serve(&self.data, &[]);
    }

    /// Resident memory in kibibytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many file descriptors the process has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Sends raw bytes on a new connection and returns everything that comes back.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// A token for this relay as of `seconds` from now.
    pub fn token(&self, key: &GateKey, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let at = now.checked_add_signed(seconds).unwrap();
        Gate::of(&self.key).token(key, at, &mut OsRandom).to_text()
    }

    /// A newcomer's token, who does not know the relay's key yet.
    pub fn invite_token(&self, key: &GateKey) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Gate::of_invites().token(key, now, &mut OsRandom).to_text()
    }

    /// Founds a team with one admin's device.
    pub async fn found(&self) -> (Team, Device) {
        let code = InviteCode::parse(&self.code).unwrap();
        let keys = code.keys();
        let throwaway = StaticSecret::generate(&mut OsRandom);
        let session = DeviceSession::newcomer(0, &throwaway, &keys.psk).unwrap();
        let mut link = Link::connect(self, self.invite_token(&keys.gate), session).await.unwrap();
        let ToDevice::InviteWelcome { bundle, .. } = link.next().await.unwrap() else {
            panic!("the first frame is a welcome")
        };
        let bundle = Bundle::open(&keys.id, &keys.bundle, &bundle).unwrap();
        assert!(bundle.relay == self.key && bundle.team == "Campagne");
        let mut team = Team { version: 0, last: Digest([0; 32]) };
        let admin = Device::new();
        let document = team.document(&[(&admin, true)], &[]);
        link.send(ToRelay::Rows { request: 1, document }).await;
        assert!(matches!(link.next().await, Some(ToDevice::Done { request: 1 })));
        (team, admin)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command on the relay's directory `data`; its exit code, and what it printed.
pub fn command(data: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_staffetta-relay"))
        .args(arguments)
        .env("STAFFETTA_DATA_DIR", data)
        .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

type Said = Arc<Mutex<Vec<u8>>>;

fn serve(data: &Path, env: &[(&str, &str)]) -> (Child, SocketAddr, Said) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_staffetta-relay"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        // A test machine may be nearly full.
        .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
        .envs(env.iter().copied())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").expect("ready").parse().unwrap();
    let said = Said::default();
    let kept = said.clone();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stderr.read(&mut piece) {
            kept.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    });
    (child, address, said)
}

/// The registry's documents as a team's admin makes them.
pub struct Team {
    version: u64,
    last: Digest,
}

const ROOT: [u8; 32] = [1; 32];
const AUTHORITY: [u8; 32] = [2; 32];

fn public(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

impl Team {
    /// The next document.
    pub fn document(&mut self, added: &[(&Device, bool)], removed: &[&Device]) -> SignedRows {
        let claim = Claim { team: TeamId([7; 32]), root: public(&ROOT) };
        let document = RowsDocument {
            version: self.version + 1,
            previous: self.last,
            claim: (self.version == 0).then_some(claim),
            authority: public(&AUTHORITY),
            added: added.iter().map(|(device, admin)| device.row(*admin)).collect(),
            removed: removed.iter().map(|gone| gone.row(false).transport).collect(),
            addresses: vec![],
        };
        let (signer, key) = match self.version {
            0 => (RowsSigner::Root, ROOT),
            _ => (RowsSigner::Authority, AUTHORITY),
        };
        let signed = document.sign(signer, &Secret::copy(&key).unwrap()).unwrap();
        (self.version, self.last) = (self.version + 1, signed.hash());
        signed
    }
}

/// A device's keys for the hop.
pub struct Device {
    pub access: AccessSecret,
    pub transport: StaticSecret,
}

impl Device {
    pub fn new() -> Self {
        Self {
            access: AccessSecret::generate(&mut OsRandom),
            transport: StaticSecret::generate(&mut OsRandom),
        }
    }

    fn row(&self, admin: bool) -> Row {
        let access = Secret::copy(self.access.secret().expose()).unwrap();
        let transport = self.access.bind(&self.transport.public());
        Row { access: AccessSecret::from_secret(access), transport, admin }
    }

    /// Connects and returns the link after its WELCOME, which is checked to say `head`.
    pub async fn link(&self, relay: &Relay, resume: Seq) -> Option<Link> {
        let psk = self.access.psk();
        let session = DeviceSession::device(0, &relay.key, &self.transport, &psk, resume).unwrap();
        let mut link =
            Link::connect(relay, relay.token(&self.access.gate_key(), 0), session).await?;
        match link.next().await? {
            ToDevice::Welcome { head, hash, log, .. } => {
                (link.head, link.hash, link.log) = (head, hash, Some(log));
                Some(link)
            }
            _ => panic!("the first frame is WELCOME"),
        }
    }
}

/// One connection through gate and Noise.
pub struct Link {
    socket: WebSocketStream<tokio::net::TcpStream>,
    session: DeviceSession,
    pub head: Seq,
    pub hash: Digest,
    pub log: Option<LogId>,
}

impl Link {
    /// Goes through the gate with this token; `None` if it is shut.
    pub async fn connect(relay: &Relay, token: String, session: DeviceSession) -> Option<Self> {
        let mut request = format!("ws://{}/", relay.address).into_client_request().unwrap();
        let token = format!("Bearer {token}");
        request.headers_mut().insert("Authorization", token.parse().unwrap());
        let stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
        Some(Self { socket, session, head: 0, hash: Digest([0; 32]), log: None })
    }

    /// The next frame, or `None` once the relay closed.
    pub async fn next(&mut self) -> Option<ToDevice> {
        loop {
            let mut frame = None;
            while let Some(output) = self.session.poll() {
                match output {
                    Output::Transmit(message) => {
                        self.socket.send(Message::Binary(message)).await.ok()?;
                    }
                    Output::Frame(found) => frame = Some(found),
                    Output::RelayKey(_) => {}
                    Output::Close(_) => return None,
                }
            }
            if frame.is_some() {
                return frame;
            }
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("patience") {
                Some(Ok(Message::Binary(message))) => {
                    self.session.handle(0, Input::Message(&message));
                }
                _ => return None,
            }
        }
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: ToRelay) {
        self.session.handle(0, Input::Send(&frame));
        while let Some(Output::Transmit(message)) = self.session.poll() {
            // A relay that was killed is found out by `next`.
            let _ = self.socket.send(Message::Binary(message)).await;
        }
    }

    /// Sends a raw message under the session.
    pub async fn send_raw(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::Binary(bytes.into())).await;
    }

    /// PUTs the cells numbered `cells` in one frame.
    pub async fn put(&mut self, request: u32, cells: std::ops::Range<u64>) {
        let cells: Vec<_> = cells.map(cell).collect();
        let cells = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
        self.send(ToRelay::Put { lane: Lane(0), request, cells }).await;
    }

    /// Waits for the seqs of a request, noting pushed cells.
    pub async fn ack(&mut self, wanted: u32, pushed: &mut Vec<u64>) -> Option<Vec<Seq>> {
        loop {
            match self.next().await? {
                ToDevice::Ack { request, seqs } if request == wanted => return Some(seqs),
                ToDevice::Push { cells, .. } => pushed.extend(numbers(&cells)),
                ToDevice::Fail { code, .. } => panic!("refused: {code:?}"),
                _ => {}
            }
        }
    }
}

/// The cell numbered `n`.
pub fn cell(n: u64) -> (CellId, [u8; CELL]) {
    let (mut id, mut cell) = ([0; 16], [n as u8; CELL]);
    id[..8].copy_from_slice(&n.to_be_bytes());
    cell[..8].copy_from_slice(&n.to_be_bytes());
    (CellId(id), cell)
}

/// The numbers of cells.
pub fn numbers(cells: &Cells) -> Vec<u64> {
    cells.iter().map(|(id, _)| u64::from_be_bytes(id.0[..8].try_into().unwrap())).collect()
}

/// Waits until `fact` holds.
pub fn eventually(name: &str, fact: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !fact() {
        assert!(Instant::now() < until, "never: {name}");
        std::thread::yield_now();
    }
}
