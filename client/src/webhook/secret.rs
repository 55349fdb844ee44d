//! The secret that whoever posts shares: read once, compared in constant time.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hmac::{Hmac, Mac};
use hyper::header::{self, HeaderMap};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::errors::{Failure, exit};
use crate::text;

/// The shortest secret, in bytes.
const MIN: usize = 16;
/// The longest.
const MAX: usize = 4_096;
/// Anybody but the owner and the group, which is how systemd hands a credential over.
const OTHERS: u32 = 0o037;

/// A secret in memory that is wiped on drop.
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

const _: () = assert!(std::mem::needs_drop::<Secret>());

impl Secret {
    /// Reads the secret, less one final newline.
    ///
    /// # Errors
    /// 78 if it cannot be read, is too short or long, or others may read it.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let refused = |why: &str| Failure::with(exit::CONFIG, why, text::webhook_secret_how());
        let unreadable = |error: std::io::Error| {
            refused(&text::webhook_secret_unreadable(&text::words::kind(error.kind())))
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.permissions().mode() & OTHERS != 0 {
            return Err(refused(text::webhook_secret_open()));
        }
        // The buffer never grows, so that no copy stays where it was.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX + 2));
        file.take(MAX as u64 + 2).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        match bytes.len() {
            MIN..=MAX => Ok(Self(bytes)),
            _ => Err(refused(text::webhook_secret_length())),
        }
    }

    #[cfg(test)]
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Whether `signature` is the HMAC-SHA256 of `body` under this secret.
    pub(super) fn signed(&self, body: &[u8], signature: &[u8]) -> bool {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return false };
        mac.update(body);
        mac.verify_slice(signature).is_ok()
    }

    /// Whether the request carries the secret itself, for programs that cannot sign.
    pub(super) fn is_bearer(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let given = value.and_then(|value| value.strip_prefix(b"Bearer "));
        given.is_some_and(|given| bool::from(given.ct_eq(&self.0)))
    }
}

/// The bytes of `sha256=HEX`.
pub(super) fn parse(value: &str) -> Option<Vec<u8>> {
    let hex = value.trim().strip_prefix("sha256=")?;
    data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        // Test case 2: key "Jefe".
        let body = b"what do ya want for nothing?";
        let value = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let signature = parse(value).unwrap();
        assert!(Secret::of(b"Jefe").signed(body, &signature));
        assert!(!Secret::of(b"jefe").signed(body, &signature));
        assert!(!Secret::of(b"Jefe").signed(b"another body", &signature));
        assert!(!Secret::of(b"Jefe").signed(body, &signature[..31]));
        for bad in ["", "sha256=", "5bdc", "sha1=5bdc", "sha256=xyz"] {
            assert!(parse(bad).is_none_or(|it| !Secret::of(b"Jefe").signed(body, &it)), "{bad}");
        }
    }

    #[test]
    fn a_secret_file_is_long_enough_and_its_owners_alone() {
        use std::os::unix::fs::OpenOptionsExt;
        let dir = std::env::temp_dir().join(format!("staffetta-webhook-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, mode: u32, text: &str| {
            let path = dir.join(name);
            let _ = std::fs::remove_file(&path);
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.create_new(true).write(true).mode(mode).open(&path).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            Secret::read(&path).map_err(|failure| failure.exit())
        };
        assert_eq!(*write("good", 0o600, "sixteen bytes ok\n").unwrap().0, b"sixteen bytes ok");
        assert_eq!(write("short", 0o600, "too short\n").err(), Some(78));
        assert_eq!(write("open", 0o644, "sixteen bytes ok\n").err(), Some(78));
        assert_eq!(Secret::read(&dir.join("none")).err().map(|it| it.exit()), Some(78));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
