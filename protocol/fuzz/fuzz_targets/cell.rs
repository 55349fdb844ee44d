//! Cells, fragments and the chains they make.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::cell::chain::Chains;
use staffetta_protocol::cell::channel_key::ChannelKey;
use staffetta_protocol::cell::direct;
use staffetta_protocol::cell::fragment::{FRAGMENT, Fragment};
use staffetta_protocol::noise::keys::StaticSecret;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::limits::{CELL, MAX_OPEN_CHAINS};

fuzz_target!(|data: &[u8]| {
    let secret = |byte: u8| Secret::<32>::copy(&[byte; 32]).unwrap();
    if let Some(cell) = data.first_chunk::<CELL>() {
        let key = ChannelKey::derive(&secret(7));
        let _ = key.matches(cell);
        let _ = key.open(cell).is_ok();
        let (own, peer) =
            (StaticSecret::from_secret(secret(1)), StaticSecret::from_secret(secret(2)));
        let _ = direct::open(&own, &peer.public(), cell).is_some();
    }
    // Two bytes say how far on a fragment stands, then its bytes, the last one padded with zeros.
    let (mut chains, mut seq) = (Chains::default(), 1_u64);
    for step in data.chunks(2 + FRAGMENT) {
        let Some((gap, bytes)) = step.split_first_chunk::<2>() else { continue };
        seq += u64::from(u16::from_be_bytes(*gap));
        let mut fragment = [0; FRAGMENT];
        fragment[..bytes.len()].copy_from_slice(bytes);
        if let Some(fragment) = Fragment::decode(&fragment) {
            assert!(Fragment::decode(&fragment.encode()).is_some());
            let _ = chains.accept(seq, fragment);
            assert!(chains.0.len() <= MAX_OPEN_CHAINS);
        }
    }
});
