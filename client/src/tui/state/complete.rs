//! Tab: the rest of a name, a room, a command or an emoji.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

use super::super::slash::TABLE;
use super::State;
use super::rooms::Section;

/// The most that is offered.
const OFFERED: usize = 8;

/// What Tab has found, and which of it stands in the line.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    found: Vec<String>,
    at: usize,
    /// The bytes before the cursor that it has put there.
    bytes: usize,
}

impl State {
    /// The next completion of the word before the cursor.
    pub(super) fn complete(&mut self) {
        let completion = match self.completion.take() {
            Some(mut known) => {
                known.at = (known.at + 1) % known.found.len().max(1);
                Some(known)
            }
            None => self.completions(),
        };
        let Some(mut completion) = completion else { return };
        let Some(chosen) = completion.found.get(completion.at).cloned() else { return };
        self.compose.line.replace(completion.bytes, &chosen);
        completion.bytes = chosen.len();
        if completion.found.len() > 1 {
            self.notice =
                Some(completion.found.iter().map(|it| it.trim()).collect::<Vec<_>>().join("  "));
        }
        self.completion = Some(completion);
    }

    fn completions(&self) -> Option<Completion> {
        let (before, _) = self.compose.line.around();
        let start = before.rfind([' ', '\n', '\t']).map_or(0, |at| at + 1);
        let word = before.get(start..)?;
        let mut letters = word.chars();
        let (kind, typed) = (letters.next()?, letters.as_str());
        let offer = |all: Vec<String>| -> Vec<String> {
            let mut matcher = Matcher::new(Config::DEFAULT);
            let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
            let found = pattern.match_list(all, &mut matcher);
            found.into_iter().map(|(text, _)| text).take(OFFERED).collect()
        };
        let found: Vec<String> = match kind {
            '@' => {
                let names = self.people.iter().filter(|it| !it.me).map(|it| it.name.line());
                offer(names.collect()).into_iter().map(|it| format!("@{it} ")).collect()
            }
            '#' => {
                let rooms = self.entries.iter().filter(|it| it.section == Section::Rooms);
                let names = offer(rooms.map(|it| it.name.line()).collect());
                names.into_iter().map(|it| format!("#{it} ")).collect()
            }
            '/' if start == 0 => {
                let names = TABLE.iter().map(|(_, name, _)| (*name).to_owned());
                let begin = names.filter(|name| name.starts_with(typed));
                begin.map(|name| format!("/{name} ")).collect()
            }
            ':' if !typed.is_empty() => {
                let emoji = self.words().emoji.iter();
                let named = emoji.filter(|(name, _)| name.starts_with(typed.trim_end_matches(':')));
                named.map(|(_, emoji)| format!("{emoji} ")).take(OFFERED).collect()
            }
            _ => return None,
        };
        (!found.is_empty()).then_some(Completion { found, at: 0, bytes: word.len() })
    }
}
