//! What can be on the screen.

use serde_json::json;

use super::super::super::key::Code;
use super::super::super::state::tests::world::{World, control, message};
use super::super::super::state::{Ask, Event, update};

type Scene = fn(&mut World);

pub(super) const SCENES: &[(&str, Scene)] = &[
    ("room", room),
    ("wide", wide),
    ("banners", banners),
    ("help", help),
    ("goto", |world| drop(world.key(control('p')))),
    ("search", search),
    ("select", select),
    ("reply", reply),
    ("members", members),
    ("invite", invite),
    ("approve", approve),
    ("verify", verify),
    ("devices", devices),
    ("revoke", |world| drop(world.does("/revoke Paul"))),
    ("settings", |world| drop(world.does("/settings"))),
    ("mistyped", |world| drop(world.does("/invtie"))),
    ("paste", |world| world.paste(&"line\n".repeat(200))),
    ("locked", |world| drop(world.key(control('l')))),
    ("blank", |world| drop(world.press(Code::F(12)))),
];

fn room(world: &mut World) {
    let mut first = message("a", "general", 1, "The hall is confirmed for *19:00*.", false);
    first["sent_at"] = json!("2027-04-24T21:00:00Z");
    let mut second = message("b", "general", 2, "Great. @Lea can you print 200 copies?", false);
    second["mentions"] = json!(["Lea"]);
    second["reply_to"] = json!("a");
    second["reactions"] = json!([
        {"id": "r1", "emoji": "👍", "own": false}, {"id": "r2", "emoji": "👍", "own": true},
        {"id": "r3", "emoji": "❤", "own": false},
    ]);
    let mut file = message("c", "general", 3, "", false);
    file["type"] = json!("file");
    file["name"] = json!("affiche-A3.pdf");
    file["size"] = json!(1_258_291);
    let mut link = message(
        "d",
        "general",
        4,
        "Open this: https://campagne.example@evil.example/x and https://с\u{430}mpagne.example",
        false,
    );
    link["from"] = json!("Paul");
    link["verified"] = json!(false);
    let mut own = message("e", "general", 5, "On it.", true);
    own["seen_by"] = json!(["Karim", "Sofia"]);
    own["edited"] = json!(true);
    let mut queued = message(
        "f",
        "general",
        6,
        "And the posters are at the printer's now, \
        they will be ready tomorrow morning.",
        true,
    );
    queued["seq"] = json!(null);
    world.loaded(json!([first, second, file, link, own, queued]));
    world.hears(message("p", "press", 7, "news", false));
    let mut mention = message("l", "legal", 8, "@Lea", false);
    mention["mentions"] = json!(["Lea"]);
    world.hears(mention);
    world.types("I am writ");
}

/// Names of 40 characters, wide and combining letters, and what a message may hide.
fn wide(world: &mut World) {
    let long = "Maximilienne-Bérengère de la Tour d’Auver";
    let mut first =
        message("a", "general", 1, "日本語のテキストは幅が広い。二倍の幅がある文字です。", false);
    first["from"] = json!(long);
    let mut second = message("b", "general", 2, "e\u{301}e\u{301}e\u{301} 👩‍🌾🏳️‍🌈 한국어 ok", false);
    second["from"] = json!("田中さくら");
    let evil = message("c", "general", 3, "a\u{1b}[2Jb\u{202e}c\u{200b}d\u{e0041}e", false);
    world.loaded(json!([first, second, evil]));
    let mut rooms = crate::tui::state::tests::world::rooms();
    rooms[1]["name"] = json!("日本語の部屋の名前はとても長い");
    rooms[2]["name"] = json!(long);
    world.answer(Ask::Rooms, Ok(rooms));
    world.paste("日本 👩‍🌾 e\u{301}");
}

fn banners(world: &mut World) {
    for event in [
        json!({"type": "gap", "room": "general", "from": "Paul", "missing": 2}),
        json!({"type": "alarm", "text": "The relay showed us two different pasts."}),
        json!({"type": "member", "member": "Karim", "change": "role", "role": "admin", "by": "Lea"}),
        json!({"type": "member", "member": "Nora", "change": "revoked"}),
        json!({"type": "connection", "state": "offline"}),
    ] {
        world.hears(event);
    }
    for n in 1..30 {
        world.hears(message(&n.to_string(), "general", n, "earlier", false));
    }
    world.press(Code::PageUp);
}

fn help(world: &mut World) {
    world.press(Code::F(1));
}

fn search(world: &mut World) {
    world.key(control('f'));
    for c in "hall".chars() {
        world.press(Code::Char(c));
    }
    let hits = json!([
        message("a", "press", 1, "Is the hall free?", false),
        message(
            "b",
            "general",
            2,
            "The hall is confirmed for 19:00, and then some more words",
            false
        ),
    ]);
    world.answer(Ask::Search("hall".into()), Ok(hits));
}

fn select(world: &mut World) {
    world.hears(message("a", "general", 1, "first", false));
    world.hears(message("b", "general", 2, "second", false));
    world.key(control('r'));
    world.press(Code::Up);
}

fn reply(world: &mut World) {
    select(world);
    world.press(Code::Char('r'));
    world.types("yes\n");
}

fn members(world: &mut World) {
    world.does("/members");
    let list = json!([
        {"member": "Lea", "role": "admin", "verified": true},
        {"member": "Paul", "role": "member", "verified": false},
        {"member": "planning", "role": "bot", "verified": true},
    ]);
    world.answer(Ask::Members("id-general".into()), Ok(list));
}

fn invite(world: &mut World) {
    let code = "relay.campagne.example:7443/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M";
    world.answer(Ask::Invite, Ok(json!({"id": "x", "code": code, "expires_at": "soon"})));
}

fn approve(world: &mut World) {
    let invites = json!([{"id": "i", "name": "Nora", "state": "asking", "expires_at": "soon",
        "asking": {"name": "Nora", "device": "phone"}}]);
    world.answer(Ask::Invites, Ok(invites));
    world.press(Code::Enter);
    for c in "citron ardoise".chars() {
        world.press(Code::Char(c));
    }
}

fn verify(world: &mut World) {
    let people = json!([
        {"member": "Lea", "words": "one two three four five six", "verified": true, "own": true,
            "team_number": "12345 67890"},
        {"member": "Karim", "words": "x", "verified": true, "own": false},
        {"member": "Paul", "words": "x", "verified": false, "own": false},
    ]);
    world.answer(Ask::Words, Ok(people));
}

fn devices(world: &mut World) {
    let device = |id: &str, label: &str, own: bool| json!({"member": "Lea", "device": id, "label": label, "state": "active", "own": own});
    let team = json!([device("0123456789", "laptop", true), device("abcdef0123", "phone", false)]);
    world.answer(Ask::Devices, Ok(team));
    update(&mut world.state, Event::Key(Code::Down.into()));
}
