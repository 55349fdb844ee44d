//! `join`

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use crate::api::{self, Join, JoinStep, Profile};
use crate::commands::JoinArgs;
use crate::errors::Failure;
use crate::output::{Out, Paint, clean_line};
use crate::text;

/// Words of the team's root.
const ROOT_WORDS: usize = 24;
/// The most bytes that a file of root words has.
const MAX_WORDS_FILE: u64 = 1_024;

/// Redeems a code; ends inside the team, or after the five words with `--no-wait`.
pub(super) async fn join(args: JoinArgs, profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    let code = api::read_code(&args.code)?;
    let passphrase = profile.passphrase.new_profile()?;
    // A founder who cannot keep the root words must not found anything.
    let mut words_file = match &args.root_words_file {
        Some(path) => Some(root_words_file(path)?),
        None => None,
    };
    let wait = !args.no_wait;
    let join = Join { code: Some(code), name: args.name, device: args.device };
    let mut founded = false;
    let result = api::join(profile, passphrase, join, &mut |step| {
        founded |= matches!(step, JoinStep::Founded(_));
        say(step, wait, words_file.as_mut(), out)
    })
    .await;
    if let (Some(path), false) = (&args.root_words_file, founded) {
        // Made above and still empty: nobody should take it for the words.
        let empty = std::fs::metadata(path).is_ok_and(|it| it.len() == 0);
        let _ = if empty { std::fs::remove_file(path) } else { Ok(()) };
    }
    if let Some(api) = result? {
        api.close().await;
    }
    Ok(())
}

/// Says what happened, in the order of a person's needs.
fn say(
    step: JoinStep,
    wait: bool,
    words_file: Option<&mut File>,
    out: &mut Out,
) -> Result<ControlFlow<()>, Failure> {
    match step {
        JoinStep::Founded(words) => {
            match words_file {
                Some(file) => {
                    write_words(file, &words)?;
                    out.note(text::root_words_written());
                }
                None if out.style.json => {
                    let words: Vec<&str> = words.split_whitespace().collect();
                    out.json(json!({"state": "founded", "root_words": words}))?;
                }
                None => show_root_words(&words, out)?,
            }
            Ok(ControlFlow::Continue(()))
        }
        JoinStep::Waiting { words, inviter, team } => {
            if out.style.json {
                out.json(json!({
                    "state": "waiting", "words": words, "team": team, "inviter": inviter,
                }))?;
            } else {
                let (inviter, team) = (clean_line(&inviter), clean_line(&team));
                out.done(&text::joining(&team, &inviter))?;
                if let Some(words) = words {
                    out.done(&text::call(&inviter))?;
                    out.line("")?;
                    out.line(&format!("    {}", out.style.paint(Paint::Bold, &words.join(" "))))?;
                    out.line("")?;
                }
            }
            if wait {
                out.note(text::waiting());
                return Ok(ControlFlow::Continue(()));
            }
            out.note(text::not_waiting());
            Ok(ControlFlow::Break(()))
        }
        JoinStep::Joined { member, device, team } => {
            if out.style.json {
                out.json(json!({
                    "state": "joined", "member": member, "device": device, "team": team,
                }))?;
            } else {
                out.done(&text::joined(&clean_line(&team), &clean_line(&member)))?;
            }
            Ok(ControlFlow::Continue(()))
        }
    }
}

/// Four rows of six numbered words, as they are written on paper.
fn show_root_words(words: &str, out: &mut Out) -> Result<(), Failure> {
    out.note(text::root_words());
    out.line("")?;
    let words: Vec<&str> = words.split_whitespace().collect();
    for (row, words) in words.chunks(6).enumerate() {
        let numbered =
            words.iter().zip(row * 6 + 1..).map(|(word, n)| format!("{n:>2} {word:<10}"));
        out.line(format!("  {}", numbered.collect::<String>()).trim_end())?;
    }
    out.line("")
}

