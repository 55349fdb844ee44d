//! One device of the simulation: an engine on a profile of its own, and its link.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use serde_json::Value;
use staffetta_protocol::member::agent::core::{ApiError, Core};
use staffetta_protocol::member::e2ee::{self, Group, Provider};
use staffetta_protocol::member::engine::Engine;
use staffetta_protocol::member::identity::DeviceKeys;
use staffetta_protocol::member::store::{DbKey, RoomRow, Store, StoreError};
use staffetta_protocol::noise::keys::TransportHash;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{DeviceId, Digest, RoomId, Seq};
use tempfile::TempDir;

use super::choices::Choices;

/// A device.
pub struct Device {
    /// Who, and which of the person's devices.
    pub name: String,
    /// Its id, once it is inside.
    pub id: Option<DeviceId>,
    /// `None` while the process is not running.
    pub engine: Option<Engine>,
    /// When the process starts again, in monotonic milliseconds.
    pub starts_at: Option<u64>,
    /// When the timer fired last.
    pub ticked_at: u64,
    /// The link.
    pub link: Link,
    /// Answers to calls.
    pub answers: HashMap<u64, Result<Value, ApiError>>,
    /// It was revoked.
    pub gone: bool,
    dir: TempDir,
    key: Arc<DbKey>,
    /// A second look at the database, so that what is checked is what is on disk. It also keeps
    /// the write-ahead log from being emptied by a process that ends, as after `kill -9`.
    disk: Store,
}

/// A device's link to the relay.
pub enum Link {
    /// No connection; the next attempt in monotonic milliseconds, if any.
    Down(Option<u64>),
    /// A connection.
    Up(Connection),
}

/// Frames under way. Each direction keeps its order, as a stream does.
pub struct Connection {
    /// The registry's row that let it in; the relay cuts it when that is gone.
    pub row: TransportHash,
    /// To the relay, with the time of arrival.
    pub up: VecDeque<(u64, ToRelay)>,
    /// To the device, with the time of arrival.
    pub down: VecDeque<(u64, ToDevice)>,
    /// The next seq the relay pushes.
    pub next: Seq,
    /// When the next push arrives.
    pub push_at: Option<u64>,
}

/// Why a forgery leaves nothing behind.
struct Undone;

impl From<StoreError> for Undone {
    fn from(_: StoreError) -> Self {
        Self
    }
}

/// What a device has of a room in its current epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The place of the commit that opened it.
    pub opened: Seq,
    /// The epoch authenticator.
    pub authenticator: Vec<u8>,
    /// The devices in it, and each one's leaf.
    pub members: BTreeMap<DeviceId, Digest>,
}

impl Device {
    /// A device without a team.
    pub fn blank(name: &str, random: &mut Choices) -> anyhow::Result<Self> {
        let (dir, key) = (place()?, Arc::new(DbKey::generate(random)));
        drop(Store::create(dir.path(), &key, e2ee::migrate)?);
        let disk = Store::open(dir.path(), &key, e2ee::migrate)?;
        let mut device = Self {
            name: name.to_owned(),
            id: None,
            engine: None,
            starts_at: None,
            ticked_at: 0,
            link: Link::Down(None),
            answers: HashMap::new(),
            gone: false,
            dir,
            key,
            disk,
        };
        device.start(random)?;
        Ok(device)
    }

    /// A copy of this device's profile in another world, not running yet.
    pub fn copy(&self) -> anyhow::Result<Self> {
        let dir = place()?;
        copy_files(self.dir.path(), dir.path())?;
        let disk = Store::open(dir.path(), &self.key, e2ee::migrate)?;
        Ok(Self {
            name: self.name.clone(),
            id: self.id,
            engine: None,
            starts_at: None,
            ticked_at: 0,
            link: Link::Down(None),
            answers: HashMap::new(),
            gone: self.gone,
            dir,
            key: Arc::clone(&self.key),
            disk,
        })
    }

    /// Starts the process.
    pub fn start(&mut self, random: &mut Choices) -> anyhow::Result<()> {
        let store = Store::open(self.dir.path(), &self.key, e2ee::migrate)?;
        let engine = Engine::open(store, Box::new(random.branch()));
        self.engine = Some(engine.map_err(|error| anyhow!("{}: {}", self.name, error.message))?);
        self.starts_at = None;
        Ok(())
    }

    /// Ends the process without warning.
    pub fn kill(&mut self) {
        self.engine = None;
        self.link = Link::Down(None);
    }

    /// When the engine wants its timer.
    pub fn due(&self) -> Option<u64> {
        /// A timer may be late, and fires no oftener than this.
        const LEAST_MS: u64 = 20;
        Some(self.engine.as_ref()?.deadline()?.max(self.ticked_at + LEAST_MS))
    }

    /// Whether it has nothing under way.
    pub fn is_connected(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }

    /// The rooms as they are on disk.
    pub fn rooms(&self) -> anyhow::Result<Vec<RoomRow>> {
        Ok(self.disk.view(|view| view.rooms())?)
    }

    /// What a program that keeps no rule could make of this device's keys and its group of a room.
    /// Nothing of it stays on the device.
    pub fn forge<T>(
        &mut self,
        row: &RoomRow,
        make: impl FnOnce(&Provider<'_>, &mut Group, &DeviceKeys) -> Option<T>,
    ) -> anyhow::Result<Option<T>> {
        let keys = self.disk.view(|view| view.device_keys())?.context("keys")?;
        let mut made = None;
        let undone = self.disk.step(|tx| {
            let provider = Provider::new(tx.connection());
            if let Ok(Some(mut group)) = Group::load(&provider, row.id) {
                made = make(&provider, &mut group, &keys);
            }
            Err::<(), _>(Undone)
        });
        undone.err().context("a forgery that stayed")?;
        Ok(made)
    }

    /// How many channels it has, each with a tag that every cell is compared with.
    pub fn channels(&self) -> anyhow::Result<usize> {
        Ok(self.disk.view(|view| view.channels())?.len())
    }

    /// The room's group as it is on disk.
    pub fn epoch(&mut self, row: &RoomRow) -> anyhow::Result<Epoch> {
        let (room, opened): (RoomId, Seq) = (row.id, row.opened);
        let group = self.disk.step(|tx| {
            let provider = Provider::new(tx.connection());
            Ok::<_, StoreError>(Group::load(&provider, room))
        })?;
        let group = group.ok().flatten().context("a room without a group")?;
        let leaf = |device| Some((device, group.leaf_hash(&device)?));
        let members = group.members().iter().filter_map(|member| leaf(member.device)).collect();
        let authenticator = group.authenticator().map_err(|_| anyhow!("no authenticator"))?;
        Ok(Epoch { opened, authenticator: authenticator.0.to_vec(), members })
    }
}

/// A directory for a profile, in memory where there is some: the processes die here, the machine does
/// not, and what a disk would make of it is other tests' matter.
fn place() -> std::io::Result<TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for file in std::fs::read_dir(from)? {
        let file = file?;
        std::fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}
