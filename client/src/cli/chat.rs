//! `send`, `read`

use std::ffi::OsString;
use std::io::{self, Read};

use serde_json::{Map, Value};

use super::team::painted_trust;
use super::{PATIENCE_MS, items, refresh};
use crate::api::{ApiError, Calls, MAX_TEXT};
use crate::commands::{ReadArgs, SendArgs};
use crate::errors::Failure;
use crate::output::{Out, Paint, clean_block, clean_line, is_set, line_of, word_of};
use crate::{text, time};

/// A message that passed every check that needs no profile.
pub(super) struct Outgoing {
    room: String,
    text: String,
    reply_to: Option<String>,
    wait: bool,
}

impl Outgoing {
    /// Takes the message from the arguments or standard input, which `stdin_taken` says the
    /// passphrase comes from.
    ///
    /// # Errors
    /// Empty, not UTF-8 or too long: 1. Standard input wanted twice: 2.
    pub(super) fn take(args: SendArgs, stdin_taken: bool) -> Result<Self, Failure> {
        Ok(Self {
            room: args.room,
            text: take_text(args.text, stdin_taken)?,
            reply_to: args.reply_to,
            wait: !args.no_wait,
        })
    }
}

/// A text of the command line, or of standard input if it is `-`.
///
/// # Errors
/// As [`Outgoing::take`].
pub(super) fn take_text(text: OsString, stdin_taken: bool) -> Result<String, Failure> {
    if text != "-" {
        return check(text.into_encoded_bytes());
    }
    if stdin_taken {
        return Err(Failure::usage(text::stdin_twice(), text::stdin_once()));
    }
    check(from(&mut io::stdin().lock())?)
}