/// A new file that only its owner reads; one left empty by an interrupted attempt will do.
fn root_words_file(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| file_failed(&error))?;
    match file.metadata() {
        Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_WORDS_FILE => Err(exists()),
        Ok(metadata) if metadata.len() == 0 => Ok(file),
        Ok(_) if words_in(&file)?.split_whitespace().count() == ROOT_WORDS => Ok(file),
        Ok(_) => Err(exists()),
        Err(error) => Err(file_failed(&error)),
    }
}

/// What the file holds: an attempt that was interrupted after the words were written has left
/// them there.
fn words_in(mut file: &File) -> Result<Zeroizing<String>, Failure> {
    let mut held = Zeroizing::new(String::with_capacity(MAX_WORDS_FILE as usize));
    file.read_to_string(&mut held).map_err(|error| file_failed(&error))?;
    file.rewind().map_err(|error| file_failed(&error))?;
    Ok(held)
}

/// Writes the words, unless they are what the file holds already.
fn write_words(file: &mut File, words: &str) -> Result<(), Failure> {
    let held = words_in(file)?;
    if held.split_whitespace().eq(words.split_whitespace()) {
        return Ok(());
    }
    if !held.is_empty() {
        return Err(exists());
    }
    file.write_all(words.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .map_err(|error| file_failed(&error))
}

fn exists() -> Failure {
    Failure::refused(text::root_words_file_exists(), text::other_root_words_file())
}

fn file_failed(error: &std::io::Error) -> Failure {
    Failure::refused(
        text::root_words_file_failed(&text::words::kind(error.kind())),
        text::other_root_words_file(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;
    use crate::output::tests::captured;
    use serde_json::Value;

    fn waiting() -> JoinStep {
        let words = ["citron", "ardoise", "volcan", "piano", "balcon"].map(String::from).to_vec();
        JoinStep::Waiting {
            words: Some(words),
            inviter: "Karim\u{1b}[2J".into(),
            team: "Campagne".into(),
        }
    }

    #[test]
    fn a_newcomer_reads_whom_to_call_and_the_five_words() {
        let (mut out, stdout, stderr) = captured(Style::default());
        assert!(say(waiting(), true, None, &mut out).unwrap().is_continue());
        assert!(stdout.text().contains("Call Karim"));
        assert!(stdout.text().contains("citron ardoise volcan piano balcon"));
        assert!(!stdout.text().contains('\u{1b}'));
        assert!(stderr.text().contains("Waiting"));
    }

    #[test]
    fn scripts_read_one_object_a_state() {
        let (mut out, stdout, _) = captured(Style { json: true, ..Style::default() });
        let _ = say(waiting(), true, None, &mut out).unwrap();
        let joined =
            JoinStep::Joined { member: "Lea".into(), device: "ab".into(), team: "C".into() };
        let _ = say(joined, true, None, &mut out).unwrap();
        let lines: Vec<Value> =
            stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["state"], "waiting");
        assert_eq!(lines[0]["words"].as_array().unwrap().len(), 5);
        assert_eq!(lines[1]["state"], "joined");
    }

    #[test]
    fn no_wait_stops_after_the_words() {
        let (mut out, _, _) = captured(Style::default());
        assert!(say(waiting(), false, None, &mut out).unwrap().is_break());
    }

    #[test]
    fn an_invite_that_approves_by_itself_has_no_words() {
        let (mut out, stdout, _) = captured(Style::default());
        let step = JoinStep::Waiting { words: None, inviter: "Karim".into(), team: "C".into() };
        assert!(say(step, true, None, &mut out).unwrap().is_continue());
        assert!(!stdout.text().contains("Call"));
    }

    #[test]
    fn root_words_are_shown_once_and_numbered() {
        let words: Vec<String> = (1..=24).map(|n| format!("word{n}")).collect();
        let words = Zeroizing::new(words.join(" "));
        let (mut out, stdout, _) = captured(Style::default());
        let _ = say(JoinStep::Founded(words), true, None, &mut out).unwrap();
        assert!(stdout.text().contains(" 1 word1"));
        assert!(stdout.text().contains("24 word24\n"));
    }
}
