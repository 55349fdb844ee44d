//! Secret bytes: boxed, wiped on drop, compared in constant time, impossible to print or copy.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::Random;

/// `N` secret bytes on the heap, wiped when dropped.
///
/// It has no `Debug`, `Display`, `Clone` or serde implementation, so that it cannot reach a log,
/// an error text or a file by accident. Only the sealed store writes [`Secret::expose`] anywhere.
#[derive(ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

// A `ZeroizeOnDrop` marker without a drop would compile; this would not.
const _: () = assert!(std::mem::needs_drop::<Secret<32>>());

impl<const N: usize> Secret<N> {
    /// Takes `bytes` and wipes the caller's copy.
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let mut boxed = Box::new([0; N]);
        boxed.copy_from_slice(bytes);
        bytes.zeroize();
        Self(boxed)
    }

    /// Copies `bytes`, or returns `None` unless there are exactly `N` of them.
    pub fn copy(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != N {
            return None;
        }
        let mut boxed = Box::new([0; N]);
        boxed.copy_from_slice(bytes);
        Some(Self(boxed))
    }

    /// Makes a fresh secret.
    pub fn random(random: &mut (impl Random + ?Sized)) -> Self {
        let mut boxed = Box::new([0; N]);
        random.fill(boxed.as_mut_slice());
        Self(boxed)
    }

    /// Fills a new secret in place, so that no copy stays on the stack.
    pub fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut boxed = Box::new([0; N]);
        fill(&mut boxed);
        Self(boxed)
    }

    /// The bytes, for a cryptographic operation or the sealed store and nothing else.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// Compares in constant time.
    pub fn ct_eq(&self, other: &[u8; N]) -> bool {
        self.0.as_slice().ct_eq(other.as_slice()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_wipes_the_callers_copy() {
        let mut bytes = [7; 32];
        let secret = Secret::take(&mut bytes);
        assert_eq!(bytes, [0; 32]);
        assert!(secret.ct_eq(&[7; 32]));
        assert!(!secret.ct_eq(&[8; 32]));
    }

    #[test]
    fn a_secret_of_another_length_is_refused() {
        assert!(Secret::<32>::copy(&[0; 31]).is_none());
    }
}