/// Reads a message, which loses one final newline; not more than shows that it is too long.
fn from(reader: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader.take(MAX_TEXT as u64 + 2).read_to_end(&mut bytes).map_err(|error| {
        Failure::refused(
            text::stdin_unreadable(&text::words::kind(error.kind())),
            text::nothing_sent(),
        )
    })?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

fn check(bytes: Vec<u8>) -> Result<String, Failure> {
    if bytes.is_empty() {
        return Err(Failure::refused(text::text_empty(), text::nothing_sent()));
    }
    if bytes.len() > MAX_TEXT {
        return Err(Failure::refused(text::text_long(MAX_TEXT), text::nothing_sent()));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::refused(text::text_not_utf8(), text::nothing_sent()))
}

/// `send`
pub(super) async fn send(
    message: Outgoing,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    let mut params = Map::new();
    params.insert("room".into(), message.room.clone().into());
    params.insert("text".into(), message.text.into());
    params.insert("wait_ms".into(), if message.wait { PATIENCE_MS } else { 0 }.into());
    if let Some(id) = message.reply_to {
        params.insert("reply_to".into(), id.into());
    }
    let said = match message.wait {
        true => text::sent(&clean_line(&message.room)),
        false => text::queued().to_owned(),
    };
    answered(api.call("send", Value::Object(params)).await, &said, out)
}

/// Prints the answer to something sent.
pub(super) fn answered(
    answer: Result<Value, ApiError>,
    said: &str,
    out: &mut Out,
) -> Result<(), Failure> {
    match answer {
        Ok(answer) if out.style.json => out.json(answer),
        Ok(_) => out.done(said),
        Err(error) => {
            // Queued all the same: a script must learn the id.
            if out.style.json && error.data.get("id").is_some() {
                out.json(error.data.clone())?;
            }
            Err(error.into())
        }
    }
}

/// `read`
pub(super) async fn read(args: ReadArgs, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let mut params = Map::new();
    params.insert("unread".into(), args.unread.into());
    params.insert("limit".into(), args.limit.into());
    params.insert("mark_read".into(), args.mark_read.into());
    let one_room = args.room.is_some();
    for (name, value) in [("room", args.room), ("since", args.since)] {
        if let Some(value) = value {
            params.insert(name.into(), value.into());
        }
    }
    let messages = items(api.call("read", Value::Object(params)).await?)?;
    messages.into_iter().try_for_each(|message| print(message, one_room, out))
}

/// One event as a line of JSON, or as people read it; kinds we do not know are for scripts only.
pub(super) fn print(event: Value, one_room: bool, out: &mut Out) -> Result<(), Failure> {
    if out.style.json {
        return out.json(event);
    }
    match line_of(&event, "type").as_str() {
        "message" | "file" => message(&event, one_room, out),
        "edit" | "delete" | "reaction" => change(&event, one_room, out),
        "gap" if event.get("missing").is_some() => {
            let missing = event.get("missing").and_then(Value::as_u64).unwrap_or_default();
            let (from, room) = (line_of(&event, "from"), line_of(&event, "room"));
            out.warn(&text::missing(missing, &from, &room));
            Ok(())
        }
        "connection" => {
            out.note(&text::connection(&word_of(&event, "state")));
            Ok(())
        }
        "alarm" => {
            out.warn(&text::alarm(&text::said(&line_of(&event, "text"))));
            Ok(())
        }
        "notice" => {
            let wait = event.get("retry_ms").and_then(Value::as_u64).unwrap_or(0);
            out.note(&text::relay_says(&word_of(&event, "text"), wait));
            Ok(())
        }
        "asking" => {
            let id = line_of(&event, "id");
            let short: String = id.chars().take(8).collect();
            out.note(&text::asks(&line_of(&event, "name"), &short));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `2027-04-25 09:12  general  v Karim  text`, further lines of the text indented.
fn message(event: &Value, one_room: bool, out: &mut Out) -> Result<(), Failure> {
    let style = out.style;
    let mut head = vec![style.paint(Paint::Dim, &time::minute(&line_of(event, "sent_at")))];
    if style.verbose {
        head.push(style.paint(Paint::Dim, &line_of(event, "id")));
    }
    if !one_room {
        head.push(line_of(event, "room"));
    }
    let from = style.paint(Paint::Bold, &line_of(event, "from"));
    head.push(format!("{} {from}", painted_trust(event, out)));
    let body = body_of(event).replace('\n', "\n    ");
    let edited = if is_set(event, "edited") { text::is_edited() } else { "" };
    out.line(&format!("{}  {body}{edited}", head.join("  ")))
}

/// What a message says: its text, or which file it brings.
pub(super) fn body_of(event: &Value) -> String {
    if line_of(event, "type") != "file" {
        return event.get("text").and_then(Value::as_str).map(clean_block).unwrap_or_default();
    }
    let size = event.get("size").and_then(Value::as_u64).unwrap_or_default();
    let id: String = line_of(event, "id").chars().take(8).collect();
    text::file(&line_of(event, "name"), size, &id)
}

/// `2027-04-25 09:12  general  v Karim  edited 1a2b3c4d: text`
fn change(event: &Value, one_room: bool, out: &mut Out) -> Result<(), Failure> {
    let target: String = line_of(event, "target").chars().take(8).collect();
    let what = match line_of(event, "type").as_str() {
        "edit" => text::edited(&target, &line_of(event, "text")),
        "delete" => text::deleted(&target),
        _ => text::reacted(&target, &line_of(event, "emoji")),
    };
    let time = time::minute(&line_of(event, "sent_at"));
    let mut head = vec![out.style.paint(Paint::Dim, &time)];
    if !one_room {
        head.push(line_of(event, "room"));
    }
    head.push(out.style.paint(Paint::Bold, &line_of(event, "from")));
    out.line(&format!("{}  {what}", head.join("  ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &[u8]) -> Result<String, u8> {
        check(text.to_vec()).map_err(|failure| failure.exit())
    }

    #[test]
    fn a_text_has_1_to_24000_bytes_of_utf8() {
        assert_eq!(taken(b"hello"), Ok("hello".into()));
        assert!(taken(&[b'a'; MAX_TEXT]).is_ok());
        assert_eq!(taken(&[b'a'; MAX_TEXT + 1]), Err(1));
        assert_eq!(taken(b""), Err(1));
        assert_eq!(taken(&[0xff, 0xfe]), Err(1));
    }

    #[test]
    fn standard_input_loses_one_final_newline() {
        assert_eq!(from(&mut &b"two\nlines\n"[..]).unwrap(), b"two\nlines");
        assert_eq!(from(&mut &b"blank\n\n"[..]).unwrap(), b"blank\n");
        assert_eq!(from(&mut &b"none"[..]).unwrap(), b"none");
        assert_eq!(from(&mut &b"\n"[..]).unwrap(), b"");
    }

    #[test]
    fn the_longest_text_fits_with_its_newline_and_no_more_is_read() {
        let longest = [&[b'a'; MAX_TEXT][..], b"\n"].concat();
        assert!(check(from(&mut longest.as_slice()).unwrap()).is_ok());
        let endless = &mut io::repeat(b'a');
        assert_eq!(check(from(endless).unwrap()).err().unwrap().exit(), 1);
    }

    #[test]
    fn standard_input_is_not_read_twice() {
        let args =
            SendArgs { room: "general".into(), text: "-".into(), reply_to: None, no_wait: false };
        assert_eq!(Outgoing::take(args, true).err().unwrap().exit(), 2);
    }
}
