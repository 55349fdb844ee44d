//! `init`: makes a relay's directory, never over another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use staffetta_protocol::noise::keys::{StaticPublic, StaticSecret, relay_fingerprint};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;

use crate::backup::Identity;
use crate::config::{Config, TEMPLATE};
use crate::founder::{founder_code, spare_code};
use crate::hub::{monotonic_clock, system_clock};
use crate::registry::{Kind, store_founder};
use crate::store::sled::{BALLAST_BYTES, SEGMENT_BYTES, SEGMENT_SECONDS, SledOptions, SledStore};

/// The files of a relay's directory.
pub(crate) struct Layout(PathBuf);

impl Layout {
    /// Of the directory `data`.
    pub(crate) fn new(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The store's directory.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    fn transport_key(&self) -> PathBuf {
        self.keys().join("transport.key")
    }

    /// Where the static key is: systemd's credential of its name goes before the file.
    fn current_key(&self) -> PathBuf {
        std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|dir| PathBuf::from(dir).join("transport.key"))
            .filter(|path| path.exists())
            .unwrap_or_else(|| self.transport_key())
    }

    /// Reads the relay's static key: systemd's credential of its name if there is one.
    pub(crate) fn read_key(&self) -> io::Result<StaticSecret> {
        let mut bytes = [0; 32];
        let mut file = File::open(self.current_key())?;
        let read = file.read_exact(&mut bytes);
        let key = StaticSecret::from_secret(Secret::take(&mut bytes));
        read?;
        if file.read(&mut [0])? != 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a key of another length"));
        }
        Ok(key)
    }
}

/// The files of a backup: the name of each there, and its place in the directory.
const BACKED_UP: [(&str, &str); 2] =
    [("config.toml", "config.toml"), ("transport.key", "keys/transport.key")];

impl Layout {
    /// What opens the backups.
    pub(crate) fn identity(&self) -> PathBuf {
        self.keys().join("backup.key")
    }

    /// What backups are sealed to. It is public, so it is not called a key.
    pub(crate) fn recipient(&self) -> PathBuf {
        self.0.join("backup.recipient")
    }

    /// Everything that nobody but the relay's user may read.
    pub(crate) fn private(&self) -> [PathBuf; 5] {
        [self.0.clone(), self.keys(), self.transport_key(), self.identity(), self.config()]
    }

    /// What goes into a backup beside the store.
    pub(crate) fn backed_up(&self) -> [(&'static str, PathBuf); 2] {
        BACKED_UP.map(|(name, place)| match name {
            "transport.key" => (name, self.current_key()),
            _ => (name, self.0.join(place)),
        })
    }

    /// Makes the directory of keys.
    pub(crate) fn make_keys(&self) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(self.keys())
    }

    /// Writes what opens backups, and what they are sealed to.
    pub(crate) fn write_identity(&self, identity: &Identity) -> io::Result<()> {
        write_private(&self.identity(), identity.to_file().as_bytes())?;
        let recipient = format!("{}\n", identity.recipient().to_text());
        write_private(&self.recipient(), recipient.as_bytes())
    }

    /// Writes a file of a backup; one of an unknown name is not the relay's.
    pub(crate) fn write_backed_up(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match BACKED_UP.iter().find(|(known, _)| *known == name) {
            Some((_, place)) => write_private(&self.0.join(place), bytes),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "an unknown file")),
        }
    }

    /// Reads a file as it is in a backup.
    pub(crate) fn read_backed_up(&self, name: &str) -> io::Result<Vec<u8>> {
        match BACKED_UP.iter().find(|(known, _)| *known == name) {
            Some((_, place)) => fs::read(self.0.join(place)),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "an unknown file")),
        }
    }
}

/// What `init` prints.
pub(crate) struct Founded {
    /// The relay's fingerprint, in groups of four hexadecimal digits.
    pub(crate) fingerprint: String,
    /// The founder code, or a spare's code; its only copy.
    pub(crate) code: String,
}

/// What a new relay is for.
pub(crate) enum Purpose<'a> {
    /// A team of this name is founded on it.
    Team(&'a str),
    /// A team that has a relay goes on with it.
    Spare,
}

/// What a person compares: BLAKE2s-256 of the relay's public key.
pub(crate) fn fingerprint(key: &StaticPublic) -> String {
    relay_fingerprint(key).to_hex()
}

/// How the store is kept under this configuration.
pub(crate) fn store_options(config: &Config) -> SledOptions {
    SledOptions {
        low_disk: config.storage.low_disk,
        ballast: BALLAST_BYTES,
        segment_bytes: SEGMENT_BYTES,
        segment_seconds: SEGMENT_SECONDS,
        clock: system_clock(),
        monotonic: monotonic_clock(),
    }
}

