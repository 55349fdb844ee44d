//! Files: sent as blobs that a message names, fetched, proven, and only then given a name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blake2::{Blake2s256, Digest as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::blobs::{PLAIN, Sealed, open_blob};
use super::chat::Draft;
use super::fault::{Fault, failed, refused};
use super::views::rfc3339;
use super::waits::What;
use crate::member::agent::core::{ApiError, CallId, Out};
use crate::member::content::{Content, FileRef, Kind, MAX_FILE, padded, safe_name};
use crate::member::store::{Download, MessageRow, RoomStatus, Upload, read_file, write_file};
use crate::wire::frame::FailCode;
use crate::wire::ids::{BlobId, ContentId, Digest};
use crate::wire::limits::{MAX_BLOB_CHUNKS, NOISE_TAG, SHARED_BLOB};

/// Milliseconds that a command waits without anything of its file moving.
const STALL_MS: u64 = 10_000;

/// `upload`
#[derive(Deserialize)]
pub(super) struct UploadParams {
    room: String,
    path: PathBuf,
    key: Option<String>,
    wait_ms: Option<u64>,
}

/// `download`
#[derive(Deserialize)]
pub(super) struct DownloadParams {
    pub(super) id: String,
    path: PathBuf,
    wait_ms: Option<u64>,
}

