//! Any keys and any events, in any order.

use proptest::prelude::*;

use super::*;
use crate::api::read_code;

/// The steps of one run; with the number of runs they are 10^5.
const STEPS: usize = 200;
const RUNS: u32 = 500;

fn events() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop_oneof![
            4 => prop::char::range(' ', '~').prop_map(KeyCode::Char),
            1 => any::<char>().prop_map(KeyCode::Char),
            6 => prop::sample::select(vec![
                KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::Backspace, KeyCode::Up,
            ]),
        ]
        .prop_map(Step::Key),
        1 => prop::sample::select(vec!['u', 'c', 'x']).prop_map(Step::Control),
        2 => ".{0,80}".prop_map(Step::Paste),
        3 => Just(Step::Code),
        3 => any::<bool>().prop_map(Step::Looked),
        1 => any::<bool>().prop_map(Step::Waiting),
        1 => Just(Step::Founded),
        2 => prop::sample::select(vec![1, 69, 75, 77]).prop_map(Step::Failed),
    ]
}

/// An event that can be shown when a run fails.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode),
    Control(char),
    Paste(String),
    Code,
    Looked(bool),
    Waiting(bool),
    Founded,
    Failed(u8),
}

impl Step {
    /// Answers come to who has asked.
    fn can_happen(&self, page: Page) -> bool {
        match self {
            Self::Looked(_) => page == Page::Looking,
            Self::Waiting(_) | Self::Founded | Self::Failed(_) => {
                matches!(page, Page::Working | Page::Words)
            }
            _ => true,
        }
    }
}

impl From<Step> for Event {
    fn from(step: Step) -> Self {
        match step {
            Step::Key(code) => key(code),
            Step::Control(c) => control(c),
            Step::Paste(text) => Self::Paste(text),
            Step::Code => Self::Paste(code()),
            Step::Looked(true) => Self::Looked(Ok(invited(Some("Karim")))),
            Step::Looked(false) => Self::Looked(Err(Said { exit: 1, lines: vec!["No.".into()] })),
            Step::Waiting(words) => {
                Self::Waiting(invited(Some("Karim")), words.then(|| vec!["word".into(); 5]))
            }
            Step::Founded => Self::Founded(Zeroizing::new("word ".repeat(24))),
            Step::Failed(exit) => failed(exit),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: RUNS, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_only_what_was_agreed_to_is_asked_for(
        steps in prop::collection::vec(events(), STEPS),
    ) {
        let mut state = proposed();
        let mut known = false;
        for step in steps {
            let before = state.page;
            if !step.can_happen(before) {
                continue;
            }
            let dropped = matches!(before, Page::Looking | Page::Working | Page::Words);
            let typed = matches!(step, Step::Key(_) | Step::Paste(_) | Step::Code);
            match update(&mut state, step.into()) {
                Some(Effect::Join { code, name, passphrase }) => {
                    prop_assert!(matches!(before, Page::Name | Page::Passphrase | Page::Again));
                    prop_assert!(code.is_empty() || read_code(&code).is_ok());
                    prop_assert!(before == Page::Again || check_name(&name).is_ok());
                    prop_assert!(passphrase.is_some() || known);
                    if let Some(passphrase) = passphrase {
                        prop_assert!(passphrase.chars().count() >= MIN_CHARS);
                        known = true;
                    }
                }
                Some(Effect::Look(code)) => prop_assert!(read_code(&code).is_ok()),
                Some(Effect::Quit | Effect::Enter) => prop_assert!(false, "nobody asked for it"),
                Some(Effect::Written) => prop_assert_eq!(before, Page::RootWords),
                None => prop_assert!(!(dropped && typed) || state.page == before),
            }
        }
    }
}
