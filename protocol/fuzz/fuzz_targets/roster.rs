//! Entries of the roster.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::member::roster::{Entry, Roster, SignedEntry};

fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode().unwrap(), data);
    }
    if let Ok(signed) = SignedEntry::decode(data) {
        assert_eq!(signed.encode(), data);
        let _ = signed.entry().is_ok();
        let _ = Roster::begin(&signed).is_ok();
    }
});
