use serde_json::json;

use super::*;

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn control(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

fn type_in(state: &mut State, text: &str) {
    for c in text.chars() {
        assert!(update(state, key(KeyCode::Char(c))).is_empty());
    }
}

fn message(id: &str, room: &str, seq: u64, text: &str) -> Value {
    json!({"type": "message", "id": id, "room": room, "from": "Karim", "verified": true,
        "seq": seq, "text": text, "own": false})
}

/// Two rooms, the first one open.
fn two_rooms() -> State {
    let mut state = State::default();
    update(&mut state, Event::Status(json!({"team": "T", "member": "Lea", "connected": true})));
    let rooms = json!([
        {"name": "general", "members": 3, "unread": 0}, {"name": "press", "members": 2, "unread": 4},
    ]);
    let effects = update(&mut state, Event::Rooms(rooms));
    assert_eq!(effects, [Effect::Open("general".into())]);
    state
}

fn sending(text: &str) -> Vec<Effect> {
    vec![Effect::Send { room: "general".into(), text: text.into() }]
}

fn texts(state: &State, room: &str) -> Vec<String> {
    state.history[room].iter().map(|message| message.text.clone()).collect()
}

#[test]
fn enter_sends_what_was_typed_and_empties_the_line() {
    let mut state = two_rooms();
    type_in(&mut state, "salut");
    assert_eq!(update(&mut state, key(KeyCode::Enter)), sending("salut"));
    assert_eq!(state.input.text(), "");
    assert!(update(&mut state, key(KeyCode::Enter)).is_empty());
}

#[test]
fn alt_enter_and_paste_make_one_message_of_several_lines() {
    let mut state = two_rooms();
    type_in(&mut state, "a");
    update(&mut state, Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT)));
    update(&mut state, Event::Paste("b\r\nc\u{1b}[2J".into()));
    let effects = update(&mut state, key(KeyCode::Enter));
    let [Effect::Send { text, .. }] = effects.as_slice() else { panic!("nothing sent") };
    assert!(text.starts_with("a\nb\nc") && !text.contains('\u{1b}'));
}

#[test]
fn a_mistyped_command_is_never_sent() {
    let mut state = two_rooms();
    type_in(&mut state, "/qiut");
    assert!(update(&mut state, key(KeyCode::Enter)).is_empty());
    assert!(state.notice.as_deref().unwrap().contains("Nothing was sent"));
    assert_eq!(state.input.text(), "/qiut");
}

#[test]
fn two_slashes_send_one() {
    let mut state = two_rooms();
    type_in(&mut state, "//etc");
    assert_eq!(update(&mut state, key(KeyCode::Enter)), sending("/etc"));
}

#[test]
fn ctrl_c_never_quits_and_ctrl_q_does() {
    let mut state = two_rooms();
    assert!(update(&mut state, control('c')).is_empty());
    assert_eq!(update(&mut state, control('q')), [Effect::Quit]);
    type_in(&mut state, "/quit");
    assert_eq!(update(&mut state, key(KeyCode::Enter)), [Effect::Quit]);
}

#[test]
fn a_message_is_queued_until_it_came_back() {
    let mut state = two_rooms();
    let answer = json!({"id": "m1", "seq": null, "state": "queued"});
    update(&mut state, Event::Sent("general".into(), "hello".into(), Ok(answer)));
    assert_eq!(state.history["general"][0].seq, None);
    assert!(state.history["general"][0].own);
    update(&mut state, Event::Agent(message("m2", "general", 5, "before")));
    assert_eq!(texts(&state, "general"), ["before", "hello"]);
    update(&mut state, Event::Agent(json!({"type": "sent", "id": "m1", "seq": 4})));
    assert_eq!(texts(&state, "general"), ["hello", "before"]);
    assert_eq!(state.history["general"][0].seq, Some(4));
}

#[test]
fn the_answer_of_send_may_come_after_the_echo() {
    let mut state = two_rooms();
    let mut echo = message("m1", "general", 4, "hello");
    echo["own"] = true.into();
    update(&mut state, Event::Agent(echo));
    let answer = json!({"id": "m1", "seq": null, "state": "queued"});
    update(&mut state, Event::Sent("general".into(), "hello".into(), Ok(answer)));
    assert_eq!(state.history["general"].len(), 1);
    assert_eq!(state.history["general"][0].seq, Some(4));
}

#[test]
fn what_could_not_be_queued_goes_back_to_the_line() {
    let mut state = two_rooms();
    update(&mut state, Event::Sent("general".into(), "hello".into(), Err("no such room".into())));
    assert_eq!(state.input.text(), "hello");
    assert_eq!(state.notice.as_deref(), Some("no such room"));
    state.input.clear();
    undo(&mut state, Effect::Send { room: "general".into(), text: "again".into() });
    assert_eq!(state.input.text(), "again");
}

#[test]
fn messages_elsewhere_count_as_unread_and_ctrl_n_goes_there() {
    let mut state = two_rooms();
    assert!(update(&mut state, Event::Agent(message("m1", "press", 5, "x"))).is_empty());
    assert_eq!(state.rooms[1].unread, 5);
    assert_eq!(update(&mut state, control('n')), [Effect::Open("press".into())]);
    assert_eq!((state.current.as_str(), state.rooms[1].unread), ("press", 0));
    let seen = update(&mut state, Event::Agent(message("m2", "press", 6, "y")));
    assert_eq!(seen, [Effect::Open("press".into())]);
}

#[test]
fn up_and_down_go_through_the_rooms_and_stop_at_the_ends() {
    let mut state = two_rooms();
    assert!(update(&mut state, key(KeyCode::Up)).is_empty());
    assert_eq!(update(&mut state, key(KeyCode::Down)), [Effect::Open("press".into())]);
    assert!(update(&mut state, key(KeyCode::Down)).is_empty());
}

#[test]
fn a_room_we_were_added_to_is_asked_for() {
    let mut state = two_rooms();
    let effects = update(&mut state, Event::Agent(message("m1", "legal", 9, "x")));
    assert_eq!(effects, [Effect::Rooms]);
    assert_eq!(update(&mut state, Event::Agent(json!({"type": "room"}))), [Effect::Rooms]);
}

#[test]
fn the_screens_memory_is_bounded() {
    let mut state = two_rooms();
    for seq in 0..KEPT as u64 + 10 {
        update(&mut state, Event::Agent(message(&seq.to_string(), "general", seq, "x")));
    }
    assert_eq!(state.history["general"].len(), KEPT);
    assert_eq!(state.history["general"][0].seq, Some(10));
}

#[test]
fn connection_and_alarms_are_shown_and_alarms_stay() {
    let mut state = two_rooms();
    update(&mut state, Event::Agent(json!({"type": "connection", "state": "offline"})));
    update(&mut state, Event::Agent(json!({"type": "alarm", "text": "two\u{1b} pasts"})));
    type_in(&mut state, "x");
    assert_eq!(state.connection, "offline");
    assert!(!state.alarm.as_deref().unwrap().contains('\u{1b}'));
}

#[test]
fn after_a_gap_the_open_room_is_read_again() {
    let mut state = two_rooms();
    let effects = update(&mut state, Event::Agent(json!({"v": 1, "type": "gap"})));
    assert_eq!(effects, [Effect::Rooms, Effect::Open("general".into())]);
}
