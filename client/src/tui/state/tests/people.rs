//! Finding one's way, and what is done with people, by keys alone.

use serde_json::json;

use super::super::panel::{Kind, Panel, Pick};
use super::super::rooms::Section;
use super::super::*;
use super::world::{self, World, control, message};
use crate::tui::key::Code;

fn list(world: &World) -> &super::super::panel::List {
    match &world.state.panel {
        Some(Panel::List(list)) => list,
        other => panic!("no list: {other:?}"),
    }
}

fn called(effects: &[Effect]) -> (&'static str, Value) {
    let call = effects.iter().find_map(|effect| match effect {
        Effect::Call { method, params, .. } => Some((*method, params.clone())),
        _ => None,
    });
    call.expect("a call")
}

#[test]
fn the_side_bar_has_rooms_people_and_bots_with_what_is_unread() {
    let mut world = World::new();
    let shown: Vec<(Section, String, bool)> =
        world.state.entries.iter().map(|it| (it.section, it.title().line(), it.verified)).collect();
    assert_eq!(
        shown,
        [
            (Section::Rooms, "general".into(), true),
            (Section::Rooms, "legal".into(), true),
            (Section::Rooms, "press".into(), true),
            (Section::People, "Karim".into(), true),
            (Section::People, "Paul".into(), false),
            (Section::Bots, "planning".into(), true),
        ]
    );
    world.hears(message("p", "press", 2, "news", false));
    assert_eq!(world.state.entry("id-press").unwrap().unread, 1);
}

#[test]
fn a_name_that_looks_like_another_is_not_trusted() {
    let mut world = World::new();
    let mut team = world::team();
    // The second letter is Cyrillic.
    let twin = json!({"member": "K\u{430}rim", "device": "x", "role": "member", "verified": true,
        "state": "active", "own": false});
    team.as_array_mut().unwrap().push(twin);
    world.answer(Ask::Team, Ok(team));
    let karims = world.state.entries.iter().filter(|it| it.title().line().ends_with("rim"));
    assert_eq!(karims.map(|it| it.verified).collect::<Vec<_>>(), [false, false]);
}

#[test]
fn a_conversation_that_begins_takes_the_draft_along() {
    let mut world = World::new();
    world.does("/dm karim");
    assert_eq!(world.state.current, "@Karim");
    world.types("hello you");
    let mut rooms = world::rooms();
    let direct = json!({"name": "@Karim", "id": "id-dm", "kind": "direct", "members": 2});
    rooms.as_array_mut().unwrap().push(direct);
    world.answer(Ask::Rooms, Ok(rooms));
    assert_eq!(world.state.current, "id-dm");
    assert_eq!(world.state.compose.line.text(), "hello you");
    let (method, params) = called(&world.press(Code::Enter));
    assert_eq!((method, params["room"].as_str()), ("send", Some("@Karim")));
}

#[test]
fn ctrl_p_finds_by_a_few_letters() {
    let mut world = World::new();
    world.key(control('p'));
    world.types("prs");
    assert_eq!(list(&world).items[0].pick, Pick::Room("id-press".into()));
    world.press(Code::Enter);
    assert_eq!(world.state.current, "id-press");
    assert!(world.state.panel.is_none());
}

#[test]
fn a_search_jumps_to_the_hit() {
    let mut world = World::new();
    world.key(control('f'));
    assert_eq!(called(&world.press(Code::Char('x'))).1["words"], "x");
    assert!(world.press(Code::Char('y')).is_empty(), "one search at a time");
    let hit = message("far", "press", 3, "xyz", false);
    let effects = world.answer(Ask::Search("x".into()), Ok(json!([hit.clone(), hit.clone()])));
    assert!(list(&world).items.is_empty(), "an answer to an earlier question");
    let (method, params) = called(&effects);
    assert_eq!((method, params["words"].as_str()), ("search", Some("xy")));
    world.answer(Ask::Search("xy".into()), Ok(json!([hit])));
    let mut effects = world.press(Code::Enter);
    effects.retain(|it| matches!(it, Effect::Call { method: "read", .. }));
    assert_eq!(effects.len(), 1);
    assert_eq!(called(&effects).1["around"], "far");
    assert_eq!(world.state.current, "id-press");
    let key = world.state.current.clone();
    let page = json!([message("before", "press", 2, "a", false), hit_again()]);
    world.answer(Ask::History { key, at: At::Around("far".into()) }, Ok(page));
    assert_eq!(world.state.timeline().unwrap().selected.as_deref(), Some("far"));
}

fn hit_again() -> Value {
    message("far", "press", 3, "xyz", false)
}

