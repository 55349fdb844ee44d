//! The rosters of `protocol/vectors/`.

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::member::roster::*;
use crate::tests::{cases, fault, text};

#[test]
fn roster_entries() {
    for (name, case) in cases("roster", 17) {
        let decode = |hex: &Value| {
            let bytes = HEXLOWER.decode(hex.as_str().unwrap().as_bytes()).unwrap();
            SignedEntry::decode(&bytes).unwrap()
        };
        let entries: Vec<SignedEntry> =
            case["entries"].as_array().unwrap().iter().map(decode).collect();
        let mut roster = Roster::from_entries(&entries).unwrap();
        if let Some(fault) = fault(&case) {
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
