//! Stories of the roster.

mod entries;
mod names;
mod rights;
pub(crate) mod team;
