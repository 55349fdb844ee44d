//! Requests, answers, refusals and snapshots of joining.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::member::invite::{Answer, JoinRequest, Refusal, Snapshot};
use staffetta_protocol::wire::ids::InviteId;

fuzz_target!(|data: &[u8]| {
    let _ = JoinRequest::open(&InviteId([0; 16]), data).is_ok();
    let _ = Answer::open(b"request", data).is_ok();
    let _ = Refusal::open(b"request", data).is_some();
    if let Ok(snapshot) = Snapshot::decode(data) {
        assert_eq!(snapshot.encode().unwrap(), data);
    }
});