#[test]
fn older_messages_are_read_where_the_window_ends_and_nothing_jumps() {
    let mut world = World::new();
    world.open("press");
    let page = |from: u64| {
        (from..from + 200).map(|n| message(&format!("m{n}"), "press", n, "x", true)).collect()
    };
    let key = world.state.current.clone();
    world.answer(Ask::History { key: key.clone(), at: At::Unread }, Ok(page(1_000)));
    let mut asked = None;
    for _ in 0..40 {
        if let Some(Effect::Call { ask, .. }) = world.press(Code::PageUp).pop() {
            asked = Some(ask);
            break;
        }
    }
    let at = At::Before("m1000".into());
    assert_eq!(asked, Some(Ask::History { key: key.clone(), at: at.clone() }));
    let anchor = world.state.timeline().unwrap().anchor.clone();
    world.answer(Ask::History { key, at }, Ok(page(800)));
    let timeline = world.state.timeline().unwrap();
    assert_eq!((timeline.anchor.clone(), timeline.messages.len()), (anchor, 400));
    assert!(!timeline.at_start && timeline.at_end);
}

#[test]
fn scrolling_goes_on_while_there_is_more_to_read() {
    let mut world = World::new();
    world.open("press");
    let page = |from: u64| {
        (from..from + 200).map(|n| message(&format!("m{n}"), "press", n, "x", true)).collect()
    };
    let key = world.state.current.clone();
    world.answer(Ask::History { key, at: At::Unread }, Ok(page(10_000)));
    let mut first = 10_000;
    for n in 0..200 {
        let before = world.state.timeline().unwrap().anchor.clone();
        for effect in world.press(Code::PageUp) {
            let Effect::Call { ask: ask @ Ask::History { .. }, .. } = effect else { continue };
            first -= 200;
            world.answer(ask, Ok(page(first)));
        }
        assert_ne!(world.state.timeline().unwrap().anchor, before, "page {n}");
    }
    assert!(first < 9_000, "{first}");
}

#[test]
fn who_scrolls_faster_than_pages_are_read_comes_as_far_when_they_are_there() {
    let page = |from: u64| -> Value {
        (from..from + 200).map(|n| message(&format!("m{n}"), "press", n, "x", true)).collect()
    };
    let opened = || {
        let mut world = World::new();
        world.open("press");
        let key = world.state.current.clone();
        world.answer(Ask::History { key, at: At::Unread }, Ok(page(10_000)));
        world
    };
    let asks = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Call { ask: ask @ Ask::History { .. }, .. } => Some(ask),
            _ => None,
        })
    };
    let (mut late, mut asked, mut presses) = (opened(), None, 0);
    while late.state.timeline().unwrap().owed.is_none() {
        asked = asked.or(asks(late.press(Code::PageUp)));
        presses += 1;
    }
    late.answer(asked.unwrap(), Ok(page(9_800)));
    assert_eq!(late.state.timeline().unwrap().owed, None);
    let mut early = opened();
    for _ in 0..presses {
        if let Some(ask) = asks(early.press(Code::PageUp)) {
            early.answer(ask, Ok(page(9_800)));
        }
    }
    let at = |world: &World| world.state.timeline().unwrap().anchor.clone();
    assert_eq!(at(&late), at(&early));
}

#[test]
fn scrolling_far_up_and_down_again_comes_back_to_the_newest_whenever_pages_are_read() {
    const ALL: usize = 9_000;
    let page = |range: std::ops::Range<usize>| -> Value {
        range.map(|n| message(&format!("m{n}"), "press", 7, "x", true)).collect()
    };
    let number = |id: &str| id[1..].parse::<usize>().unwrap();
    // What the agent answers.
    let read = |at: &At| match at {
        At::Before(id) => page(number(id).saturating_sub(200)..number(id)),
        At::After(id) => page(number(id) + 1..ALL.min(number(id) + 201)),
        _ => page(ALL - 200..ALL),
    };
    for late in 0..4 {
        let mut world = World::new();
        world.open("press");
        let key = world.state.current.clone();
        world.answer(Ask::History { key, at: At::Unread }, Ok(read(&At::Unread)));
        let mut asked: Vec<(usize, Ask)> = Vec::new();
        let mut keys = [Code::PageUp, Code::PageDown].map(|key| [key; 150]).concat();
        // Those that still waited for a page at the end.
        keys.extend([Code::PageDown; 4]);
        for (n, key) in keys.into_iter().enumerate() {
            let before = world.state.timeline().unwrap().anchor.clone();
            let mut effects = world.press(key);
            loop {
                for effect in effects.drain(..) {
                    if let Effect::Call { ask: ask @ Ask::History { .. }, .. } = effect {
                        asked.push((n + late, ask));
                    }
                }
                let Some(due) = asked.iter().position(|(due, _)| *due <= n) else { break };
                let (_, Ask::History { key, at }) = asked.remove(due) else { unreachable!() };
                effects = world.answer(Ask::History { key, at: at.clone() }, Ok(read(&at)));
            }
            let timeline = world.state.timeline().unwrap();
            let moved = timeline.anchor != before || (n >= 150 && timeline.anchor.is_none());
            assert!(moved || !asked.is_empty(), "late {late}, press {n}: {:?}", timeline.anchor);
        }
        let timeline = world.state.timeline().unwrap();
        assert!(timeline.anchor.is_none() && timeline.at_end, "late {late}");
    }
}

