use bytes::Bytes;

use super::ids::CellId;
use super::limits::*;
use super::*;

/// The specification's pages 2, 3, 5 and 6 give these as numbers; a client written after them
/// would not find out that ours are others.
#[test]
fn every_size_and_bound_is_the_specifications() {
    assert_eq!((CELL, CELL_RECORD, MAX_CELLS), (1_024, 1_040, 60));
    assert_eq!(FRAME_SIZES, [1_104, 4_224, 16_704, 62_464]);
    assert_eq!((MAX_FRAME, MAX_WIRE_MESSAGE), (62_464, 62_480));
    assert_eq!(crate::noise::handshake::HANDSHAKE_MESSAGE, 1_120);
    assert_eq!((REKEY_MESSAGES, REKEY_MS), (65_536, 600_000));
    assert_eq!((BLOB_CHUNK, MAX_BLOB_CHUNKS, SHARED_BLOB), (61_440, 1_092, 1_048_576));
    assert_eq!((MAX_JOIN_CELLS, MAX_OPEN_INVITES, MAX_BUNDLE), (16, 32, 4_096));
    assert_eq!((MAX_ROWS, MAX_ADDRESSES, MAX_ADDRESS), (400, 8, 255));
    assert_eq!(INVITE_MEMORY_S, 604_800);
    assert_eq!((CHAIN_LIFE, MAX_FRAGMENTS, MAX_OPEN_CHAINS), (4_096, 512, 32));
    assert_eq!(MAX_BASE, 72_057_594_037_927_936);
}

fn reader(bytes: &'static [u8]) -> Reader {
    Reader::new(Bytes::from_static(bytes))
}

#[test]
fn a_limit_is_the_greatest_that_is_read() {
    assert_eq!(reader(b"\0\x03abc").bytes16(3).unwrap(), "abc");
    assert_eq!(reader(b"\0\x03abc").bytes16(2), Err(WireError::Limit));
    assert_eq!(reader(b"\0\x03abc").bytes16(1), Err(WireError::Limit));
    assert_eq!(reader(b"\0\x03abc").text16(3).as_deref(), Ok("abc"));
    assert_eq!(reader(b"\0\x03abc").text16(2), Err(WireError::Limit));
    assert_eq!(reader(b"\0\x02\xC3\x28").text16(2), Err(WireError::Value));
    for (max, read) in
        [(6, Ok(5)), (5, Ok(5)), (4, Err(WireError::Limit)), (0, Err(WireError::Limit))]
    {
        assert_eq!(reader(b"\0\x05").count16(max), read);
    }
}

#[test]
fn a_limit_is_the_greatest_that_is_written() {
    for (count, written) in [(4, true), (5, true), (6, false), (7, false)] {
        let mut out = Writer::default();
        let result = out.count16(count, 5).map(|_| ());
        assert_eq!(result, if written { Ok(()) } else { Err(WireError::Limit) });
        let mut out = Writer::default();
        let bytes = vec![7; count];
        let result = out.bytes16(&bytes, 5).map(|_| ());
        assert_eq!(result, if written { Ok(()) } else { Err(WireError::Limit) });
    }
    // What two bytes cannot say is over every limit.
    assert!(matches!(Writer::default().count16(65_536, usize::MAX), Err(WireError::Limit)));
    let mut out = Writer::default();
    out.bytes16(b"ab", 2).unwrap().u16(0x0102).u32(0x0304_0506).u64(0x0708_090A_0B0C_0D0E).u8(0x0F);
    let expected = b"\0\x02ab\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F";
    assert_eq!(out.finish(), expected);
}

#[test]
fn reading_ends_with_the_bytes_and_not_after() {
    assert_eq!(reader(b"abc").take(3).unwrap(), "abc");
    assert_eq!(reader(b"abc").take(4), Err(WireError::Truncated));
    assert_eq!(reader(b"").u8(), Err(WireError::Truncated));
    assert_eq!(reader(b"\0\x03ab").bytes16(9), Err(WireError::Truncated));
    assert_eq!(reader(b"").finish(), Ok(()));
    assert_eq!(reader(b"\0").finish(), Err(WireError::Trailing));
    assert_eq!(reader(b"\0\0").finish_padded(1_104), Ok(()));
    assert_eq!(reader(b"\0\x01").finish_padded(1_104), Err(WireError::Trailing));
}

#[test]
fn a_frame_is_padded_to_the_smallest_size_that_holds_it() {
    for (len, size) in [
        (1, 1_104),
        (1_104, 1_104),
        (1_105, 4_224),
        (4_225, 16_704),
        (16_705, 62_464),
        (62_464, 62_464),
    ] {
        let mut out = Writer::default();
        out.put(&vec![1; len]);
        let frame = out.finish_padded().unwrap();
        assert_eq!(frame.len(), size);
        assert!(frame[..len].iter().all(|byte| *byte == 1));
        assert!(frame[len..].iter().all(|byte| *byte == 0));
    }
    let mut out = Writer::default();
    out.put(&vec![1; MAX_FRAME + 1]);
    assert_eq!(out.finish_padded(), Err(WireError::Limit));
}

#[test]
fn a_slice_of_cells_is_those_cells_and_ends_with_the_run() {
    let bodies: Vec<_> = (0..5).map(|i| (CellId([i; 16]), [i; CELL])).collect();
    let all = Cells::collect(bodies.iter().map(|(id, cell)| (*id, cell)));
    for (from, to, expected) in [
        (0, 5, 0..5),
        (1, 3, 1..3),
        (2, 3, 2..3),
        (3, 9, 3..5),
        (2, 2, 0..0),
        (4, 2, 0..0),
        (7, 9, 0..0),
    ] {
        let slice = all.slice(from, to);
        assert_eq!((slice.len(), slice.is_empty()), (expected.len(), expected.is_empty()));
        assert!(slice.iter().eq(bodies[expected].iter().map(|(id, cell)| (*id, cell))));
    }
}

#[test]
fn only_whole_records_are_cells() {
    for (len, count) in [(0, Some(0)), (1_040, Some(1)), (2_080, Some(2)), (1, None), (1_039, None)]
    {
        let cells = Cells::from_records(vec![9; len].into());
        assert_eq!(cells.map(|cells| cells.len()).ok(), count);
    }
    assert!(Cells::default().is_empty());
}
