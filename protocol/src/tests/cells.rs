//! Cells, fragments, chains and direct cells.

use serde_json::{Value, json};

use super::{Fixed, array, cases, fault, hex, number, secret};
use crate::cell::chain::{Accepted, Chains};
use crate::cell::channel_key::{ChannelKey, TagKey};
use crate::cell::direct::{self, DirectId};
use crate::cell::fragment::{HEADER, split};
use crate::noise::keys::{StaticPublic, StaticSecret};

#[test]
fn cells() {
    for (name, case) in cases("cell", 13) {
        let key = ChannelKey::derive(&secret(&case, "secret"));
        let cell = array(&case, "cell");
        if let Some(fault) = fault(&case) {
            let found = match (key.matches(&cell), key.open(&cell)) {
                (false, _) => "other-channel",
                (true, Err(_)) => "body",
                (true, Ok(_)) => "none",
            };
            assert_eq!(found, fault, "{name}");
            continue;
        }
        assert!(key.matches(&cell), "{name}");
        assert_eq!(cell[..16], hex(&case, "tag"), "{name}");
        let fragment = key.open(&cell).unwrap();
        assert_eq!((fragment.index, fragment.count), (0, 1), "{name}");
        assert_eq!(u64::from(fragment.kind), number(&case, "kind"), "{name}");
        assert_eq!(fragment.content, hex(&case, "content"), "{name}");
        assert!(key.seal(&mut Fixed(hex(&case, "nonce")), &fragment) == cell, "{name}");
    }
}

#[test]
fn fragments() {
    for (name, case) in cases("fragments", 3) {
        let kind = u8::try_from(number(&case, "kind")).unwrap();
        let message = hex(&case, "message");
        let fragments = split(kind, &message).unwrap();
        let headers: Vec<String> = fragments
            .iter()
            .map(|f| data_encoding::HEXLOWER.encode(&f.encode()[..HEADER]))
            .collect();
        assert_eq!(json!(headers), case["fragments"], "{name}");
        assert!(fragments.iter().flat_map(|f| f.content.clone()).eq(message), "{name}");
    }
}

#[test]
fn chains() {
    for (name, case) in cases("chain", 6) {
        let kind = u8::try_from(number(&case, "kind")).unwrap();
        let messages: Vec<_> = case["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| data_encoding::HEXLOWER.decode(m.as_str().unwrap().as_bytes()).unwrap())
            .collect();
        let (mut chains, mut whole) = (Chains::default(), Vec::<Value>::new());
        for step in case["steps"].as_array().unwrap() {
            let [seq, message, index] = [0, 1, 2].map(|at| step[at].as_u64().unwrap());
            let fragments = split(kind, &messages[message as usize]).unwrap();
            if let Accepted::Whole(got, _) = chains.accept(seq, fragments[index as usize].clone()) {
                let which = messages.iter().position(|m| *m == got.content).unwrap();
                assert_eq!((got.place, got.kind), (seq, kind), "{name}");
                whole.push(json!([seq, which]));
            }
        }
        assert_eq!(json!(whole), case["whole"], "{name}");
    }
}

#[test]
fn direct_cells() {
    for (name, case) in cases("direct", 8) {
        let receiver = StaticSecret::from_secret(secret(&case, "receiver_secret"));
        let sender = StaticPublic(array(&case, "sender"));
        let cell = array(&case, "cell");
        let channel = direct::direct_secret(&receiver, &sender).unwrap();
        assert!(TagKey::derive(&channel).matches(&cell), "{name}");
        let opened = direct::open(&receiver, &sender, &cell);
        if fault(&case).is_some() {
            assert!(opened.is_none(), "{name}");
            continue;
        }
        let opened = opened.unwrap();
        assert_eq!(channel.expose().as_slice(), hex(&case, "channel"), "{name}");
        assert_eq!(receiver.agree(&sender).unwrap().expose().as_slice(), hex(&case, "shared"));
        assert_eq!(cell[..16], hex(&case, "tag"), "{name}");
        assert_eq!(u64::from(opened.index), number(&case, "index"), "{name}");
        assert_eq!(u64::from(opened.count), number(&case, "count"), "{name}");
        assert_eq!(u64::from(opened.kind), number(&case, "kind"), "{name}");
        assert_eq!(opened.id, DirectId(array(&case, "id")), "{name}");
        assert_eq!(opened.content, hex(&case, "content"), "{name}");
    }
}
