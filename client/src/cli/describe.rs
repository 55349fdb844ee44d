//! `completions`, `man`, `bot describe`: what this program says of itself.

use std::fs::{self, OpenOptions};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use crate::api;
use crate::commands::{self, Cli};
use crate::errors::Failure;
use crate::output::Out;
use crate::text::{self, screen};
use crate::tui::slash;

/// The program's name.
const NAME: &str = "staffetta";

/// `completions`
pub(super) fn completions(shell: Shell, out: &mut Out) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())
}

/// `man`
pub(super) fn man(dir: &Path) -> Result<(), Failure> {
    let write = || {
        fs::create_dir_all(dir)?;
        clap_mangen::generate_to(commands::command(), dir)?;
        let mut page = OpenOptions::new().append(true).open(dir.join(format!("{NAME}.1")))?;
        on_the_screen(screen::words()).to_writer(&mut page)
    };
    write().map_err(|error| {
        let why = text::man_not_written(&text::words::kind(error.kind()));
        Failure::refused(why, text::man_elsewhere())
    })
}

/// What the manual says of the screen, which the table of the command line knows nothing of: its keys
/// and its own commands.
fn on_the_screen(words: &screen::Words) -> Roff {
    let mut page = Roff::new();
    let item = |page: &mut Roff, term: &str, rest: &str, said: &str| {
        page.control("TP", []);
        page.text([bold(term), roman(rest)]).text([roman(said)]);
    };
    page.control("SH", [text::man_keys()]);
    for (key, said) in (words.keys)(screen::Place::Room) {
        item(&mut page, key, "", said);
    }
    page.control("SH", [text::man_commands()]).text([roman(text::man_how())]);
    for (usage, said) in slash::help(words) {
        let (name, rest) = usage.split_at(usage.find(' ').unwrap_or(usage.len()));
        item(&mut page, name, rest, said);
    }
    page.control("SH", [text::man_notice()]).text([roman(text::man_notice_how())]);
    page
}

/// `bot describe`
pub(super) fn api(out: &mut Out) -> Result<(), Failure> {
    let description = api::description(env!("CARGO_PKG_VERSION"));
    out.line(&format!("{description:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::screen::{EN, FR};

    #[test]
    fn every_slash_command_of_the_manual_is_understood() {
        for words in [&EN, &FR] {
            let page = on_the_screen(words).to_roff().replace("\\-", "-");
            let lines = page.lines().filter_map(|line| line.strip_prefix("\\fB/"));
            let usages: Vec<String> =
                lines.map(|line| format!("/{}", line.replacen("\\fR", "", 1))).collect();
            let table: Vec<String> =
                slash::help(words).into_iter().map(|(usage, _)| usage).collect();
            assert_eq!(usages, table, "{page}");
            for usage in usages {
                assert!(slash::tests::is_understood(&usage), "{usage}");
            }
        }
    }

    #[test]
    fn the_manual_has_a_page_for_each_command_and_the_first_one_knows_the_screen() {
        let dir = std::env::temp_dir().join(format!("staffetta-manual-{}", std::process::id()));
        for language in [text::Language::Fr, text::Language::En] {
            text::speak(language);
            man(&dir).unwrap();
            let first = fs::read_to_string(dir.join("staffetta.1")).unwrap();
            for word in ["/invite", "/approve", "F12", text::man_notice()] {
                assert!(first.contains(word), "{word}");
            }
            assert!(dir.join("staffetta-room-create.1").exists());
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
