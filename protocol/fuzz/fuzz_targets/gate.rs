//! Tokens of the gate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::gate::{Gate, Token};
use staffetta_protocol::noise::keys::AccessSecret;
use staffetta_protocol::secret::Secret;

fuzz_target!(|data: &[u8]| {
    let Some(token) = Token::parse(data) else { return };
    assert_eq!(token.to_text().as_bytes(), data);
    let access = AccessSecret::from_secret(Secret::copy(&[9; 32]).unwrap());
    // Nobody makes a token without the key.
    assert!(Gate::of_invites().check(&token, &access.gate_key(), token.time()).is_err());
});
