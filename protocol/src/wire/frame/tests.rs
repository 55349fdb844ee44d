use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::secret::Secret;
use crate::wire::ids::{BlobId, CellId, Digest, Lane, LogId};
use crate::wire::limits::{CELL, MAX_BASE, MAX_CELLS};

fn cells(count: usize) -> Cells {
    let bodies: Vec<_> = (0..count).map(|i| (CellId([i as u8; 16]), [i as u8; CELL])).collect();
    Cells::collect(bodies.iter().map(|(id, cell)| (*id, cell)))
}

#[test]
fn a_frame_in_a_larger_size_than_it_needs_is_refused() {
    let frame = ToRelay::Ping.encode().unwrap();
    let answer = ToDevice::Pong.encode().unwrap();
    assert!(ToRelay::decode(frame.clone().into()).is_ok());
    assert!(ToDevice::decode(answer.clone().into()).is_ok());
    for size in FRAME_SIZES.into_iter().skip(1) {
        let padded = |mut plain: Vec<u8>| {
            plain.resize(size, 0);
            Bytes::from(plain)
        };
        assert_eq!(ToRelay::decode(padded(frame.clone())).err(), Some(WireError::Trailing));
        assert_eq!(ToDevice::decode(padded(answer.clone())).err(), Some(WireError::Trailing));
    }
}

#[test]
fn every_frame_has_one_of_at_most_four_sizes() {
    let mut sizes = std::collections::BTreeSet::new();
    for count in 1..=MAX_CELLS {
        let push = encode_push(Lane(0), 1, &Digest([0; 32]), &[cells(count)]).unwrap();
        let put = ToRelay::Put { lane: Lane(0), request: 0, cells: cells(count) };
        assert_eq!(push.len(), put.encode().unwrap().len());
        sizes.insert(push.len());
    }
    sizes.insert(ToRelay::Ping.encode().unwrap().len());
    println!("figure: {} sizes, in bytes {sizes:?}", sizes.len());
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), FRAME_SIZES);
}

#[test]
fn a_keep_alive_looks_like_a_one_cell_frame() {
    let put = ToRelay::Put { lane: Lane(0), request: 0, cells: cells(1) };
    assert_eq!(ToRelay::Ping.encode().unwrap().len(), put.encode().unwrap().len());
    assert_eq!(ToDevice::Pong.encode().unwrap().len(), put.encode().unwrap().len());
}

#[test]
fn more_than_sixty_cells_do_not_fit() {
    assert!(encode_push(Lane(0), 1, &Digest([0; 32]), &[cells(MAX_CELLS + 1)]).is_err());
}

#[test]
fn reserved_operations_are_named_as_such() {
    for reserved in RESERVED_OPS {
        let mut frame = vec![0; FRAME_SIZES[0]];
        frame[1] = reserved;
        let error = ToRelay::decode(frame.into()).err();
        assert_eq!(error, Some(WireError::ReservedOp(reserved)));
    }
}

#[test]
fn a_welcome_reads_back() {
    let welcome = ToDevice::Welcome {
        version: 1,
        lane: Lane(0),
        log: LogId([7; 16]),
        oldest: 1,
        head: 9,
        hash: Digest([8; 32]),
        admin: true,
        blob_quota: 5,
    };
    let bytes = welcome.encode().unwrap();
    let read = ToDevice::decode(bytes.clone().into()).unwrap();
    assert_eq!(read.encode().unwrap(), bytes);
}

fn fault_of(frame: Vec<u8>) -> Option<WireError> {
    let frame = Bytes::from(frame);
    if frame[1] < 128 { ToRelay::decode(frame).err() } else { ToDevice::decode(frame).err() }
}

#[test]
fn no_seq_of_a_push_can_overflow() {
    for (first, fault) in [
        (0, Some(WireError::Value)),
        (1, None),
        (u64::MAX - 60, None),
        (u64::MAX - 59, Some(WireError::Value)),
        (u64::MAX, Some(WireError::Value)),
    ] {
        let push = encode_push(Lane(0), first, &Digest([0; 32]), &[cells(2)]).unwrap();
        assert_eq!(fault_of(push), fault, "{first}");
    }
}

#[test]
fn a_spare_log_begins_at_2_to_the_56_at_most() {
    let base = |seq| ToRelay::Base { lane: Lane(0), request: 1, seq, hash: Digest([9; 32]) };
    for seq in [0, MAX_BASE - 1, MAX_BASE] {
        assert_eq!(fault_of(base(seq).encode().unwrap()), None);
    }
    for seq in [MAX_BASE + 1, u64::MAX] {
        assert_eq!(base(seq).encode(), Err(WireError::Limit));
        let mut frame = base(0).encode().unwrap();
        frame[8..16].copy_from_slice(&seq.to_be_bytes());
        assert_eq!(fault_of(frame), Some(WireError::Limit));
    }
}

