//! `init`: makes a relay's directory, never over another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use staffetta_protocol::noise::keys::{StaticPublic, StaticSecret, relay_fingerprint};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use zeroize::Zeroize;

use crate::config::{Config, TEMPLATE};
use crate::founder::founder_code;
use crate::hub::{monotonic_clock, system_clock};
use crate::registry::store_founder;
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

    /// Reads the relay's static key.
    pub(crate) fn read_key(&self) -> io::Result<StaticSecret> {
        let mut bytes = [0; 32];
        let mut file = File::open(self.transport_key())?;
        let read = file.read_exact(&mut bytes);
        let key = StaticSecret::from_secret(Secret::take(&mut bytes));
        read?;
        if file.read(&mut [0])? != 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a key of another length"));
        }
        Ok(key)
    }
}

/// What `init` prints.
pub(crate) struct Founded {
    /// The relay's fingerprint, in groups of four hexadecimal digits.
    pub(crate) fingerprint: String,
    /// The founder code; its only copy.
    pub(crate) founder_code: String,
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
pub(crate) fn init(data: &Path, address: &str, team: &str) -> anyhow::Result<Founded> {
    let layout = Layout::new(data);
    if data.exists() && fs::read_dir(data)?.next().is_some() {
        anyhow::bail!("{} is not empty; init never overwrites", data.display());
    }
    let key = StaticSecret::generate(&mut OsRandom);
    // Checked before anything is written.
    let (code, invite) = founder_code(&key.public(), address, team).map_err(anyhow::Error::msg)?;
    let mut dirs = DirBuilder::new();
    dirs.recursive(true).mode(0o700);
    dirs.create(data)?;
    fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    dirs.create(layout.keys())?;
    write_private(&layout.config(), config_for(address).as_bytes())?;
    write_private(&layout.transport_key(), key.secret().expose())?;
    let mut backup = [0; 32];
    staffetta_protocol::random::Random::fill(&mut OsRandom, &mut backup);
    let written = write_private(&layout.keys().join("backup.key"), &backup);
    backup.zeroize();
    written?;
    let store = SledStore::open(&layout.store(), store_options(&Config::default()))?;
    store_founder(&store, invite)?;
    drop(store);
    for dir in [layout.keys(), data.to_owned()] {
        File::open(dir)?.sync_all()?;
    }
    Ok(Founded { fingerprint: fingerprint(&key.public()), founder_code: code })
}

/// The template, listening on the port that the address names.
fn config_for(address: &str) -> String {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(port) => TEMPLATE.replace("0.0.0.0:7443", &format!("0.0.0.0:{port}")),
        None => TEMPLATE.to_owned(),
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
        let founded = init(&data, "relay.example:9000", "Campagne").unwrap();
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
        let config = Config::load(&layout.config(), std::iter::empty()).unwrap();
        assert_eq!(config.listen.address.port(), 9000);
        assert!(init(&data, "relay.example:9000", "Campagne").is_err());
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
        assert!(init(&data, "", "x").is_err());
        assert!(init(&data, "host:port", "x").is_err());
        assert!(init(&data, "relay.example", "a\u{202e}b").is_err());
        assert!(!data.exists());
    }
}
