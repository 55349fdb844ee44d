//! Identities and recipients, and how they stand in files.

use std::fs;
use std::path::Path;

use bech32::{Bech32, Hrp};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::super::BackupError;

const SECRET: &str = "age-secret-key-";
const PUBLIC: &str = "age";
/// The largest key file read, in bytes.
const MAX_FILE: u64 = 16 * 1024;

/// What opens backups: an X25519 secret.
pub(crate) struct Identity(StaticSecret);

const _: () = assert!(std::mem::needs_drop::<Identity>());

/// What backups are sealed to: its public key.
#[derive(Clone, Copy)]
pub(crate) struct Recipient(PublicKey);

fn read(path: &Path) -> Result<Zeroizing<String>, BackupError> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(BackupError::NoKey("key"));
    }
    Ok(Zeroizing::new(fs::read_to_string(path)?))
}

/// The one line that is neither empty nor a comment.
fn line(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('#'))
}

fn decode(text: &str, wanted: &str) -> Option<Secret<32>> {
    let (hrp, mut bytes) = bech32::decode(text).ok()?;
    let secret = Secret::copy(&bytes);
    zeroize::Zeroize::zeroize(&mut bytes);
    secret.filter(|_| hrp.as_str().eq_ignore_ascii_case(wanted))
}

fn encode(prefix: &str, bytes: &[u8; 32], upper: bool) -> String {
    let Ok(hrp) = Hrp::parse(prefix) else { return String::new() };
    let encoded = match upper {
        true => bech32::encode_upper::<Bech32>(hrp, bytes),
        false => bech32::encode::<Bech32>(hrp, bytes),
    };
    encoded.unwrap_or_default()
}

impl Identity {
    /// A fresh one.
    pub(crate) fn generate() -> Self {
        let secret = Secret::<32>::random(&mut OsRandom);
        Self(StaticSecret::from(*secret.expose()))
    }

    /// Reads a file as `age-keygen` and `init` write it.
    pub(crate) fn read(path: &Path) -> Result<Self, BackupError> {
        let text = read(path)?;
        let secret = line(&text).and_then(|line| decode(line, SECRET));
        let secret = secret.ok_or(BackupError::NoKey("identity"))?;
        Ok(Self(StaticSecret::from(*secret.expose())))
    }

    /// What it opens.
    pub(crate) fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0))
    }

    /// The text of its file.
    pub(crate) fn to_file(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(encode(SECRET, self.0.as_bytes(), true));
        let recipient = self.recipient().to_text();
        Zeroizing::new(format!(
            "# Opens the backups of this relay. Keep a copy on another machine: without it no\n\
             # backup opens. The relay itself needs it only for `backup verify` and `backup test`.\n\
             # public key: {recipient}\n{}\n",
            secret.as_str()
        ))
    }

    pub(super) fn agree(&self, with: &PublicKey) -> x25519_dalek::SharedSecret {
        self.0.diffie_hellman(with)
    }
}

impl Recipient {
    /// Reads a recipient's file.
    pub(crate) fn read(path: &Path) -> Result<Self, BackupError> {
        let text = read(path)?;
        let public = line(&text).and_then(|line| decode(line, PUBLIC));
        let public = public.ok_or(BackupError::NoKey("recipient"))?;
        Ok(Self(PublicKey::from(*public.expose())))
    }

    /// `age1...`
    pub(crate) fn to_text(self) -> String {
        encode(PUBLIC, self.0.as_bytes(), false)
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.0
    }
}
