//! The local API of a profile that somebody holds, as any script could speak it: JSON-RPC 2.0, one
//! object a line, over `PROFILE/agent.sock`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::eventually::PATIENCE;

/// A connection to the holder.
pub struct Rpc {
    reader: BufReader<UnixStream>,
    next: u64,
}

impl Rpc {
    /// Connects; `None` if nobody holds the profile.
    pub fn open(profile: &Path) -> Option<Self> {
        let stream = UnixStream::connect(profile.join("agent.sock")).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { reader: BufReader::new(stream), next: 1 })
    }

    /// Sends a request and returns its id without waiting; `None` if the holder is gone.
    pub fn ask(&mut self, method: &str, params: Value) -> Option<u64> {
        let id = self.next;
        self.next += 1;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.reader.get_mut().write_all(format!("{request}\n").as_bytes()).ok()?;
        Some(id)
    }

    /// The next object the holder says; `None` if it is gone.
    pub fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            // A line that was cut off by the holder's death says nothing.
            Ok(read) if read > 0 && line.ends_with('\n') => {
                Some(serde_json::from_str(&line).expect("the holder speaks JSON"))
            }
            _ => None,
        }
    }

    /// Calls and waits for the answer: the result, or the error object.
    ///
    /// # Panics
    /// If the holder is gone.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params).expect("the holder is there");
        loop {
            let mut said = self.hear().unwrap_or_else(|| panic!("no answer to {method}"));
            if said["id"] == id {
                return match said.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(said["result"].take()),
                };
            }
        }
    }
}
