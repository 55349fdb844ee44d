//! Codes as people type them, and the plaintext of bundles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::invite_code::{Bundle, InviteCode};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(code) = InviteCode::parse(text)
    {
        let again = InviteCode::parse(&code.to_text()).unwrap();
        assert_eq!(again.secret().expose(), code.secret().expose());
        assert_eq!(again.address(), code.address());
    }
    if let Ok(bundle) = Bundle::decode(data) {
        // What follows is padding.
        let encoded = bundle.encode().unwrap();
        let padding = data.strip_prefix(encoded.as_slice()).unwrap();
        assert!(padding.iter().all(|byte| *byte == 0));
    }
});
