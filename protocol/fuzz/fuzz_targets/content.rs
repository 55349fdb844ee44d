//! What a message says, and the sanitiser that everything passes before anybody sees it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::member::content::{Content, safe_name, sanitize_block, sanitize_line};

fuzz_target!(|data: &[u8]| {
    if let Ok(content) = Content::decode(data) {
        assert_eq!(content.encode().unwrap(), data);
    }
    let text = String::from_utf8_lossy(data);
    for sanitize in [sanitize_line, sanitize_block] {
        let once = sanitize(&text);
        assert_eq!(sanitize(&once), once);
        let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!once.contains(harmful));
    }
    assert!(!safe_name(&text).contains('/'));
});
