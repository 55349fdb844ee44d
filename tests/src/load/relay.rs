//! A relay process under load, its registry, and what the system says of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use staffetta_protocol::gate::Gate;
use staffetta_protocol::invite_code::InviteCode;
use staffetta_protocol::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::DeviceSession;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{Digest, TeamId};
use staffetta_protocol::wire::limits::MAX_ROWS;
use staffetta_protocol::wire::rows::{Claim, Row, RowsDocument, RowsSigner};

use super::link::Link;

/// A device's keys for the hop.
pub struct Device {
    /// Its access secret.
    pub access: AccessSecret,
    /// Its transport key.
    pub transport: StaticSecret,
}

/// A relay process in a temporary directory.
pub struct Relay {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its static key.
    pub key: StaticPublic,
    /// Milliseconds from start to ready.
    pub started_in: Duration,
    code: String,
    _dir: tempfile::TempDir,
}

/// A relay as devices and strangers see it.
#[derive(Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its static key.
    pub key: StaticPublic,
}

/// What a relay did between two looks.
#[derive(Clone, Copy)]
pub struct Usage {
    /// User and system time.
    pub cpu: Duration,
    /// Resident bytes.
    pub memory: u64,
}

/// What a relay says when it stops.
pub struct Totals {
    /// Durable commits, each one fdatasync.
    pub commits: u64,
    /// Cells in them.
    pub cells: u64,
}

const UNLIMITED: &str = "4000000000";

impl Relay {
    /// Makes and starts `binary` with its data below `place`, with quotas out of the way.
    pub fn start(binary: &Path, place: &Path) -> anyhow::Result<Self> {
        let env = ["CELLS_PER_MINUTE", "CELLS_BURST", "CELLS_PER_DAY"].map(|key| (key, UNLIMITED));
        Self::start_with(binary, place, &env)
    }

    /// Makes and starts `binary` with its data below `place` and these limits.
    pub fn start_with(
        binary: &Path,
        place: &Path,
        limits: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir_in(place)?;
        let data = dir.path().join("relay");
        let output = Command::new(binary)
            .args(["init", "--address", "127.0.0.1", "--json", "--data-dir"])
            .arg(&data)
            .output()
            .context("init")?;
        ensure!(output.status.success(), "init failed");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let code = said["founder_code"].as_str().context("a code")?.to_owned();
        let key = std::fs::read(data.join("keys/transport.key"))?;
        let key = StaticSecret::from_secret(Secret::copy(&key).context("a key")?).public();
        let (child, stderr, address, started_in) = serve(binary, &data, limits)?;
        Ok(Self { child, stderr, address, key, started_in, code, _dir: dir })
    }

    /// Claims the relay with `count` devices and returns them.
    pub async fn found(&self, count: usize) -> anyhow::Result<Vec<Arc<Device>>> {
        let devices: Vec<_> = (0..count).map(|_| Arc::new(Device::new())).collect();
        let keys = InviteCode::parse(&self.code)?.keys();
        let throwaway = StaticSecret::generate(&mut OsRandom);
        let session = DeviceSession::newcomer(0, &throwaway, &keys.psk)?;
        let mut link = Link::connect(self.address, Gate::of_invites(), &keys.gate, session).await?;
        link.next().await?;
        let seed = Secret::random(&mut OsRandom);
        let root = SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes();
        let (mut version, mut previous) = (0, Digest([0; 32]));
        for added in devices.chunks(MAX_ROWS) {
            version += 1;
            let document = RowsDocument {
                version,
                previous,
                claim: (version == 1).then_some(Claim { team: TeamId([7; 32]), root }),
                authority: root,
                added: added.iter().map(|device| device.row()).collect(),
                removed: vec![],
                addresses: vec![],
            };
            let document = document.sign(RowsSigner::Root, &seed)?;
            previous = document.hash();
            link.send(&ToRelay::Rows { request: 1, document })?;
            link.flush().await?;
            ensure!(matches!(link.next().await?, ToDevice::Done { .. }), "rows were refused");
            // The founder code dies with its first document.
            let admin = devices.first().context("a device")?;
            link = admin.link(&self.target(), 1).await?;
        }
        Ok(devices)
    }

    /// What it takes to connect.
    pub fn target(&self) -> Target {
        Target { address: self.address, key: self.key }
    }

    /// How many file descriptors the process has open.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// What the process has used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks =
            |at: usize| -> anyhow::Result<u64> { Ok(fields.get(at).context("a field")?.parse()?) };
        // utime, stime and rss of proc(5), counted after the name; 100 ticks a second, 4 KiB pages.
        let cpu = Duration::from_millis((ticks(11)? + ticks(12)?) * 10);
        Ok(Usage { cpu, memory: ticks(21)? * 4096 })
    }

    /// Stops the relay in order and reads its totals.
    pub fn stop(mut self) -> anyhow::Result<Totals> {
        let pid = self.child.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "kill");
        let mut totals = None;
        let mut line = String::new();
        while self.stderr.read_line(&mut line)? > 0 {
            if let Ok(said) = serde_json::from_str::<serde_json::Value>(&line)
                && said["fields"]["message"] == "stopped"
            {
                // A log field marked safe is written as text.
                let number = |name: &str| {
                    let field = &said["fields"][name];
                    field.as_u64().or_else(|| field.as_str()?.parse().ok()).unwrap_or(0)
                };
                totals = Some(Totals { commits: number("commits"), cells: number("cells") });
            }
            line.clear();
        }
        self.child.wait()?;
        totals.context("the relay did not say goodbye")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Served = (Child, BufReader<ChildStderr>, SocketAddr, Duration);

fn serve(binary: &Path, data: &Path, limits: &[(&str, &str)]) -> anyhow::Result<Served> {
    let started = Instant::now();
    let mut child = Command::new(binary)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
        .envs(limits.iter().map(|(key, value)| (format!("STAFFETTA__LIMITS__{key}"), value)))
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stderr = BufReader::new(child.stderr.take().context("stderr")?);
    let mut line = String::new();
    stderr.read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening on ").context("not ready")?.parse()?;
    Ok((child, stderr, address, started.elapsed()))
}

impl Device {
    fn new() -> Self {
        Self {
            access: AccessSecret::generate(&mut OsRandom),
            transport: StaticSecret::generate(&mut OsRandom),
        }
    }

    fn row(&self) -> Row {
        let bytes = self.access.secret().expose();
        let access = AccessSecret::from_secret(Secret::filled(|out| out.copy_from_slice(bytes)));
        Row { access, transport: self.access.bind(&self.transport.public()), admin: true }
    }

    /// Connects, wanting the log from `resume` on, and reads WELCOME.
    pub async fn link(&self, relay: &Target, resume: u64) -> anyhow::Result<Link> {
        let psk = self.access.psk();
        let session = DeviceSession::device(0, &relay.key, &self.transport, &psk, resume)?;
        let (gate, key) = (Gate::of(&relay.key), self.access.gate_key());
        let mut link = Link::connect(relay.address, gate, &key, session).await?;
        ensure!(matches!(link.next().await?, ToDevice::Welcome { .. }), "no welcome");
        Ok(link)
    }
}
