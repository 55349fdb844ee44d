//! Plaintexts of frames and ROWS documents: what decodes encodes to the same bytes.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::rows::SignedRows;

fuzz_target!(|data: &[u8]| {
    // Nobody's key: nothing is verified, everything before it is read.
    assert!(SignedRows(Bytes::copy_from_slice(data)).verify(|_, _| None).is_err());
    // The size is part of what is refused: most inputs are padded to one that may be good.
    let mut padded = data.to_vec();
    let sizes = staffetta_protocol::wire::limits::FRAME_SIZES;
    if let Some(size) = sizes.into_iter().find(|size| *size >= data.len()) {
        padded.resize(size, 0);
    }
    for plaintext in [Bytes::copy_from_slice(data), Bytes::from(padded)] {
        if let Ok(frame) = ToRelay::decode(plaintext.clone()) {
            // The flag of a rekey is the channel's, which sets it after encoding.
            assert_eq!(frame.encode().unwrap()[1..], plaintext[1..]);
        }
        if let Ok(frame) = ToDevice::decode(plaintext.clone()) {
            assert_eq!(frame.encode().unwrap()[1..], plaintext[1..]);
        }
    }
});