/// Makes `data` and everything in it. Refuses a directory that is not empty.
pub(crate) fn init(data: &Path, address: &str, purpose: &Purpose<'_>) -> anyhow::Result<Founded> {
    let layout = Layout::new(data);
    if data.exists() && fs::read_dir(data)?.next().is_some() {
        anyhow::bail!("{} is not empty; init never overwrites", data.display());
    }
    let key = StaticSecret::generate(&mut OsRandom);
    // Checked before anything is written.
    let (made, kind) = match purpose {
        Purpose::Team(team) => (founder_code(&key.public(), address, team), Kind::Founder),
        Purpose::Spare => (spare_code(&key.public(), address), Kind::Spare),
    };
    let (code, invite) = made.map_err(anyhow::Error::msg)?;
    let mut dirs = DirBuilder::new();
    dirs.recursive(true).mode(0o700);
    dirs.create(data)?;
    fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    layout.make_keys()?;
    write_private(&layout.config(), config_for(address).as_bytes())?;
    write_private(&layout.transport_key(), key.secret().expose())?;
    layout.write_identity(&Identity::generate())?;
    let store = SledStore::open(&layout.store(), store_options(&Config::default()))?;
    store_founder(&store, invite, kind)?;
    drop(store);
    for dir in [layout.keys(), data.to_owned()] {
        File::open(dir)?.sync_all()?;
    }
    Ok(Founded { fingerprint: fingerprint(&key.public()), code })
}

/// The template, listening on the port that the address names. The founder code's maker checked
/// the address, so it holds nothing that would end the string.
fn config_for(address: &str) -> String {
    let text = TEMPLATE.replacen("public = \"\"", &format!("public = \"{address}\""), 1);
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(port) => text.replace("0.0.0.0:7443", &format!("0.0.0.0:{port}")),
        None => text,
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use staffetta_protocol::invite_code::{Bundle, InviteCode};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn init_makes_a_private_directory_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("relay");
        let founded = init(&data, "relay.example:9000", &Purpose::Team("Campagne")).unwrap();
        let layout = Layout::new(&data);
        for (path, wanted) in [
            (data.clone(), 0o700),
            (layout.keys(), 0o700),
            (layout.transport_key(), 0o600),
            (layout.keys().join("backup.key"), 0o600),
            (layout.config(), 0o600),
        ] {
            assert_eq!(mode(&path), wanted, "{}", path.display());
        }
        let key = layout.read_key().unwrap().public();
        assert_eq!(founded.fingerprint, fingerprint(&key));
        let config = crate::config::Loaded::load(&layout.config(), std::iter::empty(), vec![]);
        let config = config.unwrap().config;
        assert_eq!(config.listen.address.to_string(), "0.0.0.0:9000");
        assert_eq!(config.listen.public, "relay.example:9000");
        let identity = Identity::read(&layout.identity()).unwrap();
        let recipient = crate::backup::Recipient::read(&layout.recipient()).unwrap();
        assert_eq!(identity.recipient().to_text(), recipient.to_text());
        assert!(init(&data, "relay.example:9000", &Purpose::Team("Campagne")).is_err());
        assert_eq!(layout.read_key().unwrap().public(), key);
    }

    #[test]
    fn the_teams_name_and_the_secret_go_only_into_the_code_and_the_sealed_bundle() {
        let key = StaticSecret::generate(&mut OsRandom).public();
        let (text, kept) = founder_code(&key, "relay.example", "Campagne").unwrap();
        let code = InviteCode::parse(&text).unwrap();
        let keys = code.keys();
        assert!(kept.id == keys.id && kept.gate.secret().ct_eq(keys.gate.secret().expose()));
        let bundle = Bundle::open(&keys.id, &keys.bundle, &kept.bundle).unwrap();
        assert!(bundle.team == "Campagne" && bundle.relay == key);
        let window = |needle: &[u8]| kept.bundle.windows(needle.len()).any(|at| at == needle);
        assert!(!window(b"Campagne") && !window(code.secret().expose()));
    }

    #[test]
    fn a_bad_address_or_team_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("relay");
        assert!(init(&data, "", &Purpose::Team("x")).is_err());
        assert!(init(&data, "host:port", &Purpose::Spare).is_err());
        assert!(init(&data, "relay.example", &Purpose::Team("a\u{202e}b")).is_err());
        assert!(!data.exists());
    }
}
