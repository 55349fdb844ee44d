//! Invite codes and the bundles behind them.

use serde_json::json;

use super::{Fixed, cases, fault, hex, number, text};
use crate::invite_code::{Bundle, BundleError, CodeError, InviteCode};

fn code_fault(error: &CodeError) -> &'static str {
    match error {
        CodeError::Typo { .. } => "typo",
        CodeError::Length { .. } => "length",
        CodeError::NoHost => "no-host",
        CodeError::BadHost => "bad-host",
        CodeError::BadPort => "bad-port",
        CodeError::TooManyTypos => "too-many-typos",
    }
}

#[test]
fn invite_codes() {
    for (name, case) in cases("invite-code", 10) {
        let parsed = InviteCode::parse(text(&case, "text"));
        if let Some(fault) = fault(&case) {
            let error = parsed.err().unwrap();
            assert_eq!(code_fault(&error), fault, "{name}");
            if let CodeError::Typo { groups } = error {
                assert_eq!(json!(groups), case["groups"], "{name}");
            }
            continue;
        }
        let code = parsed.unwrap();
        assert_eq!(code.host().as_str(), text(&case, "host"), "{name}");
        assert_eq!(u64::from(code.port()), number(&case, "port"), "{name}");
        assert_eq!(code.to_text().as_str(), text(&case, "canonical"), "{name}");
        assert_eq!(code.secret().expose().as_slice(), hex(&case, "secret"), "{name}");
        let keys = code.keys();
        assert_eq!(keys.id.0.as_slice(), hex(&case, "id"), "{name}");
        for (key, field) in [
            (keys.gate.secret(), "gate_r"),
            (keys.psk.secret(), "psk_r"),
            (keys.bundle.secret(), "k_bundle"),
            (keys.join.secret(), "k_join"),
        ] {
            assert_eq!(key.expose().as_slice(), hex(&case, field), "{name}: {field}");
        }
    }
}

#[test]
fn bundles() {
    for (name, case) in cases("bundle", 11) {
        let keys = InviteCode::parse(text(&case, "code")).unwrap().keys();
        let sealed = hex(&case, "sealed");
        let opened = Bundle::open(&keys.id, &keys.bundle, &sealed);
        if let Some(fault) = fault(&case) {
            let found = match opened.err().unwrap() {
                BundleError::OutOfBounds => "out-of-bounds",
                BundleError::Size => "size",
                BundleError::Seal => "seal",
                BundleError::Version(_) => "version",
                BundleError::Malformed => "malformed",
            };
            assert_eq!(found, fault, "{name}");
            continue;
        }
        let bundle = opened.unwrap();
        assert_eq!(bundle.encode().unwrap().as_slice(), hex(&case, "plain"), "{name}");
        assert_eq!(bundle.hash().unwrap().0.as_slice(), hex(&case, "hash"), "{name}");
        // And we seal the same one with the same nonce.
        let mut nonce = Fixed(sealed[..24].to_vec());
        let again = bundle.seal(&keys.id, &keys.bundle, &mut nonce).unwrap();
        assert!(again == sealed, "{name}");
    }
}
