//! Lines on a profile's socket.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| staffetta_protocol::member::agent::read_line_for_fuzzing(data));