#[test]
fn approving_asks_for_the_words_and_never_shows_them() {
    let mut world = World::new();
    assert_eq!(called(&world.does("/approve")).0, "invite.list");
    let invites = json!([
        {"id": "i1", "name": "old", "state": "used", "expires_at": "", "asking": null},
        {"id": "i2", "name": "Nora", "state": "asking", "expires_at": "",
            "asking": {"name": "Nora", "device": "phone"}},
    ]);
    world.answer(Ask::Invites, Ok(invites));
    world.press(Code::Enter);
    world.types("citron ardoise volcan piano balcon");
    let (method, params) = called(&world.press(Code::Enter));
    assert_eq!(method, "invite.approve");
    assert_eq!(params["id"], "i2");
    assert_eq!(params["words"].as_array().unwrap().len(), 5);
}

#[test]
fn cutting_somebody_off_takes_more_than_enter() {
    let mut world = World::new();
    world.does("/revoke @Paul");
    assert!(world.press(Code::Enter).is_empty());
    world.does("/revoke @Paul");
    let (method, params) = called(&world.press(Code::Char('y')));
    assert_eq!((method, params["member"].as_str()), ("revoke", Some("Paul")));
}

#[test]
fn verifying_asks_for_the_words_that_were_heard() {
    let mut world = World::new();
    assert_eq!(called(&world.does("/verify")).0, "verify");
    let people = json!([
        {"member": "Lea", "words": "one two", "verified": true, "own": true, "team_number": "7"},
        {"member": "Paul", "words": "SECRET WORDS", "verified": false, "own": false},
    ]);
    world.answer(Ask::Words, Ok(people));
    assert!(list(&world).items.iter().all(|item| !item.text.contains("SECRET")));
    world.press(Code::PageDown);
    world.press(Code::Enter);
    world.types("three four");
    let (method, params) = called(&world.press(Code::Enter));
    assert_eq!((method, params["member"].as_str()), ("verify", Some("Paul")));
    assert_eq!(params["words"], json!(["three", "four"]));
}

#[test]
fn a_chosen_message_is_answered_copied_and_deleted_by_keys() {
    let mut world = World::new();
    world.hears(message("a", "general", 1, "first", false));
    world.hears(message("b", "general", 2, "second", true));
    world.key(control('r'));
    world.press(Code::Up);
    world.press(Code::Char('r'));
    world.types("yes");
    let (_, params) = called(&world.press(Code::Enter));
    assert_eq!(params["reply_to"], "a");
    world.key(control('r'));
    assert_eq!(world.press(Code::Char('c')), [Effect::Copy("second".into())]);
    world.key(control('r'));
    world.press(Code::Char('d'));
    assert!(world.press(Code::Enter).is_empty(), "Enter alone deletes nothing");
    world.key(control('r'));
    world.press(Code::Char('d'));
    assert_eq!(called(&world.press(Code::Char('y'))).0, "delete");
    world.key(control('r'));
    world.press(Code::Char('+'));
    world.types("heart");
    assert_eq!(called(&world.press(Code::Enter)).1["emoji"], "❤");
}

#[test]
fn tab_completes_people_rooms_commands_and_emoji() {
    let mut world = World::new();
    for (typed, completed) in [
        ("@kar", "@Karim "),
        ("see #pre", "see #press "),
        ("/inv", "/invite "),
        ("ok :hea", "ok ❤ "),
    ] {
        world.clear();
        world.types(typed);
        world.press(Code::Tab);
        assert_eq!(world.state.compose.line.text(), completed);
    }
    world.clear();
    world.types("/re");
    let mut seen = Vec::new();
    for _ in 0..3 {
        world.press(Code::Tab);
        seen.push(world.state.compose.line.text());
    }
    assert_eq!(seen, ["/remove ", "/read ", "/react "]);
}

#[test]
fn alarms_and_gaps_stay_until_they_are_put_away() {
    let mut world = World::new();
    let gap = json!({"type": "gap", "room": "general", "from": "Paul", "missing": 2});
    world.hears(gap.clone());
    world.hears(gap);
    world.hears(json!({"type": "alarm", "text": "two different pasts"}));
    assert_eq!(world.state.banners.len(), 2);
    world.press(Code::Esc);
    assert_eq!(world.state.banners.len(), 2);
    assert_eq!(called(&world.does("/dismiss")).0, "alarms.clear");
    assert!(world.state.banners.is_empty());
}

#[test]
fn help_says_where_one_is_and_leads_back() {
    let mut world = World::new();
    world.key(control('p'));
    world.press(Code::F(1));
    assert!(
        matches!(&world.state.panel, Some(Panel::Help(help)) if help.place == crate::text::screen::Place::List)
    );
    world.press(Code::Esc);
    assert_eq!(list(&world).kind, Kind::Goto);
    world.press(Code::Esc);
    world.press(Code::Char('?'));
    assert!(matches!(&world.state.panel, Some(Panel::Help(_))));
}

#[test]
fn destroying_the_profile_wants_its_word() {
    let mut world = World::new();
    world.does("/wipe");
    assert!(world.press(Code::Enter).is_empty());
    world.does("/wipe");
    world.types("destroy");
    assert_eq!(world.press(Code::Enter), [Effect::Wipe]);
}
