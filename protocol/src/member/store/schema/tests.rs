//! What stays on the disk of what was forgotten, seen with the encryption taken away: the same
//! tables and settings in a plain file.

use std::path::Path;

use rusqlite::Connection;

use super::{PRAGMAS, V1};
use crate::member::store::{MessageRow, MessageState, Store};
use crate::random::OsRandom;
use crate::wire::ids::{ContentId, DeviceId, MemberId, RoomId};

fn plain(dir: &Path) -> Store {
    let connection = Connection::open(dir.join("plain.db")).unwrap();
    connection.execute_batch(PRAGMAS).unwrap();
    connection.execute_batch(V1).unwrap();
    Store { connection }
}

fn message(text: &str, kind: u8, target: Option<ContentId>) -> MessageRow {
    MessageRow {
        content: ContentId::random(&mut OsRandom),
        room: RoomId([1; 16]),
        seq: Some(1),
        device: DeviceId([2; 16]),
        member: MemberId([3; 16]),
        own: false,
        sent_at: 1,
        counter: 1,
        kind,
        text: text.to_owned(),
        reply_to: None,
        raw: text.as_bytes().to_vec(),
        expires_at: Some(100),
        state: MessageState::Received,
        read: true,
        shown: kind == 1,
        target,
        mentions: Vec::new(),
        edited: false,
        deleted: false,
    }
}

/// Whether `word` stands in any file of the directory, case ignored.
fn found(dir: &Path, word: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap().to_ascii_lowercase();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

fn step<T>(store: &mut Store, work: impl FnOnce(&crate::member::store::Tx<'_>) -> T) -> T {
    store.step(|tx| Ok::<_, crate::member::store::StoreError>(work(tx))).unwrap()
}

#[test]
fn after_the_lifetime_the_text_is_found_nowhere_in_the_profile_directory() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut store = plain(dir.path());
    let stays = MessageRow { expires_at: None, ..message("remain here", 1, None) };
    step(&mut store, |tx| tx.insert_message(&stays).unwrap());
    for number in 0..100 {
        let row = message(&format!("zanzibar harbour {number}"), 1, None);
        let edit = message("zanzibar", 2, Some(row.content));
        step(&mut store, |tx| {
            tx.insert_message(&row).unwrap();
            tx.insert_message(&edit).unwrap();
            tx.edit_message(&row.content, "zanzibar quay", &[]).unwrap();
        });
    }
    store.empty_log().unwrap();
    assert!(found(dir.path(), "zanzibar"), "a test that could not fail");
    let rows = store.view(|view| view.search("zanzibar QUAY", None, 1_000)).unwrap();
    assert_eq!(rows.len(), 100);
    assert_eq!(step(&mut store, |tx| tx.purge_expired(100).unwrap()), 200);
    store.empty_log().unwrap();
    for word in ["zanzibar", "harbour", "quay"] {
        assert!(!found(dir.path(), word), "{word}");
    }
    assert!(found(dir.path(), "remain"));
    assert_eq!(store.view(|view| view.search("rem", None, 10)).unwrap().len(), 1);
}

#[test]
fn a_deletion_removes_text_and_bytes_and_keeps_the_place() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut store = plain(dir.path());
    let row = message("zanzibar harbour", 1, None);
    let edit = message("zanzibar", 2, Some(row.content));
    step(&mut store, |tx| {
        tx.insert_message(&row).unwrap();
        tx.insert_message(&edit).unwrap();
    });
    store.empty_log().unwrap();
    assert!(found(dir.path(), "harbour"));
    step(&mut store, |tx| tx.delete_message(&row.content).unwrap());
    store.empty_log().unwrap();
    assert!(!found(dir.path(), "zanzibar") && !found(dir.path(), "harbour"));
    // A repetition is known and brings nothing back.
    assert!(!step(&mut store, |tx| tx.insert_message(&row).unwrap()));
    let left = store.view(|view| view.message(&row.content)).unwrap().unwrap();
    assert!(left.deleted && left.text.is_empty() && left.raw.is_empty());
}
