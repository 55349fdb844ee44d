//! The head of an HTTP request before the gate, with what proxies say of its source, in pieces as
//! the network brings them.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the relay uses what this target does not")]

#[path = "../../../server/src/address.rs"]
mod address;
#[path = "../../../server/src/admission/mod.rs"]
mod admission;
#[path = "../../../server/src/bucket.rs"]
mod bucket;
#[path = "../../../server/src/config/mod.rs"]
mod config;

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// What came, a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let len = self.rest.len().min(self.most).min(to.remaining());
        let (now, later) = self.rest.split_at(len);
        to.put_slice(now);
        self.rest = later;
        Poll::Ready(Ok(()))
    }
}

fn read(rest: &[u8], most: usize) -> Option<(bool, Option<std::net::IpAddr>)> {
    let mut pieces = Pieces { rest, most };
    let head = pin!(admission::read_head(&mut pieces, &[], true));
    match head.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(head) => head.map(|head| {
            if let Some(knock) = &head.knock {
                assert!(admission::switching(knock).starts_with("HTTP/1.1 101 "));
            }
            (head.knock.is_some(), head.source)
        }),
        Poll::Pending => unreachable!("all of it is there"),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((most, head)) = data.split_first() else { return };
    let whole = read(head, usize::MAX);
    // A head that nothing follows is read alike however it comes.
    if head.windows(4).position(|four| four == b"\r\n\r\n") == head.len().checked_sub(4) {
        assert_eq!(read(head, usize::from(*most).max(1)), whole);
    } else {
        assert!(whole.is_none_or(|(knocks, _)| !knocks));
    }
});
