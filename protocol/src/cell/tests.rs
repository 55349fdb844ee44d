use super::chain::{Accepted, Chains};
use super::channel_key::{BadBody, ChannelKey, TagKey};
use super::direct;
use super::fragment::{CONTENT, Fragment, MAX_MESSAGE, NextHash, TooLong, split};
use crate::noise::keys::StaticSecret;
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::wire::limits::{CHAIN_LIFE, MAX_OPEN_CHAINS};

fn message(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// Feeds fragments at seqs 1, 2, 3, .. and returns the whole messages.
fn feed(fragments: impl IntoIterator<Item = Fragment>) -> Vec<Vec<u8>> {
    let mut chains = Chains::default();
    fragments
        .into_iter()
        .zip(1..)
        .filter_map(|(fragment, seq)| match chains.accept(seq, fragment) {
            Accepted::Whole(whole, _) => Some(whole.content),
            _ => None,
        })
        .collect()
}

#[test]
fn a_fragment_has_945_usable_bytes_and_a_direct_one_921() {
    assert_eq!((CONTENT, direct::DIRECT_CONTENT), (945, 921));
}

#[test]
fn messages_of_every_length_come_back_whole() {
    for len in [0, 1, CONTENT, CONTENT + 1, 10_000] {
        assert_eq!(feed(split(1, &message(len)).unwrap()), [message(len)]);
    }
    let longest = split(1, &message(MAX_MESSAGE)).unwrap();
    assert_eq!((MAX_MESSAGE, longest.len()), (483_840, 512));
    assert_eq!(feed(longest), [message(MAX_MESSAGE)]);
    for beyond in [MAX_MESSAGE + 1, MAX_MESSAGE + 2] {
        assert_eq!(split(1, &message(beyond)).err(), Some(TooLong(beyond)));
    }
}

#[test]
fn a_fragment_is_sound_only_within_its_count() {
    let reads = |index, count, last: bool| {
        let next = NextHash(if last { [0; 16] } else { [1; 16] });
        let fragment = Fragment { index, count, kind: 1, next, content: vec![7; CONTENT] };
        Fragment::decode(&fragment.encode()).is_some_and(|read| read == fragment)
    };
    assert!(reads(0, 1, true) && reads(0, 2, false) && reads(1, 2, true) && reads(510, 512, false));
    assert!(reads(511, 512, true));
    // Index at and above the count; more than 512; the last that expects more; another that does not.
    for (index, count, last) in [(2, 2, false), (3, 2, false), (0, 0, false), (65_535, 1, true)] {
        assert!(!reads(index, count, last), "{index} of {count}");
    }
    assert!(!reads(0, 513, false) && !reads(512, 513, true) && !reads(0, 65_535, false));
    assert!(!reads(1, 2, false) && !reads(0, 2, true));
}

#[test]
fn a_fragment_extends_the_open_chain_that_expects_its_hash() {
    let (a, b) = (split(1, &message(3_000)).unwrap(), split(1, &vec![9; 3_000]).unwrap());
    let interleaved = a.iter().zip(&b).flat_map(|(a, b)| [a.clone(), b.clone()]);
    assert_eq!(feed(interleaved), [message(3_000), vec![9; 3_000]]);
}

#[test]
fn nobody_can_slip_a_fragment_into_anothers_message() {
    let honest = split(1, &message(3_000)).unwrap();
    for (at, change) in [(1, 0), (2, 1), (3, 2)] {
        let mut slipped = honest[at].clone();
        match change {
            0 => slipped.content[0] ^= 1,
            1 => slipped.next.0[0] ^= 1,
            _ => slipped.content.truncate(1),
        }
        let mut fragments = honest.clone();
        fragments.insert(at, slipped);
        assert_eq!(feed(fragments), [message(3_000)]);
    }
}

#[test]
fn a_chain_not_complete_within_4096_seqs_is_void() {
    for (late, whole) in [(CHAIN_LIFE - 1, true), (CHAIN_LIFE, false)] {
        let fragments = split(1, &message(CONTENT * 2)).unwrap();
        let mut chains = Chains::default();
        chains.accept(10, fragments[0].clone());
        let last = chains.accept(10 + late, fragments[1].clone());
        assert_eq!(matches!(last, Accepted::Whole(..)), whole);
    }
}

#[test]
fn open_chains_are_bounded_and_none_is_evicted_for_another() {
    let mut chains = Chains::default();
    let first = split(1, &message(CONTENT * 2)).unwrap();
    assert!(matches!(chains.accept(1, first[0].clone()), Accepted::Opened));
    for other in 0..MAX_OPEN_CHAINS * 2 {
        chains.accept(2, split(1, &vec![other as u8; CONTENT * 2]).unwrap()[0].clone());
    }
    assert_eq!(chains.0.len(), MAX_OPEN_CHAINS);
    assert!(matches!(chains.accept(3, first[1].clone()), Accepted::Whole(..)));
}

#[test]
fn a_cell_opens_only_with_its_channels_key_and_unchanged() {
    let key = |byte| ChannelKey::derive(&Secret::take(&mut [byte; 32]));
    let (mine, other) = (key(1), key(2));
    let fragment = split(7, b"hello").unwrap().remove(0);
    let cell = mine.seal(&mut OsRandom, &fragment);
    assert!(mine.matches(&cell) && !other.matches(&cell));
    assert!(mine.open(&cell) == Ok(fragment));
    let mut changed = cell;
    changed[500] ^= 1;
    assert!(mine.matches(&changed));
    assert!(mine.open(&changed) == Err(BadBody));
    assert!(other.open(&cell) == Err(BadBody));
}

#[test]
fn direct_cells_open_between_their_two_devices_only() {
    let [a, b, c] = [(); 3].map(|()| StaticSecret::generate(&mut OsRandom));
    let secret = direct::direct_secret(&a, &b.public()).unwrap();
    assert!(secret.ct_eq(direct::direct_secret(&b, &a.public()).unwrap().expose()));
    let tag = TagKey::derive(&secret);
    let long = message(2_000);
    let cells = direct::seal(&mut OsRandom, &tag, &a, &b.public(), 3, &long).unwrap();
    assert_eq!(cells.len(), 3);
    let mut whole = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        assert!(tag.matches(cell));
        let fragment = direct::open(&b, &a.public(), cell).unwrap();
        assert_eq!((usize::from(fragment.index), fragment.count, fragment.kind), (index, 3, 3));
        whole.extend(fragment.content);
        assert!(direct::open(&c, &a.public(), cell).is_none());
    }
    assert_eq!(whole, long);
    assert_eq!(direct::MAX_DIRECT, 1_049_019);
    let longest =
        direct::seal(&mut OsRandom, &tag, &a, &b.public(), 3, &vec![0; direct::MAX_DIRECT]);
    assert_eq!(longest.unwrap().len(), 1_139);
    for beyond in [direct::MAX_DIRECT + 1, direct::MAX_DIRECT + 2] {
        assert!(direct::seal(&mut OsRandom, &tag, &a, &b.public(), 3, &vec![0; beyond]).is_none());
    }
}
