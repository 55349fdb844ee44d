//! Any keys and any events, in any order.

use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use super::world::{World, message, no, rooms, team};
use crate::tui::key::{Code, Mouse};

/// The steps of one run; with the number of runs they are 10^5.
const STEPS: usize = 500;
const RUNS: u32 = 200;

fn codes() -> impl Strategy<Value = Key> {
    let code = prop_oneof![
        8 => prop::char::range(' ', '~').prop_map(Code::Char),
        1 => any::<char>().prop_map(Code::Char),
        2 => prop::sample::select(vec!['/', '@', '#', ':', 'y', 'q']).prop_map(Code::Char),
        6 => prop::sample::select(vec![
            Code::Enter, Code::Esc, Code::Tab, Code::Backspace, Code::Delete, Code::Left,
            Code::Right, Code::Up, Code::Down, Code::Home, Code::End, Code::PageUp,
            Code::PageDown, Code::F(1), Code::F(9), Code::F(12),
        ]),
    ];
    (code, prop::bool::weighted(0.15), prop::bool::weighted(0.05))
        .prop_map(|(code, control, alt)| Key { code, control, alt })
}

fn events() -> impl Strategy<Value = Event> {
    let id = || (0..40_u64).prop_map(|n| format!("m{n}"));
    let room = || prop::sample::select(vec!["general", "press", "legal", "nowhere"]);
    let said = (id(), room(), 0..40_u64, ".{0,60}", any::<bool>())
        .prop_map(|(id, room, seq, text, own)| message(&id, room, seq, &text, own));
    let about = (
        prop::sample::select(vec![
            "edit",
            "delete",
            "reaction",
            "sent",
            "stored",
            "receipt",
            "progress",
            "gap",
            "connection",
            "alarm",
            "notice",
            "asking",
            "member",
            "room",
            "locked",
            "unlocked",
            "odd",
        ]),
        id(),
        any::<bool>(),
    )
        .prop_map(|(kind, id, own)| {
            json!({"type": kind, "id": id, "target": id, "text": "t", "emoji": "x", "seq": 3,
                "own": own, "state": "online", "missing": 1, "room": "general",
                "room_id": "id-general"})
        });
    prop_oneof![
        40 => codes().prop_map(Event::Key),
        4 => ".{0,80}".prop_map(Event::Paste),
        1 => (0..40_usize).prop_map(|n| Event::Paste("line\n".repeat(n))),
        2 => (0..200_u16, 0..60_u16).prop_map(|(column, row)| {
            Event::Mouse(Mouse::Press { column, row })
        }),
        1 => any::<bool>().prop_map(|up| Event::Mouse(if up { Mouse::Up } else { Mouse::Down })),
        1 => (1..210_u16, 1..60_u16)
            .prop_map(|(width, height)| Event::Resize(Size { width, height })),
        8 => said.prop_map(Event::Agent),
        8 => about.prop_map(Event::Agent),
        1 => Just(Event::Minute("2027-04-25T09:59:00Z".into())),
        1 => any::<bool>().prop_map(Event::Focus),
        1 => Just(Event::Quiet),
        1 => Just(Event::Answer(Ask::Rooms, Ok(rooms()))),
        1 => Just(Event::Answer(Ask::Team, Ok(team()))),
    ]
}

/// Everything that is written and not sent.
fn written(state: &State) -> Vec<String> {
    let mut all: Vec<String> = state.drafts.values().cloned().collect();
    all.push(state.compose.line.text());
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: RUNS, ..ProptestConfig::default() })]

    /// No panic, no message sent that was not entered, and none lost that was not sent.
    #[test]
    fn whatever_happens_nothing_is_sent_that_was_not_entered_and_no_draft_is_lost(
        events in prop::collection::vec(events(), STEPS),
        refuse in prop::collection::vec(any::<bool>(), 64),
    ) {
        let mut world = World::new();
        let mut refusals = refuse.into_iter().cycle();
        for event in events {
            let entered = world.state.compose.line.text();
            let asked = matches!(event, Event::Key(_));
            let before = world.state.current.clone();
            let edits = matches!(world.state.compose.about, About::Edit(_));
            let drafts = world.state.drafts.clone();
            let is_key = matches!(event, Event::Key(_) | Event::Paste(_));
            let effects = update(&mut world.state, event);
            for effect in effects {
                let Effect::Call { ask, method, params, .. } = effect else { continue };
                if method == "send" || method == "edit" {
                    prop_assert!(asked, "sent without a key");
                    let text = params["text"].as_str().unwrap_or_default();
                    prop_assert!(
                        entered == text || entered.strip_prefix('/') == Some(text),
                        "{entered:?} became {text:?}"
                    );
                }
                if matches!(ask, Ask::Send { .. }) && refusals.next() == Some(true) {
                    let Ask::Send { text, .. } = &ask else { continue };
                    let text = text.clone();
                    update(&mut world.state, Event::Answer(ask, Err(no("no"))));
                    prop_assert!(written(&world.state).iter().any(|it| it.contains(&text)));
                }
            }
            // What is not open keeps its draft, whatever is done elsewhere.
            for (key, draft) in drafts {
                if key == world.state.current || key == before {
                    continue;
                }
                let kept = world.state.drafts.get(&key).map(String::as_str).unwrap_or_default();
                prop_assert!(kept.starts_with(&draft), "{draft:?} became {kept:?}");
            }
            // What is not done by a key takes nothing out of the line.
            if !is_key && !edits && before == world.state.current {
                prop_assert!(written(&world.state).contains(&entered) || entered.is_empty());
            }
        }
    }
}
