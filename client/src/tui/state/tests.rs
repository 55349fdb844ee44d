mod fuzz;
mod people;
pub(in crate::tui) mod world;

use serde_json::json;

use self::world::{World, control, message};
use super::super::key::Code;
use super::panel::Panel;
use super::timeline::Delivery;
use super::*;

#[test]
fn enter_sends_what_was_typed_and_empties_the_line() {
    let mut world = World::new();
    world.types("salut");
    assert_eq!(world.press(Code::Enter), [world::send("general", "salut")]);
    assert!(world.state.compose.line.is_empty());
    assert!(world.press(Code::Enter).is_empty());
}

#[test]
fn several_lines_and_a_pasted_block_are_one_message() {
    let mut world = World::new();
    world.types("a");
    world.key(Key { code: Code::Enter, control: false, alt: true });
    world.paste("b\r\nc\u{1b}[2J");
    let effects = world.press(Code::Enter);
    let [Effect::Call { params, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let text = params["text"].as_str().unwrap();
    assert!(text.starts_with("a\nb\nc") && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_long_paste_is_asked_about_first() {
    let mut world = World::new();
    let long = "line\n".repeat(200);
    world.paste(&long);
    assert!(world.state.compose.line.is_empty());
    assert!(matches!(world.state.panel, Some(Panel::Confirm(_))));
    world.press(Code::Esc);
    assert!(world.state.panel.is_none() && world.state.compose.line.is_empty());
    world.paste(&long);
    world.press(Code::Enter);
    assert_eq!(world.state.compose.line.text().lines().count(), 200);
    assert!(world.sent().is_empty());
}

#[test]
fn a_pasted_invitation_is_sent_to_nobody_without_a_question() {
    let mut world = World::new();
    world.paste(&format!("here: {}", world::invitation()));
    assert!(world.press(Code::Enter).is_empty());
    assert!(matches!(world.state.panel, Some(Panel::Confirm(_))));
    // Enter alone is no yes.
    assert!(world.press(Code::Enter).is_empty());
    assert!(world.state.panel.is_none() && !world.state.compose.line.is_empty());
    world.press(Code::Enter);
    let effects = world.press(Code::Char('y'));
    assert!(matches!(effects.as_slice(), [Effect::Call { method: "send", .. }]), "{effects:?}");
}

#[test]
fn a_mistyped_command_sends_nothing_and_stays_to_be_mended() {
    let mut world = World::new();
    world.types("/invtie");
    assert!(world.press(Code::Enter).is_empty());
    let said = world.state.notice.clone().unwrap();
    assert_eq!(said, "Did you mean /invite? Nothing was sent.");
    assert_eq!(world.state.compose.line.text(), "/invtie");
    world.clear();
    world.types("//invite");
    assert_eq!(world.press(Code::Enter), [world::send("general", "/invite")]);
}

#[test]
fn news_stand_behind_the_answer_to_a_command_and_not_in_its_place() {
    let mut world = World::new();
    let came =
        |room: &str| json!({"type": "member", "change": "joined", "member": "Nora", "room": room});
    world.answer(Ask::Act("Nora is in.".into()), Ok(json!({})));
    for room in ["general", "press"] {
        world.hears(came(room));
    }
    assert_eq!(world.state.notice.as_deref(), Some("Nora is in. Nora is now in press."));
    world.hears(json!({"type": "asking", "name": "Paul"}));
    assert_eq!(world.state.notice.as_deref(), Some("Nora is in. Paul asks to come in: /approve"));
    world.types("a");
    assert!(world.state.notice.is_none());
    world.hears(came("press"));
    assert_eq!(world.state.notice.as_deref(), Some("Nora is now in press."));
}

#[test]
fn what_was_not_sent_goes_back_where_it_was_written() {
    let mut world = World::new();
    world.types("precious");
    let ask = world::asked(&world.press(Code::Enter));
    world.answer(ask.clone(), Err(world::no("the relay is on fire")));
    assert_eq!(world.state.compose.line.text(), "precious");
    assert!(world.state.notice.as_deref().unwrap().contains("on fire"));
    // Meanwhile something else was begun, here or elsewhere.
    let ask = world::asked(&world.press(Code::Enter));
    world.types("new");
    world.answer(ask.clone(), Err(world::no("no")));
    assert_eq!(world.state.compose.line.text(), "new\nprecious");
    world.open("press");
    world.answer(ask, Err(world::no("no")));
    assert_eq!(world.state.drafts["id-general"], "new\nprecious\nprecious");
}

#[test]
fn a_draft_stays_in_its_room_and_outlives_the_screen() {
    let mut world = World::new();
    world.types("half a thought");
    world.open("press");
    assert!(world.state.compose.line.is_empty());
    world.types("other");
    let effects = update(&mut world.state, Event::Quiet);
    let [Effect::Call { method: "screen", params, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    // Kept once, not again and again.
    assert!(update(&mut world.state, Event::Quiet).is_empty());
    let kept = json!({"kept": params["put"]});
    let mut again = World::empty();
    again.answer(Ask::Kept, Ok(kept));
    again.rooms();
    assert_eq!(again.state.current, "id-press");
    assert_eq!(again.state.compose.line.text(), "other");
    again.open("general");
    assert_eq!(again.state.compose.line.text(), "half a thought");
}

#[test]
fn up_in_an_empty_line_changes_the_last_own_message() {
    let mut world = World::new();
    world.hears(message("a", "general", 1, "mine", true));
    world.hears(message("b", "general", 2, "theirs", false));
    world.press(Code::Up);
    assert_eq!(world.state.compose.line.text(), "mine");
    world.types("!");
    let effects = world.press(Code::Enter);
    let [Effect::Call { method: "edit", params, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((params["id"].as_str(), params["text"].as_str()), (Some("a"), Some("mine!")));
    world.press(Code::Up);
    world.press(Code::Esc);
    assert!(world.state.compose.line.is_empty() && world.state.compose.about == About::Nothing);
}

#[test]
fn a_message_is_queued_on_the_relay_sent_and_seen() {
    let mut world = World::new();
    world.types("on it");
    let ask = world::asked(&world.press(Code::Enter));
    world.answer(ask, Ok(json!({"id": "x", "seq": null, "state": "queued"})));
    let delivery = |world: &World| world.state.timeline().unwrap().get("x").unwrap().delivery;
    assert_eq!(delivery(&world), Delivery::Queued);
    world.hears(json!({"type": "stored", "id": "x"}));
    assert_eq!(delivery(&world), Delivery::Stored);
    world.hears(message("b", "general", 8, "before", false));
    world.hears(json!({"type": "sent", "id": "x", "seq": 7}));
    assert_eq!(delivery(&world), Delivery::Sent);
    let receipt = json!({"type": "receipt", "room_id": "id-general", "from": "Karim", "seq": 8});
    world.hears(receipt.clone());
    world.hears(receipt);
    let timeline = world.state.timeline().unwrap();
    assert_eq!((timeline.messages[0].id.as_str(), timeline.messages[0].seen_by.len()), ("x", 1));
}

#[test]
fn edits_reactions_and_deletions_change_what_is_on_the_screen() {
    let mut world = World::new();
    world.hears(message("a", "general", 1, "old", false));
    world.hears(json!({"type": "edit", "id": "e", "target": "a", "text": "new"}));
    world.hears(json!({"type": "reaction", "id": "r", "target": "a", "emoji": "👍", "own": true}));
    let shown = world.state.timeline().unwrap().get("a").unwrap().clone();
    assert_eq!((shown.words().line().as_str(), shown.edited), ("new", true));
    assert_eq!(shown.reactions.len(), 1);
    world.hears(json!({"type": "delete", "id": "d", "target": "r"}));
    assert!(world.state.timeline().unwrap().get("a").unwrap().reactions.is_empty());
    world.hears(json!({"type": "delete", "id": "d", "target": "a"}));
    assert!(world.state.timeline().unwrap().get("a").is_none());
}

#[test]
fn next_unread_goes_first_where_one_is_mentioned_and_never_where_it_is_muted() {
    let mut world = World::new();
    let mut mention = message("m", "legal", 3, "@Lea?", false);
    mention["mentions"] = json!(["Lea"]);
    world.hears(message("p", "press", 2, "news", false));
    world.hears(mention);
    assert_eq!(world.state.entry("id-legal").unwrap().mentions, 1);
    world.key(control('n'));
    assert_eq!(world.state.current, "id-legal");
    world.state.muted.insert("id-press".into());
    world.key(control('n'));
    assert_eq!(world.state.current, "id-legal");
    assert_eq!(world.state.notice.as_deref(), Some("Nothing is unread."));
}

#[test]
fn what_is_on_the_screen_is_read_and_nothing_else_is() {
    let mut world = World::new();
    let effects = world.hears(message("a", "general", 1, "x", false));
    let [Effect::Call { method: "mark_read", params, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(params["upto"], "a");
    for n in 2..60 {
        world.hears(message(&n.to_string(), "general", n, "x", false));
    }
    world.press(Code::PageUp);
    assert!(world.hears(message("late", "general", 99, "x", false)).is_empty());
    assert_eq!(world.state.entry("id-general").unwrap().unread, 1);
    // What was seen stays where it was while more comes.
    let anchor = world.state.timeline().unwrap().anchor.clone();
    world.hears(message("later", "general", 100, "x", false));
    assert_eq!(world.state.timeline().unwrap().anchor, anchor);
    let effects = world.press(Code::End);
    assert!(matches!(effects.as_slice(), [Effect::Call { method: "mark_read", .. }]));
    assert_eq!(world.state.entry("id-general").unwrap().unread, 0);
}

#[test]
fn messages_vanish_when_their_time_is_over() {
    let mut world = World::new();
    let mut short = message("a", "general", 1, "x", false);
    short["expires_at"] = json!("2027-04-25T10:00:00Z");
    world.hears(short);
    update(&mut world.state, Event::Minute("2027-04-25T09:59:00Z".into()));
    assert!(world.state.timeline().unwrap().get("a").is_some());
    update(&mut world.state, Event::Minute("2027-04-25T10:00:00Z".into()));
    assert!(world.state.timeline().unwrap().get("a").is_none());
}

#[test]
fn a_locked_screen_holds_no_message_and_opens_with_the_passphrase() {
    let mut world = World::new();
    world.hears(message("a", "general", 1, "secret plan", false));
    world.types("draft");
    let effects = update(&mut world.state, Event::Idle);
    assert!(effects.iter().any(|it| matches!(it, Effect::Call { method: "lock", .. })));
    assert!(world.state.timelines.is_empty() && world.state.compose.line.is_empty());
    world.types("hunter");
    assert_eq!(world.press(Code::Enter), [Effect::Unlock]);
    assert_eq!(world.state.take_passphrase().as_str(), "hunter");
    world.answer(Ask::Unlock, Err(world::no("wrong passphrase")));
    assert!(matches!(&world.state.curtain, Curtain::Locked { said: Some(_), waiting: false, .. }));
    world.answer(Ask::Unlock, Ok(json!({})));
    assert!(matches!(world.state.curtain, Curtain::Open));
    assert_eq!(world.state.compose.line.text(), "draft");
}

#[test]
fn nothing_is_drawn_again_for_what_changes_nothing() {
    let mut world = World::new();
    world.state.take_changed();
    world.hears(json!({"type": "of another age"}));
    world.hears(json!({"type": "sent", "id": "unknown", "seq": 1}));
    update(&mut world.state, Event::Minute("2027-04-25T09:59:00Z".into()));
    assert!(!world.state.take_changed());
    world.press(Code::Char('a'));
    assert!(world.state.take_changed() && !world.state.take_changed());
}
