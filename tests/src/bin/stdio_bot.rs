//! A bot over standard input and output, as stories and campaigns need one: it answers every
//! message and acknowledges it, and notes each acknowledgement that was the first of its message.
//!
//! `stdio_bot echo LEDGER [PID-FILE]`, `stdio_bot take LEDGER PID-FILE` (without answers),
//! `stdio_bot deaf`, `stdio_bot die-after N LEDGER`

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write, stdin, stdout};

use anyhow::{Context, bail};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["echo", ledger] => run(ledger, true, u64::MAX),
        [what @ ("echo" | "take"), ledger, pid] => {
            std::fs::write(pid, std::process::id().to_string())?;
            run(ledger, *what == "echo", u64::MAX)
        }
        ["die-after", events, ledger] => run(ledger, true, events.parse()?),
        ["deaf", ..] => loop {
            std::thread::park();
        },
        other => bail!("unknown arguments {other:?}"),
    }
}

/// Answers, if it is to, and acknowledges; dies in the middle of the answer to the event of that
/// number, its last line without an end.
fn run(ledger: &str, answers: bool, die_at: u64) -> anyhow::Result<()> {
    let mut ledger = OpenOptions::new().append(true).create(true).open(ledger)?;
    let (mut input, mut out) = (BufReader::new(stdin()), Vec::new());
    let (mut line, mut events) = (String::new(), 0);
    while input.read_line(&mut line)? > 0 {
        let said: Value = serde_json::from_str(&line).context("the holder speaks JSON")?;
        line.clear();
        if said["method"] == "event" {
            events += 1;
            answer(&said["params"], answers, &mut out)?;
            if events == die_at {
                out.pop();
                stdout().write_all(&out)?;
                std::process::exit(7);
            }
        } else {
            note(&said, &mut ledger)?;
        }
        if input.buffer().is_empty() {
            stdout().write_all(&out)?;
            stdout().flush()?;
            out.clear();
        }
    }
    Ok(())
}

fn answer(event: &Value, answers: bool, out: &mut Vec<u8>) -> anyhow::Result<()> {
    let Some(id) = event["id"].as_str() else { return Ok(()) };
    if let (true, Some(text), "message") =
        (answers, event["text"].as_str(), event["type"].as_str().unwrap_or(""))
    {
        let params = json!({"to": id, "text": format!("echo: {text}"), "key": id, "wait_ms": 0});
        let call = json!({"jsonrpc": "2.0", "id": format!("reply {id}"), "method": "reply",
            "params": params});
        writeln!(out, "{call}")?;
    }
    let call = json!({"jsonrpc": "2.0", "id": format!("ack {id}"), "method": "ack",
        "params": {"id": id}});
    Ok(writeln!(out, "{call}")?)
}

fn note(said: &Value, ledger: &mut File) -> anyhow::Result<()> {
    if let Some(error) = said.get("error") {
        eprintln!("{error}");
    }
    match said["id"].as_str().and_then(|id| id.strip_prefix("ack ")) {
        Some(id) if said["result"]["acked"] == true => Ok(writeln!(ledger, "{id}")?),
        _ => Ok(()),
    }
}
