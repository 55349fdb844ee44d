//! What survives an error, a panic and a crash.

use super::*;
use crate::wire::ids::{Digest, LogId};

fn cursor(seq: u64) -> Cursor {
    Cursor { log: LogId([1; 16]), seq, hash: Digest([2; 32]) }
}

/// The files of a profile as a crash at this moment would leave them.
fn crash_image(dir: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        // The -shm file is memory shared between processes; a crash of the machine clears it.
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), image.path().join(file.file_name())).unwrap();
        }
    }
    image
}

#[test]
fn one_sql_transaction_per_step() {
    let dir = tempfile::tempdir().unwrap();
    let key = DbKey::generate(&mut OsRandom);
    let mls = |connection: &mut Connection| {
        connection.execute_batch("CREATE TABLE IF NOT EXISTS mls (epoch INTEGER) STRICT")
    };
    let mut store = Store::create(dir.path(), &key, mls).unwrap();
    let everything = |tx: &Tx<'_>| -> Result<(), StoreError> {
        tx.connection().execute("INSERT INTO mls VALUES (7)", [])?;
        tx.insert_message(&message(room(), Some(1), "salut"))?;
        tx.enqueue(&out(OutKind::Text), &cells(2))?;
        let channel = tx.insert_channel(&NewChannel {
            kind: ChannelKind::Room,
            room: Some(room()),
            peer: None,
            invite: None,
            epoch: 7,
            secret: crate::secret::Secret::random(&mut OsRandom),
            opened: 1,
        })?;
        tx.insert_chain(&NewChain {
            channel,
            first: 1,
            kind: 0,
            count: 2,
            next_index: 1,
            expects: [0; 16],
            content: vec![],
        })?;
        tx.set_cursor(&cursor(1))
    };
    let count = |store: &Store| {
        store.view(|view| -> Result<_, StoreError> {
            let mls: u64 =
                view.connection.query_row("SELECT count(*) FROM mls", [], |row| row.get(0))?;
            let messages = view.messages(&MessageQuery::default())?.len();
            let out = view.unplaced(None, 100)?.len();
            let channels = view.channels()?;
            let mut chains = 0;
            for channel in &channels {
                chains += view.chain_count(channel.id)?;
            }
            Ok((mls, messages, out, channels.len(), chains, view.cursor()?.map(|at| at.seq)))
        })
    };

    let failed: Result<(), StoreError> = store.step(|tx| {
        everything(tx)?;
        Err(StoreError::NoSuchRow)
    });
    assert!(matches!(failed, Err(StoreError::NoSuchRow)));
    assert_eq!(count(&store).unwrap(), (0, 0, 0, 0, 0, None));

    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.step(|tx| -> Result<(), StoreError> {
            everything(tx)?;
            panic!("in mid-step");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(count(&store).unwrap(), (0, 0, 0, 0, 0, None));

    store.step(everything).unwrap();
    assert_eq!(count(&store).unwrap(), (1, 1, 2, 1, 1, Some(1)));
    drop(store);
    let store = Store::open(dir.path(), &key, mls).unwrap();
    assert_eq!(count(&store).unwrap(), (1, 1, 2, 1, 1, Some(1)));
}

#[test]
fn a_crash_in_mid_step_leaves_the_state_before_it_and_a_crash_after_it_all_of_it() {
    let mut world = world();
    world.step(|tx| tx.set_cursor(&cursor(1)));
    let dir = world.dir.path().to_owned();

    let in_mid_step = world.step(|tx| {
        tx.set_cursor(&cursor(2))?;
        // More than the page cache holds, so that the step spills into the files.
        for number in 0..40 {
            tx.enqueue(&out(OutKind::Text), &cells(60 + number))?;
        }
        Ok(crash_image(&dir))
    });
    let spilled = std::fs::metadata(in_mid_step.path().join("store.db-wal")).unwrap().len();
    assert!(spilled > 1 << 20, "{spilled} bytes");
    let before = open(in_mid_step.path(), &world.key).unwrap();
    before
        .view(|view| -> Result<_, StoreError> {
            assert_eq!(view.cursor()?, Some(cursor(1)));
            assert_eq!(view.queued_count()?, 0);
            Ok(())
        })
        .unwrap();

    let after_it = crash_image(&dir);
    let after = open(after_it.path(), &world.key).unwrap();
    after
        .view(|view| -> Result<_, StoreError> {
            assert_eq!(view.cursor()?, Some(cursor(2)));
            assert_eq!(view.queued_count()?, 40);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_crash_while_the_store_was_made_is_mended_by_opening_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = DbKey::generate(&mut OsRandom);
    assert!(matches!(open(dir.path(), &key), Err(StoreError::NoProfile)));
    assert!(!Store::exists(dir.path()));
    super::super::schema::create_file(dir.path()).unwrap();
    let mut store = open(dir.path(), &key).unwrap();
    store.step(|tx| tx.set_cursor(&cursor(3))).unwrap();
    assert!(matches!(
        Store::create(dir.path(), &key, no_other_tables),
        Err(StoreError::AlreadyThere)
    ));
}

#[test]
fn the_database_runs_with_wal_full_and_secure_delete() {
    let world = world();
    let pragma = |name: &str| -> String {
        let read = |row: &Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        let connection = &world.store.connection;
        match connection.pragma_query_value(None, name, read).unwrap() {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("synchronous"), "2");
    assert_eq!(pragma("secure_delete"), "1");
    assert_eq!(pragma("foreign_keys"), "1");
    assert_eq!(pragma("temp_store"), "2");
    assert_eq!(pragma("cipher_memory_security"), "1");
    assert!(pragma("cipher_version").starts_with("4."));
}

#[test]
fn a_newer_store_is_refused_and_nothing_is_changed() {
    let mut world = world();
    world.step(|tx| {
        tx.set_cursor(&cursor(4))?;
        Ok(tx.connection().pragma_update(None, "user_version", 99)?)
    });
    // As a crash left it: with a log that closing would otherwise fold into the database.
    let image = crash_image(world.dir.path());
    let read = || {
        let mut files: Vec<_> = ["store.db", "store.db-wal"]
            .map(|name| (name, std::fs::read(image.path().join(name)).unwrap()))
            .into();
        files.sort();
        files
    };
    let before = read();
    let mut migrated = false;
    let refused = Store::open(image.path(), &world.key, |_| -> Result<(), Infallible> {
        migrated = true;
        Ok(())
    });
    assert!(matches!(refused, Err(StoreError::Newer { found: 99, known: 1 })));
    assert!(!migrated);
    assert!(before == read());
}

#[test]
fn a_failed_migration_of_others_is_told_and_keeps_the_data() {
    let mut world = world();
    world.step(|tx| tx.set_cursor(&cursor(5)));
    let World { dir, key, store } = world;
    drop(store);
    let failed = Store::open(dir.path(), &key, |_| Err(std::io::Error::other("not today")));
    assert!(matches!(failed, Err(StoreError::Migration(_))));
    let store = open(dir.path(), &key).unwrap();
    assert_eq!(store.view(|view| view.cursor()).unwrap(), Some(cursor(5)));
}

#[test]
fn a_database_is_whole_until_a_page_of_it_is_not() {
    let mut world = world();
    world.step(|tx| {
        (0..200).try_for_each(|n| tx.put_value(&format!("{n}"), &"v".repeat(500)).map(drop))
    });
    assert!(world.view(|view| Ok(view.is_whole())));
    assert_eq!(world.view(|view| view.latest_claim()), None);
    let World { dir, key, store } = world;
    drop(store);
    let file = dir.path().join("store.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 2_000;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let store = open(dir.path(), &key).unwrap();
    assert!(!store.view(|view| Ok::<_, StoreError>(view.is_whole())).unwrap());
}
