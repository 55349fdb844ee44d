//! The words of `protocol/vectors/`.

use crate::invite_code::Language;
use crate::member::invite::Transcript;
use crate::tests::{cases, hex};
use crate::wire::ids::{Digest, InviteId};

#[test]
fn five_words() {
    for (_, case) in cases("words", 1) {
        let invite = InviteId::from_slice(&hex(&case, "invite")).unwrap();
        let bundle = Digest::from_slice(&hex(&case, "bundle_hash")).unwrap();
        let transcript = Transcript::new(&invite, &bundle, &hex(&case, "request"));
        let words = transcript.words().unwrap();
        for (language, field) in [(Language::English, "english"), (Language::French, "french")] {
            assert_eq!(serde_json::json!(words.to_text(language)), case[field]);
        }
    }
}