#[test]
fn an_ack_names_1_to_60_seqs() {
    let ack = |count| ToDevice::Ack { request: 1, seqs: vec![7; count] }.encode();
    for count in [1, 59, 60] {
        assert_eq!(fault_of(ack(count).unwrap()), None);
    }
    for count in [0, 61, 62] {
        assert_eq!(ack(usize::from(count)), Err(WireError::Limit));
        let mut frame = ack(60).unwrap();
        frame[6] = count;
        assert_eq!(fault_of(frame), Some(WireError::Limit));
    }
}

#[test]
fn a_put_has_1_to_60_cells_and_a_join_1_to_16() {
    for (count, put, join) in [(0, 0, 0), (1, 1, 1), (16, 1, 1), (17, 1, 0), (60, 1, 0), (61, 0, 0)]
    {
        let frame = ToRelay::Put { lane: Lane(0), request: 1, cells: cells(count) };
        assert_eq!(
            frame.encode().map(fault_of),
            if put == 1 { Ok(None) } else { Err(WireError::Limit) }
        );
        let frame = ToRelay::Join { request: 1, cells: cells(count) };
        assert_eq!(
            frame.encode().map(fault_of),
            if join == 1 { Ok(None) } else { Err(WireError::Limit) }
        );
    }
    let mut frame = ToRelay::Put { lane: Lane(0), request: 1, cells: cells(60) }.encode().unwrap();
    for count in [0, 61, 255] {
        frame[8] = count;
        assert_eq!(fault_of(frame.clone()), Some(WireError::Limit));
    }
}

#[test]
fn a_blob_has_1_to_1092_chunks_of_which_none_is_empty_and_none_beyond_the_last() {
    for (count, length, fault) in [
        (1, 1, None),
        (1_092, 61_440, None),
        (0, 1, Some(WireError::Limit)),
        (1_093, 1, Some(WireError::Limit)),
        (1, 0, Some(WireError::Limit)),
        (0, 0, Some(WireError::Limit)),
    ] {
        let chunk = Bytes::from(vec![5; length]);
        let frame = ToDevice::Blob { request: 1, count, chunk };
        assert_eq!(fault_of(frame.encode().unwrap()), fault, "{count} {length}");
    }
    let chunk = Bytes::from(vec![5; 61_441]);
    assert_eq!(ToDevice::Blob { request: 1, count: 1, chunk }.encode(), Err(WireError::Limit));
    for (index, fault) in
        [(0, None), (1, None), (2, Some(WireError::Value)), (3, Some(WireError::Value))]
    {
        let frame = ToRelay::BlobPut {
            lane: Lane(0),
            request: 1,
            secret: Secret::take(&mut [6; 32]),
            index,
            count: 2,
            chunk: Bytes::from_static(b"chunk"),
        };
        assert_eq!(fault_of(frame.encode().unwrap()), fault, "{index}");
    }
}

#[test]
fn at_most_400_blobs_are_announced_at_once() {
    let announce =
        |count| ToDevice::Announce { lane: Lane(0), blobs: vec![(BlobId([3; 32]), 1); count] };
    assert_eq!(fault_of(announce(400).encode().unwrap()), None);
    assert_eq!(announce(401).encode(), Err(WireError::Limit));
    let mut frame = announce(400).encode().unwrap();
    frame[4..6].copy_from_slice(&401_u16.to_be_bytes());
    assert_eq!(fault_of(frame), Some(WireError::Limit));
}

#[test]
fn of_the_flags_only_rekey_may_be_set() {
    for flags in 0..=255 {
        let mut frame = ToRelay::Ping.encode().unwrap();
        frame[0] = flags;
        assert_eq!(fault_of(frame), (flags > FLAG_REKEY).then_some(WireError::Value));
    }
}

proptest! {
    /// The codec is total: whatever decodes encodes to the very same bytes.
    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(
        size in 0_usize..4,
        op in 0_u8..150,
        head in proptest::collection::vec(any::<u8>(), 0..120),
        small in any::<bool>(),
    ) {
        let mut frame = vec![0; FRAME_SIZES[size]];
        frame[1] = op;
        for (to, from) in frame[2..].iter_mut().zip(&head) {
            *to = if small { from % 4 } else { *from };
        }
        let frame = Bytes::from(frame);
        if let Ok(read) = ToRelay::decode(frame.clone()) {
            prop_assert_eq!(&read.encode().unwrap()[..], &frame[..]);
        }
        if let Ok(read) = ToDevice::decode(frame.clone()) {
            prop_assert_eq!(&read.encode().unwrap()[..], &frame[..]);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let bytes = Bytes::from(bytes);
        let _ = ToRelay::decode(bytes.clone());
        let _ = ToDevice::decode(bytes);
    }
}