impl Cx<'_> {
    /// Reads and seals a file and queues it; the call is answered when its message came back.
    pub(super) fn upload(&mut self, call: CallId, params: &UploadParams) -> Result<(), Fault> {
        let wait_ms = params.wait_ms.unwrap_or(STALL_MS);
        if let Some(known) = self.known_by_key(params.key.as_deref())? {
            return self.wait_for(call, What::Sent(known), wait_ms);
        }
        let room = self.room_to_write_in(&params.room)?;
        self.check_writable(&room)?;
        let mut bytes = read_file(&params.path, MAX_FILE).map_err(|error| unreadable(&error))?;
        let name = params.path.file_name().map(|name| name.to_string_lossy());
        let (name, size) = (safe_name(&name.unwrap_or_default()), bytes.len() as u64);
        let hash = Digest(Blake2s256::digest(&bytes).into());
        let whole = usize::try_from(padded(size)).map_err(|_| Fault::Bug("file length"))?;
        bytes.resize(whole, 0);
        let Sealed { id: blob, key, count, secret } = self.seal_blob(&bytes)?;
        let content = ContentId::random(self.random);
        self.tx.put_own_blob(&blob, &content, &secret)?;
        let room = room.id;
        self.tx.put_upload(&Upload { blob, content, room, name, size, key, hash, count })?;
        if let Some(key) = &params.key {
            self.tx.remember_key(key, &content, self.now.unix_s())?;
        }
        self.wait_for(call, What::Sent(content), wait_ms)
    }

    /// The relay has another chunk of a blob; with the last one of a file its message is written.
    pub(super) fn uploaded(&mut self, blob: &BlobId) -> Result<(), Fault> {
        self.link.refused = None;
        let Some(upload) = self.tx.upload(blob)? else { return Ok(()) };
        let left = self.tx.chunks_left(blob)?;
        let done = u64::from(upload.count).saturating_sub(left);
        self.moved(&upload.content, &upload.name, "up", done, upload.count.into());
        if left > 0 {
            return Ok(());
        }
        self.tx.remove_upload(blob)?;
        let Upload { content, room, name, size, key, hash, .. } = upload;
        let row = self.memory.rooms.get(&room);
        let Some(room) = row.filter(|row| row.status != RoomStatus::Left).cloned() else {
            self.end_waits(&content, &Err(refused("You are no longer in this room.", None)));
            return Ok(());
        };
        let file = FileRef { name, size, blob: *blob, key: Arc::new(key), hash };
        let mut draft = Draft::new(self.random, Kind::File(file));
        draft.id = content;
        self.write(&room, draft).map(|_| ())
    }

    /// The relay does not take a chunk: for now, or never.
    pub(super) fn upload_refused(&mut self, blob: &BlobId, code: FailCode) -> Result<(), Fault> {
        let for_now = match code {
            FailCode::OverQuota => "over quota at the relay",
            FailCode::LowDisk => "the relay's disk is nearly full",
            FailCode::Unavailable => "the relay cannot store at present",
            _ => {
                let Some(upload) = self.tx.upload(blob)? else {
                    return Ok(self.tx.give_up_own_blob(blob)?);
                };
                self.tx.remove_upload(blob)?;
                let text = "The relay does not take the file; nothing was sent.";
                let hint = "It may hold too many files already; they go when they are old.";
                self.end_waits(&upload.content, &Err(refused(text, Some(hint))));
                return Ok(());
            }
        };
        self.link.refused = Some(for_now);
        Ok(())
    }

    /// The team goes on at another relay, which lacks what was put at the old one since a backup, or
    /// all of it: what this device has put and still holds is put again. Of a file that was on its
    /// way some chunks are gone, and nobody is to wait for it.
    pub(super) fn bring_files(&mut self) -> Result<(), Fault> {
        for Upload { blob, content, name, .. } in self.tx.uploads_begun()? {
            self.tx.remove_upload(&blob)?;
            let text = "The team went to another relay while the file was on its way.";
            self.end_waits(&content, &Err(refused(text, Some("Send it again."))));
            let name = safe_name(&name);
            self.alarm(Alarm::NotSent, &format!("The file {name} was not sent. Send it again."))?;
        }
        Ok(self.tx.put_own_blobs_again()?)
    }

    /// Fetches a file to a place on this computer; the call is answered when it is there.
    pub(super) fn download(
        &mut self,
        call: CallId,
        content: ContentId,
        params: &DownloadParams,
    ) -> Result<(), Fault> {
        let none = || refused("There is no file with that id.", Some("See `staffetta file list`."));
        let row = self.tx.message(&content)?.ok_or_else(none)?;
        let file = file_of(&row).ok_or_else(none)?;
        let path = match params.path.is_dir() {
            true => params.path.join(safe_name(&file.name)),
            false => params.path.clone(),
        };
        if path.symlink_metadata().is_ok() {
            return Err(refused("There is a file of that name already.", Some(OTHER_NAME)).into());
        }
        if !path.is_absolute() || !path.parent().is_some_and(Path::is_dir) {
            return Err(refused("There is no such directory.", Some(OTHER_NAME)).into());
        }
        let path = path.to_str().ok_or_else(|| refused("That name is not UTF-8.", None))?;
        self.tx.put_download(&Download { content, blob: file.blob, path: path.to_owned() })?;
        self.wait_at_most(call, What::Fetched(content), params.wait_ms.unwrap_or(STALL_MS));
        Ok(())
    }

    /// Files that are whole are written; the others are fetched.
    pub(super) fn work_on_downloads(&mut self) -> Result<(), Fault> {
        for download in self.tx.downloads()? {
            if self.tx.progress(&download.blob)?.is_whole() {
                self.finish(&download)?;
            } else if self.link.connected && !self.fetches(&download.blob) {
                self.fetch(download.blob, self.now.mono_ms)?;
            }
        }
        Ok(())
    }

    /// A chunk came of a blob that nobody waits for in memory: it is kept, so that asking for the
    /// file later tells the relay nothing.
    pub(super) fn take_chunk(
        &mut self,
        blob: &BlobId,
        index: usize,
        count: u16,
        chunk: &[u8],
    ) -> Result<(), Fault> {
        let index = u16::try_from(index).map_err(|_| Fault::Bug("chunk index"))?;
        if count > MAX_BLOB_CHUNKS || index >= count || chunk.len() > PLAIN + NOISE_TAG {
            return Ok(());
        }
        self.tx.keep_chunk(blob, index, count, chunk, self.now.unix_s())?;
        for download in self.tx.downloads()?.into_iter().filter(|one| one.blob == *blob) {
            let row = self.tx.message(&download.content)?;
            let name = row.and_then(|row| file_of(&row)).map(|file| file.name).unwrap_or_default();
            self.moved(&download.content, &name, "down", u64::from(index) + 1, count.into());
        }
        Ok(())
    }

    /// **The hash is checked before the name appears.**
    fn finish(&mut self, download: &Download) -> Result<(), Fault> {
        let Download { content, blob, path } = download;
        self.tx.remove_download(content)?;
        let row = self.tx.message(content)?;
        let Some(file) = row.as_ref().and_then(file_of) else { return Ok(()) };
        let mut bytes = open_blob(&file.key, &self.tx.chunks_of(blob)?);
        let whole = bytes.len() as u64 == padded(file.size);
        bytes.truncate(usize::try_from(file.size).unwrap_or(usize::MAX));
        if !whole || Digest(Blake2s256::digest(&bytes).into()) != file.hash {
            self.tx.drop_chunks(blob)?;
            let text = "What the relay gave is not the file that was sent; nothing was written.";
            self.end_waits(content, &Err(refused(text, Some("Ask the sender to send it again."))));
            return Ok(());
        }
        let aside = format!(".staffetta-{}.part", content.to_hex());
        let answer = match write_file(Path::new(path), &aside, &bytes) {
            Ok(()) => {
                Ok(json!({"id": content.to_hex(), "path": path, "name": safe_name(&file.name),
                "size": file.size}))
            }
            Err(error) => {
                let text = format!("The file could not be written: {}.", error.kind());
                Err(refused(&text, Some(OTHER_NAME)))
            }
        };
        if answer.is_ok() && !is_shared(file.size) {
            self.tx.drop_chunks(blob)?;
        }
        self.end_waits(content, &answer);
        Ok(())
    }

    /// The relay no longer has a blob.
    pub(super) fn blob_is_gone(&mut self, blob: &BlobId) -> Result<(), Fault> {
        for download in self.tx.downloads()?.into_iter().filter(|one| one.blob == *blob) {
            self.tx.remove_download(&download.content)?;
            let text = "The relay no longer has the file.";
            let hint = Some("Ask the sender to send it again.");
            self.end_waits(&download.content, &Err(refused(text, hint)));
        }
        Ok(())
    }

    fn end_waits(&mut self, content: &ContentId, answer: &Result<Value, ApiError>) {
        for call in self.waits.take(content) {
            self.effects.push(Out::Answer(call, answer.clone()));
        }
    }

    fn moved(&mut self, content: &ContentId, name: &str, way: &str, done: u64, total: u64) {
        self.waits.extend(content, self.now.mono_ms.saturating_add(STALL_MS));
        self.event(json!({"v": 1, "type": "progress", "id": content.to_hex(),
            "name": safe_name(name), "direction": way, "done": done, "total": total}));
    }

    /// A message that names a file has its place.
    pub(super) fn note_file(&mut self, row: &MessageRow) -> Result<(), Fault> {
        match file_of(row) {
            Some(file) => Ok(self.tx.put_file(&row.content, &file.blob)?),
            None => Ok(()),
        }
    }

    /// `file list`.
    pub(super) fn list_files(&self, room: Option<&str>) -> Result<Value, Fault> {
        let room = room.map(|typed| self.find_room(typed)).transpose()?.map(|room| room.id);
        let rows = self.tx.file_messages(room.as_ref())?;
        let named = rows.iter().filter_map(|row| Some((row, file_of(row)?)));
        Ok(named
            .map(|(row, file)| {
                json!({"id": row.content.to_hex(), "name": safe_name(&file.name),
                    "size": file.size, "room": self.room_name(&row.room),
                    "room_id": row.room.to_hex(), "from": self.name_of(&row.member),
                    "sent_at": rfc3339(row.sent_at), "shared": is_shared(file.size)})
            })
            .collect())
    }
}

