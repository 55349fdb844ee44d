use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use super::super::state::{Event, update};
use super::*;

fn shown(state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().to_string()
}

fn talking() -> State {
    let mut state = State::default();
    update(
        &mut state,
        Event::Status(json!({"team": "Campagne", "member": "Lea", "connected": true})),
    );
    update(&mut state, Event::Rooms(json!([{"name": "general", "members": 3, "unread": 0}])));
    for (id, from, verified, seq) in [("a", "Karim", true, Some(1)), ("b", "Paul", false, Some(2))]
    {
        let event = json!({"type": "message", "id": id, "room": "general", "from": from,
            "verified": verified, "sent_at": "2027-04-25T09:12:03Z", "seq": seq,
            "text": format!("{from} speaks"), "own": false});
        update(&mut state, Event::Agent(event));
    }
    let answer = json!({"id": "c", "seq": null});
    update(&mut state, Event::Sent("general".into(), "on it".into(), Ok(answer)));
    state
}

#[test]
fn people_rooms_trust_and_delivery_are_on_the_screen() {
    let screen = shown(&talking(), 80, 24);
    for part in [
        "online | Campagne",
        "Lea",
        "general | 3 people",
        "v Karim",
        "! Paul",
        "not verified",
        "on it",
        "(queued)",
        "Write to general",
        "^Q quit",
    ] {
        assert!(screen.contains(part), "{part} is missing from\n{screen}");
    }
}

#[test]
fn a_narrow_screen_has_no_side_bar_and_keeps_how_to_quit() {
    let screen = shown(&talking(), 60, 20);
    assert!(screen.contains("v Karim") && screen.contains("^Q quit"));
    assert!(!screen.contains("Alt-Enter"));
}

#[test]
fn no_size_is_too_small_to_draw() {
    let mut state = talking();
    state.scroll = 1000;
    update(&mut state, Event::Paste("many words\n".repeat(40)));
    for (width, height) in [(1, 1), (2, 3), (10, 4), (71, 6), (72, 5), (200, 50)] {
        shown(&state, width, height);
    }
}

#[test]
fn rows_are_cut_by_columns_not_bytes() {
    assert_eq!(wrap("abcdef", 4), ["abcd", "ef"]);
    assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    assert_eq!(wrap("", 4), [""]);
    assert_eq!(wrap("a\tb", 8), ["a    b"]);
    assert_eq!(wrap("日", 1), ["日"]);
}
