use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::wire::ids::{CellId, Digest, Lane, LogId};
use crate::wire::limits::{CELL, MAX_CELLS};

fn cells(count: usize) -> Cells {
    let bodies: Vec<_> = (0..count).map(|i| (CellId([i as u8; 16]), [i as u8; CELL])).collect();
    Cells::collect(bodies.iter().map(|(id, cell)| (*id, cell)))
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
            // A frame in a larger size than it needs is padding of another length, not another frame.
            let again = read.encode().unwrap();
            prop_assert_eq!(&again[..], &frame[..again.len()]);
        }
        if let Ok(read) = ToDevice::decode(frame.clone()) {
            let again = read.encode().unwrap();
            prop_assert_eq!(&again[..], &frame[..again.len()]);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let bytes = Bytes::from(bytes);
        let _ = ToRelay::decode(bytes.clone());
        let _ = ToDevice::decode(bytes);
    }
}
