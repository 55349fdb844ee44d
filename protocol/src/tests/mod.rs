//! The cases of `protocol/vectors/`: one case a file, and an invalid one has one fault. They were
//! computed by another implementation than this one. Here are those for everything that a relay
//! needs too.

mod cells;
mod frames;
mod hop;
mod invites;
mod rows;

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::random::Random;
use crate::secret::Secret;
use crate::wire::WireError;

/// Every case of a directory, with its name. There are at least as many as are expected, and some
/// are invalid.
pub(crate) fn cases(dir: &str, at_least: usize) -> Vec<(String, Value)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(dir);
    let mut cases: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let case = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            (name, case)
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(cases.len() >= at_least, "{dir}: {}", cases.len());
    cases
}

pub(crate) fn hex(case: &Value, field: &str) -> Vec<u8> {
    HEXLOWER.decode(case[field].as_str().unwrap().as_bytes()).unwrap()
}

fn array<const N: usize>(case: &Value, field: &str) -> [u8; N] {
    hex(case, field).try_into().unwrap()
}

fn secret(case: &Value, field: &str) -> Secret<32> {
    Secret::take(&mut array(case, field))
}

pub(crate) fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap()
}

pub(crate) fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

pub(crate) fn fault(case: &Value) -> Option<&str> {
    case["fault"].as_str()
}

/// The same bytes whenever asked, from the start.
struct Fixed(Vec<u8>);

impl Random for Fixed {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.copy_from_slice(&self.0.drain(..dest.len()).collect::<Vec<_>>());
    }
}

fn wire_fault(error: WireError) -> &'static str {
    match error {
        WireError::Truncated => "truncated",
        WireError::Trailing => "trailing",
        WireError::Limit => "limit",
        WireError::Value => "value",
        WireError::UnknownOp(_) => "unknown-op",
        WireError::ReservedOp(_) => "reserved-op",
        WireError::Size => "size",
    }
}
