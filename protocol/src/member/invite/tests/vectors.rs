//! The cases of `protocol/vectors/`, one fault a file. They were computed by another
//! implementation than this one.

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::invite_code::Language;
use crate::member::invite::Transcript;
use crate::member::roster::{EntryError, Roster, RosterError, SignedEntry};
use crate::wire::ids::{Digest, InviteId};

macro_rules! cases {
    ($dir:literal: $($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../vectors/", $dir, "/", $name, ".json")))),+]
            .map(|(name, text)| (name, serde_json::from_str::<Value>(text).unwrap()))
    };
}

fn hex(case: &Value, field: &str) -> Vec<u8> {
    HEXLOWER.decode(case[field].as_str().unwrap().as_bytes()).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

#[test]
fn roster_entries() {
    let cases = cases!("roster":
        "valid", "not-next-lost-race", "not-next-other-prev", "signature", "not-allowed",
        "unknown-author", "last-admin", "name-taken", "key-reused", "invite-used",
        "malformed-not-nfc", "malformed-not-canonical", "malformed-trailing", "version",
        "unknown-action",
    );
    for (name, case) in cases {
        let decode = |hex: &Value| {
            let bytes = HEXLOWER.decode(hex.as_str().unwrap().as_bytes()).unwrap();
            SignedEntry::decode(&bytes).unwrap()
        };
        let entries: Vec<SignedEntry> =
            case["entries"].as_array().unwrap().iter().map(decode).collect();
        let mut roster = Roster::from_entries(&entries).unwrap();
        if let Some(fault) = case["fault"].as_str() {
            let error = roster.apply(&decode(&case["entry"])).unwrap_err();
            assert_eq!(roster_fault(&error), fault, "{name}");
            continue;
        }
        assert_eq!(roster.team().to_hex(), text(&case, "team"));
        assert_eq!(roster.head().hash.to_hex(), text(&case, "head"));
        let active: Vec<String> = roster.active_devices().map(|d| d.id.to_hex()).collect();
        assert_eq!(serde_json::json!(active), case["active"]);
    }
}

fn roster_fault(error: &RosterError) -> &'static str {
    match error {
        RosterError::Entry(EntryError::TooLarge) => "too-large",
        RosterError::Entry(EntryError::Malformed) => "malformed",
        RosterError::Entry(EntryError::Version(_)) => "version",
        RosterError::Entry(EntryError::Action(_)) => "unknown-action",
        RosterError::NotNext { .. } => "not-next",
        RosterError::Signature => "signature",
        RosterError::NotAllowed => "not-allowed",
        RosterError::UnknownAuthor => "unknown-author",
        RosterError::LastAdmin => "last-admin",
        RosterError::NameTaken => "name-taken",
        RosterError::KeyReused => "key-reused",
        RosterError::InviteUsed { .. } => "invite-used",
        other => unreachable!("no vector has this fault: {other}"),
    }
}

#[test]
fn five_words() {
    for (_, case) in cases!("words": "valid") {
        let invite = InviteId::from_slice(&hex(&case, "invite")).unwrap();
        let bundle = Digest::from_slice(&hex(&case, "bundle_hash")).unwrap();
        let transcript = Transcript::new(&invite, &bundle, &hex(&case, "request"));
        let words = transcript.words().unwrap();
        for (language, field) in [(Language::English, "english"), (Language::French, "french")] {
            assert_eq!(serde_json::json!(words.to_text(language)), case[field]);
        }
    }
}
