//! Stories of coming in.

mod answers;
mod requests;
mod states;
mod vectors;
mod words;
