//! The header: the file key, wrapped for one recipient.

use std::io::{BufRead, Read};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use data_encoding::BASE64_NOPAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::super::BackupError;
use super::keys::{Identity, Recipient};

const VERSION: &str = "age-encryption.org/v1";
const X25519: &str = "X25519";
const INFO: &[u8] = b"age-encryption.org/v1/X25519";
/// The longest header read, in bytes, and its longest line.
const MAX_HEADER: usize = 16 * 1024;
const MAX_LINE: u64 = 1_024;
/// Columns after which a stanza's body is wrapped.
const COLUMNS: usize = 64;

/// The key of one file.
pub(super) type FileKey = Secret<16>;

/// HKDF-SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Secret<32> {
    Secret::filled(|out| {
        // Fails only above 255 blocks.
        let _ = Hkdf::<Sha256>::new(Some(salt), secret).expand(info, out);
    })
}

fn wrapper(shared: &[u8], share: &PublicKey, recipient: &PublicKey) -> ChaCha20Poly1305 {
    let salt = [share.as_bytes().as_slice(), recipient.as_bytes()].concat();
    ChaCha20Poly1305::new(derive(shared, &salt, INFO).expose().into())
}

fn mac(key: &FileKey, header: &[u8]) -> Result<Hmac<Sha256>, BackupError> {
    let key = derive(key.expose(), &[], b"header");
    // HMAC takes keys of any length.
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key.expose());
    Ok(mac.map_err(|_| BackupError::Damaged("its key"))?.chain_update(header))
}

/// A header for `recipient`, and the file key in it.
pub(super) fn seal(recipient: &Recipient) -> Result<(Vec<u8>, FileKey), BackupError> {
    let key = FileKey::random(&mut OsRandom);
    let ephemeral = StaticSecret::from(*Secret::<32>::random(&mut OsRandom).expose());
    let share = PublicKey::from(&ephemeral);
    let shared = ephemeral.diffie_hellman(recipient.public());
    let body = wrapper(shared.as_bytes(), &share, recipient.public())
        .encrypt(&Nonce::default(), key.expose().as_slice())
        .map_err(|_| BackupError::Damaged("its key"))?;
    let mut header = format!(
        "{VERSION}\n-> {X25519} {}\n{}\n---",
        BASE64_NOPAD.encode(share.as_bytes()),
        BASE64_NOPAD.encode(&body)
    )
    .into_bytes();
    let tag = mac(&key, &header)?.finalize().into_bytes();
    header.extend_from_slice(format!(" {}\n", BASE64_NOPAD.encode(&tag)).as_bytes());
    Ok((header, key))
}

struct Lines<'a, R> {
    from: &'a mut R,
    header: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> Result<String, BackupError> {
        let mut line = Vec::new();
        self.from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let text = text.ok_or(BackupError::Damaged("its header"))?.to_owned();
        self.header.extend_from_slice(&line);
        if self.header.len() > MAX_HEADER {
            return Err(BackupError::Damaged("its header"));
        }
        Ok(text)
    }
}

/// Reads a header from `from` and opens the file key.
pub(super) fn open(from: &mut impl BufRead, identity: &Identity) -> Result<FileKey, BackupError> {
    let damaged = || BackupError::Damaged("its header");
    let mut lines = Lines { from, header: Vec::new() };
    if lines.next()? != VERSION {
        return Err(BackupError::Damaged("it is no age file"));
    }
    let mut key = None;
    let mut line = lines.next()?;
    loop {
        if let Some(tag) = line.strip_prefix("--- ") {
            let tag = BASE64_NOPAD.decode(tag.as_bytes()).map_err(|_| damaged())?;
            let end = lines.header.len() - line.len() - 1 + "---".len();
            let covered = lines.header.get(..end).ok_or_else(damaged)?;
            let key: FileKey = key.ok_or(BackupError::WrongIdentity)?;
            mac(&key, covered)?.verify_slice(&tag).map_err(|_| damaged())?;
            return Ok(key);
        }
        let mut words = line.strip_prefix("-> ").ok_or_else(damaged)?.split(' ');
        let (kind, share) = (words.next(), words.next());
        let mut body = String::new();
        loop {
            let more = lines.next()?;
            body.push_str(&more);
            if more.len() < COLUMNS {
                break;
            }
        }
        if kind == Some(X25519) && words.next().is_none() {
            key = key.or(unwrap(share.unwrap_or_default(), &body, identity)?);
        }
        line = lines.next()?;
    }
}

/// The file key in a stanza, unless it is for another recipient.
fn unwrap(share: &str, body: &str, identity: &Identity) -> Result<Option<FileKey>, BackupError> {
    let damaged = |_| BackupError::Damaged("its header");
    let share = BASE64_NOPAD.decode(share.as_bytes()).map_err(damaged)?;
    let body = BASE64_NOPAD.decode(body.as_bytes()).map_err(damaged)?;
    let share: [u8; 32] = share.try_into().map_err(|_| BackupError::Damaged("its header"))?;
    if body.len() != 32 {
        return Err(BackupError::Damaged("its header"));
    }
    let share = PublicKey::from(share);
    let shared = identity.agree(&share);
    if !shared.was_contributory() {
        return Err(BackupError::Damaged("its header"));
    }
    let cipher = wrapper(shared.as_bytes(), &share, identity.recipient().public());
    let opened = cipher.decrypt(&Nonce::default(), body.as_slice()).map(Zeroizing::new);
    Ok(opened.ok().and_then(|key| FileKey::copy(&key)))
}