const OTHER_NAME: &str = "Name another place with -o.";

/// The file that a message names.
fn file_of(row: &MessageRow) -> Option<FileRef> {
    match Content::decode(&row.raw).ok()?.kind {
        Kind::File(file) => Some(file),
        _ => None,
    }
}

/// Makes a message's object one of type `file`.
pub(super) fn describe(row: &MessageRow, object: &mut Value) {
    if let (Some(file), Some(fields)) = (file_of(row), object.as_object_mut()) {
        fields.remove("text");
        fields.insert("type".to_owned(), "file".into());
        fields.insert("name".to_owned(), safe_name(&file.name).into());
        fields.insert("size".to_owned(), file.size.into());
        fields.insert("shared".to_owned(), is_shared(file.size).into());
    }
}

/// Whether every device fetches the blob of a file of this size, so that fetching says nothing.
fn is_shared(size: u64) -> bool {
    let whole = padded(size);
    whole + whole.div_ceil(PLAIN as u64) * NOISE_TAG as u64 <= SHARED_BLOB
}

fn unreadable(error: &std::io::Error) -> Fault {
    let text = match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            format!("The file is larger than {} MiB; nothing was sent.", MAX_FILE / 1_048_576)
        }
        std::io::ErrorKind::InvalidInput => "That is no file; nothing was sent.".to_owned(),
        kind => format!("The file cannot be read: {kind}. Nothing was sent."),
    };
    failed(1, &text, None).into()
}
