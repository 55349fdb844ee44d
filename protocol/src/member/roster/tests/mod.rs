//! Stories of the roster.

mod entries;
mod names;
mod rewinds;
mod rights;
pub(crate) mod team;
mod vectors;
mod vouching;
