//! One-way messages between two devices that know each other's static key: `Noise_K`.
//!
//! `K` authenticates the sender and gives no forward secrecy against theft of the receiver's key;
//! it allows replay and key-compromise impersonation. What rides on it is signed as well, or
//! secret by MLS.

use super::keys::{StaticPublic, StaticSecret};
use super::{NoiseError, builder};

const PATTERN: &str = "Noise_K_25519_ChaChaPoly_BLAKE2s";
const PROLOGUE: &[u8] = b"staffetta direct 1";

/// Bytes that sealing adds: an ephemeral key 32 and a tag 16.
pub const SEALED_OVERHEAD: usize = 48;

/// Seals `plaintext` from `sender` to `receiver`.
///
/// # Errors
/// [`NoiseError::Misuse`] if it is longer than a Noise message may be.
pub fn seal(
    sender: &StaticSecret,
    receiver: &StaticPublic,
    plaintext: &[u8],
) -> Result<Vec<u8>, NoiseError> {
    let mut state = builder(PATTERN)?
        .prologue(PROLOGUE)
        .and_then(|b| b.local_private_key(sender.secret().expose()))
        .and_then(|b| b.remote_public_key(&receiver.0))
        .and_then(snow::Builder::build_initiator)
        .map_err(|_| NoiseError::Misuse)?;
    let mut out = vec![0; plaintext.len() + SEALED_OVERHEAD];
    state.write_message(plaintext, &mut out).map_err(|_| NoiseError::Misuse)?;
    Ok(out)
}

/// Opens what `sender` sealed for `receiver`.
///
/// # Errors
/// [`NoiseError::Refused`] if it is not authentic.
pub fn open(
    receiver: &StaticSecret,
    sender: &StaticPublic,
    sealed: &[u8],
) -> Result<Vec<u8>, NoiseError> {
    let len = sealed.len().checked_sub(SEALED_OVERHEAD).ok_or(NoiseError::Refused)?;
    let mut state = builder(PATTERN)?
        .prologue(PROLOGUE)
        .and_then(|b| b.local_private_key(receiver.secret().expose()))
        .and_then(|b| b.remote_public_key(&sender.0))
        .and_then(snow::Builder::build_responder)
        .map_err(|_| NoiseError::Misuse)?;
    let mut out = vec![0; len];
    state.read_message(sealed, &mut out).map_err(|_| NoiseError::Refused)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn only_the_named_receiver_opens_and_only_from_the_named_sender() {
        let [a, b, c] = [(); 3].map(|()| StaticSecret::generate(&mut OsRandom));
        let sealed = seal(&a, &b.public(), b"hello").unwrap();
        assert_eq!(open(&b, &a.public(), &sealed).unwrap(), b"hello");
        assert_eq!(open(&c, &a.public(), &sealed), Err(NoiseError::Refused));
        assert_eq!(open(&b, &c.public(), &sealed), Err(NoiseError::Refused));
    }
}
