//! Access secrets, gate tokens, handshakes and the running hash.

use super::{Fixed, array, cases, fault, hex, number, secret, text};
use crate::gate::{Gate, GateError, HANDLES, Handle, Nonce, Token, window};
use crate::noise::NoiseError;
use crate::noise::handshake::{HANDSHAKE_MESSAGE, Handshake};
use crate::noise::keys::{
    AccessSecret, GateKey, HopPsk, StaticPublic, StaticSecret, relay_fingerprint,
};
use crate::wire::ids::{CellId, Lane, LogId, TeamId};
use crate::wire::limits::CELL;
use crate::wire::running_hash;

#[test]
fn gate_key_and_noise_psk_of_a_device_derive_from_its_access_secret() {
    for (name, case) in cases("access", 1) {
        let access = AccessSecret::from_secret(secret(&case, "access"));
        let transport = StaticSecret::from_secret(secret(&case, "transport_secret")).public();
        assert_eq!(
            access.gate_key().secret().expose().as_slice(),
            hex(&case, "gate_key"),
            "{name}"
        );
        assert_eq!(access.psk().secret().expose().as_slice(), hex(&case, "psk"), "{name}");
        assert_eq!(transport.0.as_slice(), hex(&case, "transport"), "{name}");
        assert_eq!(access.bind(&transport).0.0.as_slice(), hex(&case, "bound"), "{name}");
    }
}

#[test]
fn gate_tokens() {
    for (name, case) in cases("gate", 10) {
        let relay = StaticPublic(array(&case, "relay"));
        let (gate, now) = (Gate::of(&relay), number(&case, "now"));
        let key = GateKey::from_secret(secret(&case, "gate_key"));
        let token = Token::parse(text(&case, "token").as_bytes());
        if let Some(fault) = fault(&case) {
            let found = match token.map(|token| gate.check(&token, &key, now)) {
                None => "no-token",
                Some(Err(GateError::Stale)) => "stale",
                Some(Err(GateError::Mac)) => "mac",
                Some(Ok(())) => "none",
            };
            assert_eq!(found, fault, "{name}");
            continue;
        }
        let token = token.unwrap();
        assert_eq!(gate.check(&token, &key, now), Ok(()), "{name}");
        assert_eq!(relay_fingerprint(&relay).0.as_slice(), hex(&case, "fingerprint"), "{name}");
        assert!(token.nonce() == Nonce(array(&case, "nonce")), "{name}");
        assert_eq!(window(token.time()), number(&case, "window"), "{name}");
        let handles = case["handles"].as_array().unwrap();
        assert_eq!(handles.len(), usize::from(HANDLES));
        for (k, handle) in (0..HANDLES).zip(handles) {
            let Handle(made) = key.handle(number(&case, "window"), k);
            assert_eq!(data_encoding::HEXLOWER.encode(&made), handle.as_str().unwrap(), "{name}");
        }
        let k = u8::try_from(number(&case, "k")).unwrap();
        assert!(token.handle() == key.handle(number(&case, "window"), k), "{name}");
        // And we make the same one from the same draw.
        let mut draw = Fixed([[k].as_slice(), &hex(&case, "nonce")].concat());
        assert_eq!(gate.token(&key, token.time(), &mut draw).to_text(), text(&case, "token"));
    }
}

#[test]
fn running_hashes() {
    for (name, case) in cases("running-hash", 2) {
        let (team, log) = (TeamId(array(&case, "team")), LogId(array(&case, "log")));
        let lane = Lane(u16::try_from(number(&case, "lane")).unwrap());
        let mut hash = running_hash::start(&team, lane, &log);
        let expected: Vec<_> = case["hashes"].as_array().unwrap().iter().collect();
        let mut made = vec![hash.to_hex()];
        let (ids, fills) = (case["ids"].as_array().unwrap(), case["fills"].as_array().unwrap());
        for (id, fill) in ids.iter().zip(fills) {
            let id = CellId::from_hex(id.as_str().unwrap()).unwrap();
            let cell = [u8::try_from(fill.as_u64().unwrap()).unwrap(); CELL];
            hash = running_hash::next(&hash, &id, &cell);
            made.push(hash.to_hex());
        }
        assert_eq!(
            made,
            expected.iter().map(|h| h.as_str().unwrap()).collect::<Vec<_>>(),
            "{name}"
        );
    }
}

#[test]
fn noise_xkpsk0_25519_chachapoly_blake2s_and_every_handshake_message_of_one_size() {
    for (name, case) in cases("handshake", 9) {
        let relay = StaticSecret::from_secret(secret(&case, "relay_secret"));
        let psk = HopPsk::from_secret(secret(&case, "psk"));
        let own = StaticSecret::from_secret(secret(&case, "psk"));
        let is_device = text(&case, "pattern") == "XKpsk0";
        let mut server = if is_device {
            Handshake::relay_for_device(&relay, &psk).unwrap()
        } else {
            Handshake::relay_for_newcomer(&relay, &psk).unwrap()
        };
        let read = server.read(&hex(&case, "message"));
        if fault(&case).is_some() {
            assert_eq!(read, Err(NoiseError::Refused), "{name}");
            continue;
        }
        assert_eq!(read, Ok(()), "{name}");
        // Whoever goes on from there sends messages of the sizes named.
        let mut client = if is_device {
            Handshake::device(&relay.public(), &own, &psk).unwrap()
        } else {
            Handshake::newcomer(&own, &psk).unwrap()
        };
        let mut server = if is_device {
            Handshake::relay_for_device(&relay, &psk).unwrap()
        } else {
            Handshake::relay_for_newcomer(&relay, &psk).unwrap()
        };
        for (turn, size) in case["sizes"].as_array().unwrap().iter().enumerate() {
            let (from, to) =
                if turn == 1 { (&mut server, &mut client) } else { (&mut client, &mut server) };
            let message = from.write().unwrap();
            assert_eq!(
                (message.len() as u64, message.len()),
                (size.as_u64().unwrap(), HANDSHAKE_MESSAGE)
            );
            to.read(&message).unwrap();
        }
        assert!(client.is_finished() && server.is_finished());
    }
}
