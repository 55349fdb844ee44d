//! Frames: every operation in both directions.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{cases, fault, hex, number, text, wire_fault};
use crate::wire::Cells;
use crate::wire::WireError;
use crate::wire::frame::{FailCode, InviteEnd, JoinState, NoticeKind, ToDevice, ToRelay};

#[test]
fn frames() {
    for (name, case) in cases("frames", 62) {
        let mut bytes = hex(&case, "bytes");
        bytes.resize(usize::try_from(number(&case, "size")).unwrap(), 0);
        let read = match text(&case, "direction") {
            "to-relay" => ToRelay::decode(bytes.clone().into())
                .map(|frame| (to_relay(&frame), frame.encode())),
            _ => ToDevice::decode(bytes.clone().into())
                .map(|frame| (to_device(&frame), frame.encode())),
        };
        if let Some(fault) = fault(&case) {
            assert_eq!(read.err().map(wire_fault), Some(fault), "{name}");
            continue;
        }
        let (fields, again) = read.unwrap();
        assert_eq!(fields, case["fields"], "{name}");
        // The flags are the Noise channel's business; the rest is written as it was read.
        bytes[0] = 0;
        assert_eq!(again, Ok::<_, WireError>(bytes), "{name}");
    }
}

fn h(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn with_cells(mut fields: Value, cells: &Cells) -> Value {
    fields["ids"] = cells.iter().map(|(id, _)| id.to_hex()).collect();
    fields["cells"] = cells.iter().map(|(_, cell)| h(cell)).collect();
    fields
}

fn to_relay(frame: &ToRelay) -> Value {
    match frame {
        ToRelay::Hello { min, max, lane, resume } => {
            json!({"op": "hello", "min": min, "max": max, "lane": lane.0, "resume": resume})
        }
        ToRelay::Put { lane, request, cells } => {
            with_cells(json!({"op": "put", "lane": lane.0, "request": request}), cells)
        }
        ToRelay::Seen { lane, seq } => json!({"op": "seen", "lane": lane.0, "seq": seq}),
        ToRelay::BlobPut { lane, request, secret, index, count, chunk } => json!({
            "op": "blob-put", "lane": lane.0, "request": request, "secret": h(secret.expose()),
            "index": index, "count": count, "chunk": h(chunk),
        }),
        ToRelay::BlobGet { lane, request, id, index } => json!({
            "op": "blob-get", "lane": lane.0, "request": request, "id": id.to_hex(), "index": index,
        }),
        ToRelay::BlobDelete { lane, request, secret } => json!({
            "op": "blob-delete", "lane": lane.0, "request": request, "secret": h(secret.expose()),
        }),
        ToRelay::Rows { request, document } => {
            json!({"op": "rows", "request": request, "document": h(&document.0)})
        }
        ToRelay::Invite { request, id, gate, psk, expires, bundle } => json!({
            "op": "invite", "request": request, "id": id.to_hex(), "expires": expires,
            "gate": h(gate.secret().expose()), "psk": h(psk.secret().expose()), "bundle": h(bundle),
        }),
        ToRelay::InviteEnd { request, id, end } => json!({
            "op": "invite-end", "request": request, "id": id.to_hex(), "end": match end {
                InviteEnd::Enrolled => "enrolled",
                InviteEnd::Refused => "refused",
                InviteEnd::Revoked => "revoked",
            },
        }),
        ToRelay::Join { request, cells } => {
            with_cells(json!({"op": "join", "request": request}), cells)
        }
        ToRelay::Ping => json!({"op": "ping"}),
        ToRelay::Base { lane, request, seq, hash } => json!({
            "op": "base", "lane": lane.0, "request": request, "seq": seq, "hash": hash.to_hex(),
        }),
    }
}

fn joined(mut fields: Value, state: JoinState) -> Value {
    let (name, at) = match state {
        JoinState::Open => ("open", 0),
        JoinState::Waiting => ("waiting", 0),
        JoinState::Refused => ("refused", 0),
        JoinState::Used(at) => ("used", at),
        JoinState::Enrolled => ("enrolled", 0),
    };
    fields["state"] = name.into();
    fields["at"] = at.into();
    fields
}

fn to_device(frame: &ToDevice) -> Value {
    match frame {
        ToDevice::Welcome { version, lane, log, oldest, head, hash, admin, blob_quota } => json!({
            "op": "welcome", "version": version, "lane": lane.0, "log": log.to_hex(),
            "oldest": oldest, "head": head, "hash": hash.to_hex(), "admin": admin,
            "blob_quota": blob_quota,
        }),
        ToDevice::InviteWelcome { version, bundle, state } => {
            joined(json!({"op": "invite-welcome", "version": version, "bundle": h(bundle)}), *state)
        }
        ToDevice::NoVersion { min, max } => json!({"op": "no-version", "min": min, "max": max}),
        ToDevice::Ack { request, seqs } => json!({"op": "ack", "request": request, "seqs": seqs}),
        ToDevice::Push { lane, first, hash, cells } => with_cells(
            json!({"op": "push", "lane": lane.0, "first": first, "hash": hash.to_hex()}),
            cells,
        ),
        ToDevice::Gap { lane, oldest } => json!({"op": "gap", "lane": lane.0, "oldest": oldest}),
        ToDevice::Done { request } => json!({"op": "done", "request": request}),
        ToDevice::Fail { request, code, retry_ms } => json!({
            "op": "fail", "request": request, "retry_ms": retry_ms, "code": match code {
                FailCode::Conflict => "conflict",
                FailCode::OverQuota => "over-quota",
                FailCode::Denied => "denied",
                FailCode::Unknown => "unknown",
                FailCode::LowDisk => "low-disk",
                FailCode::TooLarge => "too-large",
                FailCode::Stale => "stale",
                FailCode::Ended => "ended",
                FailCode::Unavailable => "unavailable",
            },
        }),
        ToDevice::Blob { request, count, chunk } => {
            json!({"op": "blob", "request": request, "count": count, "chunk": h(chunk)})
        }
        ToDevice::Announce { lane, blobs } => {
            let blobs: Vec<_> = blobs.iter().map(|(id, size)| json!([id.to_hex(), size])).collect();
            json!({"op": "announce", "lane": lane.0, "blobs": blobs})
        }
        ToDevice::InviteReused { id, at } => {
            json!({"op": "invite-reused", "id": id.to_hex(), "at": at})
        }
        ToDevice::Join { state } => joined(json!({"op": "join"}), *state),
        ToDevice::Notice { kind, retry_ms } => json!({
            "op": "notice", "retry_ms": retry_ms, "kind": match kind {
                NoticeKind::Draining => "draining",
                NoticeKind::RetryAfter => "retry-after",
                NoticeKind::OverQuota => "over-quota",
                NoticeKind::LowDisk => "low-disk",
                NoticeKind::Moved => "moved",
            },
        }),
        ToDevice::Pong => json!({"op": "pong"}),
    }
}
