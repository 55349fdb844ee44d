//! Crockford base32 symbols and a Reed-Solomon checksum over GF(32) that locates typing errors.
//!
//! A code word has 26 data symbols and 4 check symbols; its generator polynomial has the roots
//! a, a^2, a^3, a^4, where a is a root of x^5 + x^2 + 1. Any four wrong symbols are noticed, one
//! or two are located. This is a checksum against slips of the finger, not cryptography.

/// Symbols of a code word.
pub(super) const SYMBOLS: usize = 30;
/// Symbols that carry data.
pub(super) const DATA: usize = 26;
/// Symbols that check.
const CHECKS: usize = SYMBOLS - DATA;

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The multiplicative order of the field.
const ORDER: usize = 31;

/// `POWERS[i]` is a^i.
const POWERS: [u8; ORDER] = powers();

const fn powers() -> [u8; ORDER] {
    let mut table = [0; ORDER];
    let (mut value, mut exponent) = (1u8, 0);
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time, exponent < ORDER")]
    while exponent < ORDER {
        table[exponent] = value;
        value <<= 1;
        if value & 0b10_0000 != 0 {
            value ^= 0b10_0101;
        }
        exponent += 1;
    }
    table
}

/// What the checksum says of 30 symbols.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// All syndromes are zero.
    Clean,
    /// One or two symbols at these places, from 0, are wrong.
    Wrong(Vec<usize>),
    /// More are wrong than can be located.
    Lost,
}

/// The symbol a character stands for; case is ignored, `O` reads as 0, `I` and `L` as 1.
pub(super) fn read(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|&a| char::from(a) == c).and_then(|at| u8::try_from(at).ok())
}

/// The character of a symbol; only the low five bits count.
pub(super) fn write(symbol: u8) -> char {
    ALPHABET.get(usize::from(symbol & 31)).map_or('0', |&c| char::from(c))
}

fn power(exponent: usize) -> u8 {
    POWERS.get(exponent % ORDER).copied().unwrap_or(0)
}

/// The discrete logarithm, or `None` of zero.
fn log(value: u8) -> Option<usize> {
    POWERS.iter().position(|&p| p == value)
}

fn multiply(a: u8, b: u8) -> u8 {
    match (log(a), log(b)) {
        (Some(a), Some(b)) => power(a + b),
        _ => 0,
    }
}

fn divide(a: u8, b: u8) -> Option<u8> {
    let b = log(b)?;
    Some(log(a).map_or(0, |a| power(a + ORDER - b)))
}

/// The coefficients of the generator polynomial below its leading 1, highest degree first.
fn generator() -> [u8; CHECKS] {
    // Starts as the polynomial 1, written with its leading coefficient first.
    let mut polynomial = vec![1];
    for root in 1..=CHECKS {
        // Times (x - a^root): each coefficient takes a^root times its higher neighbour.
        let shifted = polynomial.iter().map(|&c| multiply(c, power(root)));
        polynomial = std::iter::once(0)
            .chain(shifted)
            .collect::<Vec<_>>()
            .into_iter()
            .zip(polynomial.iter().copied().chain([0]))
            .map(|(low, high)| low ^ high)
            .collect();
    }
    std::array::from_fn(|at| polynomial.get(at + 1).copied().unwrap_or(0))
}

/// The check symbols of `data`.
pub(super) fn checks(data: &[u8; DATA]) -> [u8; CHECKS] {
    let generator = generator();
    let mut register = [0; CHECKS];
    for &symbol in data {
        let [head, second, third, fourth] = register;
        let feedback = symbol ^ head;
        register = [second, third, fourth, 0];
        for (slot, &coefficient) in register.iter_mut().zip(&generator) {
            *slot ^= multiply(feedback, coefficient);
        }
    }
    register
}

/// Checks a code word and locates up to two wrong symbols.
pub(super) fn check(word: &[u8; SYMBOLS]) -> Check {
    let syndromes: [u8; CHECKS] = std::array::from_fn(|j| {
        word.iter()
            .rev()
            .enumerate()
            .fold(0, |sum, (degree, &symbol)| sum ^ multiply(symbol, power((j + 1) * degree)))
    });
    if syndromes == [0; CHECKS] {
        return Check::Clean;
    }
    match locate(syndromes) {
        Some(mut places) => {
            places.sort_unstable();
            Check::Wrong(places)
        }
        None => Check::Lost,
    }
}

/// Peterson's algorithm for one and two errors.
fn locate([s1, s2, s3, s4]: [u8; CHECKS]) -> Option<Vec<usize>> {
    let determinant = multiply(s1, s3) ^ multiply(s2, s2);
    if determinant == 0 {
        let ratio = divide(s2, s1)?;
        if multiply(s2, ratio) != s3 || multiply(s3, ratio) != s4 {
            return None;
        }
        return Some(vec![place(log(ratio)?)?]);
    }
    let sum = divide(multiply(s1, s4) ^ multiply(s2, s3), determinant)?;
    let product = divide(multiply(s2, s4) ^ multiply(s3, s3), determinant)?;
    let is_root = |x: u8| multiply(x, x) ^ multiply(sum, x) ^ product == 0;
    let degrees: Vec<usize> = (0..ORDER).filter(|&degree| is_root(power(degree))).collect();
    if degrees.len() != 2 {
        return None;
    }
    degrees.into_iter().map(place).collect()
}

/// The place, from the left, of the symbol that is the coefficient of x^degree.
fn place(degree: usize) -> Option<usize> {
    (SYMBOLS - 1).checked_sub(degree)
}
