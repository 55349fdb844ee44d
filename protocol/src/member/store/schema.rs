//! Opening the database file, and its tables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::error::StoreError;
use super::files;
use super::key::DbKey;

const DATABASE_FILE: &str = "store.db";
const STATEMENT_CACHE: usize = 128;

/// Version `n` of the tables is the first `n` steps. Released steps never change.
const STEPS: [&str; 1] = [V1];

/// Nothing that was deleted stays in a page, and nothing leaves the file.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA journal_size_limit = 16777216;";

pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(DATABASE_FILE)
}

/// Makes the empty database file, so that SQLite never makes it with the process's umask. The
/// files beside it inherit its mode.
pub(super) fn create_file(dir: &Path) -> Result<(), StoreError> {
    let file = files::open_private(&path(dir), true).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::AlreadyThere,
        _ => error.into(),
    })?;
    file.sync_all()?;
    Ok(files::sync_dir(dir)?)
}

pub(super) fn open(
    dir: &Path,
    key: &DbKey,
    migrate: impl FnOnce(&mut Connection) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<Connection, StoreError> {
    let path = path(dir);
    if !path.exists() {
        return Err(StoreError::NoProfile);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Until the version is known, closing must not write either.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    unlock(&connection, key)?;
    let found = version(&connection)?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    connection.execute_batch(PRAGMAS)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    migrate(&mut connection).map_err(StoreError::Migration)?;
    upgrade(&mut connection, found)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

fn unlock(connection: &Connection, key: &DbKey) -> Result<(), StoreError> {
    let bytes = key.secret().expose();
    let mut pragma = Zeroizing::new(String::with_capacity(32 + 2 * bytes.len()));
    // SQLCipher would tell stderr about a wrong key, in the middle of somebody's screen; and it
    // wipes what it frees (the key's text, plain pages) only if told to.
    connection
        .execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;")?;
    pragma.push_str("PRAGMA key = \"x'");
    for byte in bytes {
        // Writing to a String cannot fail; the capacity above keeps it in one place.
        let _ = write!(pragma, "{byte:02x}");
    }
    pragma.push_str("'\";");
    Ok(connection.execute_batch(&pragma)?)
}

/// The first read of the file: it fails with "not a database" under a wrong key.
fn version(connection: &Connection) -> Result<i64, StoreError> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn upgrade(connection: &mut Connection, from: i64) -> Result<(), StoreError> {
    let done = usize::try_from(from).map_err(|_| StoreError::Damaged)?;
    for (step, number) in STEPS.iter().zip(1_i64..).skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

const V1: &str = "
CREATE TABLE meta (key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE roster (
    number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, signature BLOB NOT NULL, seq INTEGER NOT NULL
) STRICT;

CREATE TABLE access (
    device BLOB PRIMARY KEY, secret BLOB NOT NULL, transport BLOB NOT NULL, admin INTEGER NOT NULL
) STRICT;

CREATE TABLE channel (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, room BLOB, peer BLOB, invite BLOB,
    epoch INTEGER NOT NULL, secret BLOB NOT NULL, opened INTEGER NOT NULL, closed INTEGER
) STRICT;
CREATE INDEX channel_room ON channel (room, epoch);

CREATE TABLE chain (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    first INTEGER NOT NULL, kind INTEGER NOT NULL, count INTEGER NOT NULL,
    next_index INTEGER NOT NULL, expects BLOB NOT NULL, content BLOB NOT NULL
) STRICT;
CREATE INDEX chain_channel ON chain (channel);
CREATE INDEX chain_first ON chain (first);

CREATE TABLE blob_out (
    id INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL, secret BLOB NOT NULL,
    place INTEGER NOT NULL, count INTEGER NOT NULL, chunk BLOB NOT NULL, UNIQUE (blob, place)
) STRICT;

CREATE TABLE upload (
    blob BLOB PRIMARY KEY, content BLOB NOT NULL UNIQUE, room BLOB NOT NULL, name TEXT NOT NULL,
    size INTEGER NOT NULL, secret BLOB NOT NULL, hash BLOB NOT NULL, count INTEGER NOT NULL
) STRICT;
CREATE TABLE file (content BLOB PRIMARY KEY, blob BLOB NOT NULL) STRICT;
CREATE TABLE own_blob (
    blob BLOB PRIMARY KEY, content BLOB NOT NULL, secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE download (
    content BLOB PRIMARY KEY, blob BLOB NOT NULL, path TEXT NOT NULL
) STRICT;
CREATE TABLE blob_in (
    blob BLOB NOT NULL, place INTEGER NOT NULL, count INTEGER NOT NULL, chunk BLOB NOT NULL,
    at INTEGER NOT NULL, UNIQUE (blob, place)
) STRICT;

CREATE TABLE direct_part (
    peer BLOB NOT NULL, message BLOB NOT NULL, place INTEGER NOT NULL, count INTEGER NOT NULL,
    kind INTEGER NOT NULL, seq INTEGER NOT NULL, content BLOB NOT NULL,
    UNIQUE (peer, message, place)
) STRICT;
CREATE TABLE direct_done (
    id INTEGER PRIMARY KEY AUTOINCREMENT, peer BLOB NOT NULL, message BLOB NOT NULL,
    UNIQUE (peer, message)
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, room BLOB, epoch INTEGER NOT NULL,
    content BLOB, plain BLOB NOT NULL, queued_at INTEGER NOT NULL, sealed INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_unsealed ON outbox (id) WHERE sealed = 0;
CREATE TABLE out_cell (
    message INTEGER NOT NULL, place INTEGER NOT NULL,
    cell_id BLOB NOT NULL UNIQUE, seq INTEGER, bytes BLOB NOT NULL,
    UNIQUE (message, place)
) STRICT;
CREATE INDEX out_cell_head ON out_cell (substr(bytes, 1, 40));
CREATE INDEX out_cell_unplaced ON out_cell (message, place) WHERE seq IS NULL;

CREATE TABLE room (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, topic TEXT NOT NULL, kind INTEGER NOT NULL,
    lifetime INTEGER NOT NULL, status INTEGER NOT NULL, detail INTEGER NOT NULL,
    since INTEGER NOT NULL, epoch INTEGER NOT NULL, opened INTEGER NOT NULL,
    roster_floor INTEGER NOT NULL, members INTEGER NOT NULL
) STRICT;
CREATE TABLE pending_commit (
    room BLOB PRIMARY KEY, epoch INTEGER NOT NULL, out_message INTEGER NOT NULL,
    bytes BLOB NOT NULL, welcome BLOB, added BLOB NOT NULL
) STRICT;
CREATE TABLE required_removal (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, device BLOB NOT NULL, by BLOB NOT NULL,
    PRIMARY KEY (room, epoch, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE held (
    room BLOB NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (room, seq)
) STRICT;
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT, room BLOB NOT NULL, kind INTEGER NOT NULL, device BLOB,
    not_before INTEGER NOT NULL, tries INTEGER NOT NULL
) STRICT;
CREATE TABLE epoch (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, opened INTEGER NOT NULL,
    authenticator BLOB NOT NULL, PRIMARY KEY (room, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX epoch_opened ON epoch (opened);
CREATE TABLE beacon (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, device BLOB NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (room, epoch, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE beacon_clock (
    room BLOB PRIMARY KEY, due INTEGER NOT NULL, not_by BLOB, own INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE check_key (
    room BLOB NOT NULL, epoch INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (room, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE resync (
    room BLOB PRIMARY KEY, avoid BLOB, only BLOB, place INTEGER, leaf BLOB, request BLOB,
    package BLOB, asked BLOB NOT NULL, due INTEGER NOT NULL, rounds INTEGER NOT NULL, hint BLOB,
    helper BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE unopened (peer BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE resync_made (
    room BLOB NOT NULL, device BLOB NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX resync_made_by ON resync_made (room, device, at);
CREATE TABLE resync_help (
    room BLOB NOT NULL, device BLOB NOT NULL, request BLOB NOT NULL, package BLOB NOT NULL,
    PRIMARY KEY (room, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE room_change (room BLOB PRIMARY KEY, change BLOB NOT NULL) STRICT;

CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL UNIQUE, room BLOB NOT NULL,
    seq INTEGER, device BLOB NOT NULL, member BLOB NOT NULL, own INTEGER NOT NULL,
    sent_at INTEGER NOT NULL, counter INTEGER NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL,
    reply_to BLOB, raw BLOB NOT NULL, expires_at INTEGER, state INTEGER NOT NULL,
    read INTEGER NOT NULL, shown INTEGER NOT NULL, target BLOB, mentions BLOB NOT NULL,
    edited INTEGER NOT NULL, deleted INTEGER NOT NULL,
    place INTEGER NOT NULL AS (ifnull(seq, 9223372036854775807)) VIRTUAL
) STRICT;
CREATE INDEX message_order ON message (room, place, id);
CREATE INDEX message_log ON message (place, id);
CREATE INDEX message_unread ON message (room) WHERE read = 0;
CREATE INDEX message_expiry ON message (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX message_target ON message (target) WHERE target IS NOT NULL;
CREATE INDEX message_unknown ON message (room, device) WHERE shown = 0 AND target IS NULL;
CREATE VIRTUAL TABLE word USING fts5 (
    text, content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO word (word, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER word_delete AFTER DELETE ON message WHEN old.shown BEGIN
    INSERT INTO word (word, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER word_update AFTER UPDATE OF text ON message WHEN old.shown BEGIN
    INSERT INTO word (word, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO word (rowid, text) VALUES (new.id, new.text);
END;
CREATE TABLE receipt (
    room BLOB NOT NULL, member BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
    room BLOB NOT NULL, device BLOB NOT NULL, value INTEGER NOT NULL,
    missing INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (room, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX counter_missing ON counter (room) WHERE missing > 0;

CREATE TABLE consumer (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, room BLOB,
    missed INTEGER NOT NULL
) STRICT;
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    consumer INTEGER NOT NULL REFERENCES consumer (id) ON DELETE CASCADE, content BLOB NOT NULL,
    change INTEGER NOT NULL, UNIQUE (consumer, content)
) STRICT;
CREATE INDEX delivery_order ON delivery (consumer, id, change);
CREATE INDEX delivery_content ON delivery (content);
CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (
    key TEXT PRIMARY KEY, content BLOB NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE package (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device BLOB NOT NULL, hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL, last_resort INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX package_device ON package (device, last_resort);
CREATE TABLE own_package (
    reference BLOB PRIMARY KEY, last_resort INTEGER NOT NULL, given_to BLOB, at INTEGER NOT NULL,
    replaced INTEGER, used INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE leaf (
    room BLOB PRIMARY KEY, day INTEGER NOT NULL, patience INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    id BLOB PRIMARY KEY, secret BLOB NOT NULL, bundle BLOB NOT NULL, role INTEGER NOT NULL,
    name TEXT, auto_approve INTEGER NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, state INTEGER NOT NULL, used_at INTEGER, request BLOB,
    by BLOB NOT NULL, member BLOB, vouch INTEGER, membership INTEGER
) STRICT;
CREATE INDEX invite_state ON invite (state);

CREATE TABLE seen (device BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE marked (device BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE errand (device BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE ring (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, known INTEGER NOT NULL, hash BLOB NOT NULL,
    cell_id BLOB NOT NULL, cell BLOB NOT NULL
) STRICT;
CREATE INDEX ring_at ON ring (at, seq);
CREATE INDEX ring_unknown ON ring (seq) WHERE known = 0;
CREATE TABLE past (first INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
";

#[cfg(test)]
mod tests;
