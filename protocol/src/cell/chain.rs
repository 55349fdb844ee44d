//! Open chains: fragments of one channel, put together in log order.

use super::fragment::{Fragment, NextHash};
use crate::wire::ids::Seq;
use crate::wire::limits::{CHAIN_LIFE, MAX_OPEN_CHAINS};

/// A message of which some fragments are still missing.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    /// The seq of the first fragment.
    pub first: Seq,
    /// What the message is.
    pub kind: u8,
    /// How many fragments it has.
    pub count: u16,
    /// The index of the next fragment.
    pub next_index: u16,
    /// The hash of the next fragment.
    pub expects: NextHash,
    /// The content so far.
    pub content: Vec<u8>,
}

/// A whole message. Its place is the seq of its last fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Whole {
    /// What the message is.
    pub kind: u8,
    /// The seq of the first fragment.
    pub first: Seq,
    /// The seq of the last fragment.
    pub place: Seq,
    /// The content.
    pub content: Vec<u8>,
}

/// What a fragment did.
#[derive(Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It completed a message; if that had an open chain, the one at this index is gone.
    Whole(Whole, Option<usize>),
    /// It opened the chain that is now the last.
    Opened,
    /// It extended the chain at this index.
    Extended(usize),
    /// No open chain expects it, or there are too many: it means nothing, to anybody.
    Ignored,
}

/// The open chains of one channel, oldest first.
#[derive(Clone, Default)]
pub struct Chains(pub Vec<Chain>);

impl Chains {
    /// Takes the fragment found at `seq`. Chains not complete within [`CHAIN_LIFE`] seqs of their
    /// first fragment are void; nothing else ends one, so completeness is the same for all.
    pub fn accept(&mut self, seq: Seq, fragment: Fragment) -> Accepted {
        self.0.retain(|chain| seq.saturating_sub(chain.first) < CHAIN_LIFE);
        let Fragment { index, count, kind, next, .. } = fragment;
        if index == 0 {
            let content = fragment.content;
            if count == 1 {
                return Accepted::Whole(Whole { kind, first: seq, place: seq, content }, None);
            }
            if self.0.len() >= MAX_OPEN_CHAINS {
                return Accepted::Ignored;
            }
            let chain = Chain { first: seq, kind, count, next_index: 1, expects: next, content };
            self.0.push(chain);
            return Accepted::Opened;
        }
        let hash = fragment.hash();
        let Some((at, chain)) = self.0.iter_mut().enumerate().find(|(_, chain)| {
            chain.expects == hash
                && chain.next_index == index
                && chain.count == count
                && chain.kind == kind
        }) else {
            return Accepted::Ignored;
        };
        chain.content.extend_from_slice(&fragment.content);
        chain.expects = next;
        chain.next_index += 1;
        if chain.next_index < count {
            return Accepted::Extended(at);
        }
        let Chain { first, content, .. } = self.0.remove(at);
        Accepted::Whole(Whole { kind, first, place: seq, content }, Some(at))
    }
}
