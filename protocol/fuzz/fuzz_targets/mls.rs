//! What a member sends in a room, before OpenMLS believes any of it, and what rides in commits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::member::e2ee::{CommitNote, ResyncRequest, RoomState, peek};

fuzz_target!(|data: &[u8]| {
    if let Some(claims) = peek(data) {
        // What follows the header changes nothing of what it claims.
        assert_eq!(peek(&[data, &[0]].concat()), Some(claims));
    }
    if let Some(state) = RoomState::decode(data) {
        assert_eq!(state.encode().as_deref(), Some(data));
    }
    if let Some(note) = CommitNote::decode(data) {
        assert_eq!(note.encode(), data);
    }
    if let Some(request) = ResyncRequest::decode(data) {
        assert_eq!(request.encode(), data);
    }
});
