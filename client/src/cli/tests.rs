use std::cell::RefCell;

use super::*;
use crate::api::ApiError;
use crate::commands::{
    ApproveArgs, InviteArgs, ReadArgs, Role, RoomCommand, SendArgs, TeamCommand,
};
use crate::output::Style;
use crate::output::tests::captured;

/// An agent that answers from a table and remembers what it was asked.
#[derive(Default)]
struct Table {
    answers: Vec<(&'static str, Result<Value, ApiError>)>,
    asked: RefCell<Vec<(String, Value)>>,
    holder: bool,
}

impl Table {
    fn ok(mut self, method: &'static str, answer: Value) -> Self {
        self.answers.push((method, Ok(answer)));
        self
    }

    fn fails(mut self, method: &'static str, exit: u8, data: Value) -> Self {
        let message = "it failed".to_owned();
        self.answers.push((method, Err(error(exit, message, data))));
        self
    }

    fn asked(&self, method: &str) -> Value {
        let asked = self.asked.borrow();
        asked.iter().find(|(name, _)| name == method).expect("was asked").1.clone()
    }
}

fn error(exit: u8, message: String, data: Value) -> ApiError {
    ApiError { code: 1, exit, message, hint: None, data }
}

impl Calls for Table {
    async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        self.asked.borrow_mut().push((method.to_owned(), params));
        match self.answers.iter().find(|(name, _)| *name == method) {
            Some((_, Ok(answer))) => Ok(answer.clone()),
            Some((_, Err(failed))) => {
                Err(error(failed.exit, failed.message.clone(), failed.data.clone()))
            }
            None => panic!("unexpected call of {method}"),
        }
    }

    fn is_holder(&self) -> bool {
        self.holder
    }
}

const JSON: Style = Style { json: true, plain: false, quiet: false, verbose: false, colour: false };
const TEXT: Style = Style { json: false, ..JSON };

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

fn message(id: &str) -> Value {
    json!({"v": 1, "type": "message", "id": id, "room": "general", "from": "Lea",
        "verified": true, "sent_at": "2027-04-25T09:12:03Z", "seq": 7, "text": "one\ntwo",
        "own": false})
}

fn outgoing(wait: bool) -> chat::Outgoing {
    let args =
        SendArgs { room: "general".into(), text: "hello".into(), reply_to: None, no_wait: !wait };
    chat::Outgoing::take(args, false).unwrap()
}

#[tokio::test]
async fn send_answers_with_id_and_seq() {
    let api = Table::default().ok("send", json!({"id": "ab", "seq": 12}));
    let (mut out, stdout, _) = captured(JSON);
    chat::send(outgoing(true), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [json!({"id": "ab", "seq": 12})]);
    let wanted = json!({"room": "general", "text": "hello", "wait_ms": 10_000});
    assert_eq!(api.asked("send"), wanted);
}

#[tokio::test]
async fn a_message_that_stays_queued_is_exit_69_and_says_its_id() {
    let queued = json!({"id": "ab", "seq": null, "state": "queued"});
    let api = Table::default().fails("send", 69, queued.clone());
    let (mut out, stdout, _) = captured(JSON);
    let failure = chat::send(outgoing(true), &api, &mut out).await.err().unwrap();
    assert_eq!(failure.exit(), 69);
    assert_eq!(lines(&stdout.text()), [queued]);
}

#[tokio::test]
async fn no_wait_queues_and_is_exit_0() {
    let queued = json!({"id": "ab", "seq": null, "state": "queued"});
    let api = Table::default().ok("send", queued.clone());
    let (mut out, stdout, _) = captured(JSON);
    chat::send(outgoing(false), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [queued]);
    assert_eq!(api.asked("send")["wait_ms"], 0);
}

fn all() -> ReadArgs {
    ReadArgs { room: None, unread: false, limit: 50, since: None, mark_read: false }
}

#[tokio::test]
async fn read_prints_one_object_a_line() {
    let api = Table::default().ok("read", json!([message("a"), message("b")]));
    let (mut out, stdout, _) = captured(JSON);
    chat::read(all(), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [message("a"), message("b")]);
}

#[tokio::test]
async fn people_read_one_message_a_line_and_its_further_lines_indented() {
    let api = Table::default().ok("read", json!([message("a")]));
    let (mut out, stdout, _) = captured(TEXT);
    chat::read(all(), &api, &mut out).await.unwrap();
    let text = stdout.text();
    assert!(text.ends_with("general  v Lea  one\n    two\n"), "{text}");
}

#[tokio::test]
async fn without_a_holder_reading_syncs_first_and_an_unreachable_relay_is_a_warning() {
    let api = Table { holder: true, ..Table::default() }
        .fails("sync", 69, Value::Null)
        .ok("read", json!([message("a")]));
    let (mut out, stdout, stderr) = captured(JSON);
    chat::read(all(), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()).len(), 1);
    assert!(stderr.text().contains("cannot be reached"));
}

#[tokio::test]
async fn a_refused_device_is_told_so() {
    let api = Table { holder: true, ..Table::default() }.fails("sync", 77, Value::Null);
    let (mut out, _, _) = captured(JSON);
    let failure = chat::read(all(), &api, &mut out).await.err().unwrap();
    assert_eq!(failure.exit(), 77);
}

#[tokio::test]
async fn a_client_of_a_holder_does_not_sync() {
    let api = Table::default().ok("room.list", json!([]));
    let (mut out, stdout, _) = captured(JSON);
    room::run(RoomCommand::List, &api, &mut out).await.unwrap();
    assert_eq!(stdout.text(), "");
}

fn invites() -> Value {
    json!([{"id": "aa01", "state": "asking"}, {"id": "ab02", "state": "open"}])
}

fn approval(id: &str, words: Option<&str>) -> ApproveArgs {
    ApproveArgs { id: id.into(), words: words.map(Into::into), unverified: words.is_none() }
}

#[tokio::test]
async fn approve_takes_a_unique_prefix_and_five_words() {
    let api = Table::default()
        .ok("invite.list", invites())
        .ok("invite.approve", json!({"member": "Lea", "device": "cc"}));
    let (mut out, stdout, _) = captured(JSON);
    invite::approve(approval("AA", Some(" a b,c  d e\n")), &api, &mut out).await.unwrap();
    let wanted = json!({"id": "aa01", "words": ["a", "b", "c", "d", "e"]});
    assert_eq!(api.asked("invite.approve"), wanted);
    assert_eq!(lines(&stdout.text()), [json!({"member": "Lea", "device": "cc"})]);
}

#[tokio::test]
async fn approve_refuses_what_it_cannot_mean() {
    for (id, words, exit) in [("a", Some("a b c d e"), 1), ("ff", None, 1), ("aa", Some("a b"), 2)]
    {
        let api = Table::default().ok("invite.list", invites());
        let (mut out, _, _) = captured(TEXT);
        let failure = invite::approve(approval(id, words), &api, &mut out).await.err().unwrap();
        assert_eq!(failure.exit(), exit, "{id}");
    }
}

#[tokio::test]
async fn approve_unverified_is_said_outright() {
    let api = Table::default()
        .ok("invite.list", invites())
        .ok("invite.approve", json!({"member": "Lea", "device": "cc"}));
    let (mut out, _, _) = captured(TEXT);
    invite::approve(approval("ab02", None), &api, &mut out).await.unwrap();
    assert_eq!(api.asked("invite.approve"), json!({"id": "ab02", "unverified": true}));
}

#[tokio::test]
async fn an_invite_is_a_code_a_qr_code_and_a_reminder() {
    let code = "127.0.0.1:7443/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M";
    let answer = json!({"id": "aa01", "code": code, "expires_at": "2027-04-26T09:12:03Z"});
    let ask = |auto_approve| InviteArgs {
        name: Some("Lea".into()),
        role: Role::Member,
        ttl: None,
        expires: None,
        auto_approve,
    };

    let api = Table::default().ok("invite.create", answer.clone());
    let (mut out, stdout, stderr) = captured(TEXT);
    invite::create(ask(false), &api, &mut out).await.unwrap();
    assert!(stdout.text().contains(code) && stdout.text().contains('█'));
    assert!(stdout.text().lines().count() + stderr.text().lines().count() <= 24);
    assert_eq!(api.asked("invite.create")["ttl_s"], 86_400);

    let api = Table::default().ok("invite.create", answer.clone());
    let (mut out, stdout, _) = captured(JSON);
    invite::create(ask(true), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [answer]);
    assert_eq!(api.asked("invite.create")["ttl_s"], 3_600);
}

#[tokio::test]
async fn rooms_take_several_members_one_call_each() {
    let api = Table::default().ok("room.add", json!({}));
    let (mut out, _, _) = captured(TEXT);
    let members = vec!["Lea".into(), "@Karim".into()];
    let add = RoomCommand::Add { room: "press".into(), members };
    room::run(add, &api, &mut out).await.unwrap();
    let asked: Vec<_> = api.asked.borrow().iter().map(|(_, params)| params.clone()).collect();
    assert_eq!(
        asked,
        [json!({"room": "press", "member": "Lea"}), json!({"room": "press", "member": "Karim"})]
    );
}

#[tokio::test]
async fn device_list_shows_own_devices_only() {
    let mine = json!({"member": "Lea", "device": "aa", "verified": true});
    let other = json!({"member": "Karim", "device": "bb", "verified": true});
    let api =
        Table::default().ok("team", json!([mine, other])).ok("status", json!({"member": "Lea"}));
    let (mut out, stdout, _) = captured(JSON);
    team::device(crate::commands::DeviceCommand::List, &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [mine]);
}

#[tokio::test]
async fn status_never_calls_itself_an_agent() {
    let api = Table { holder: true, ..Table::default() }
        .ok("status", json!({"agent": true, "connected": false, "head": 3, "queued": 1}));
    let (mut out, stdout, _) = captured(JSON);
    status::status(&api, &mut out).await.unwrap();
    let wanted = json!({"agent": false, "connected": false, "head": 3, "queued": 1});
    assert_eq!(lines(&stdout.text()), [wanted]);
}

#[test]
fn version_needs_no_profile() {
    let (mut out, stdout, _) = captured(JSON);
    status::version(&mut out).unwrap();
    assert_eq!(lines(&stdout.text())[0]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn edit_delete_and_react_print_an_own_id_and_a_target() {
    let answer = json!({"id": "cd", "seq": 13, "state": "sent", "target": "ab"});
    let api = Table::default()
        .ok("edit", answer.clone())
        .ok("delete", answer.clone())
        .ok("react", answer.clone());
    let (mut out, stdout, _) = captured(JSON);
    change::edit("ab", "new".into(), &api, &mut out).await.unwrap();
    change::delete("ab", &api, &mut out).await.unwrap();
    change::react("ab", "👍", &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [answer.clone(), answer.clone(), answer]);
    assert_eq!(api.asked("edit"), json!({"id": "ab", "text": "new", "wait_ms": 10_000}));
    assert_eq!(api.asked("react"), json!({"id": "ab", "emoji": "👍", "wait_ms": 10_000}));
}

#[tokio::test]
async fn search_asks_for_all_words_and_prints_messages() {
    let api = Table::default().ok("search", json!([message("a")]));
    let (mut out, stdout, _) = captured(JSON);
    let words = ["two".to_owned(), "words".to_owned()];
    history::search(&words, Some("press".into()), 5, &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [message("a")]);
    assert_eq!(api.asked("search"), json!({"words": "two words", "limit": 5, "room": "press"}));
}

#[tokio::test]
async fn an_exported_text_cannot_pass_for_a_heading() {
    let mut evil = message("a");
    evil["text"] = json!("# one\n\n**Karim**, now");
    let api = Table::default().ok("read", json!([evil]));
    let (mut out, stdout, _) = captured(TEXT);
    let format = crate::commands::Format::Md;
    history::export("general", format, &api, &mut out).await.unwrap();
    let text = stdout.text();
    assert!(text.starts_with("# general\n\n**Lea**, "), "{text}");
    assert!(text.ends_with("\n\n> # one\n> \n> **Karim**, now\n"), "{text}");
}

#[tokio::test]
async fn a_file_is_printed_as_what_fetches_it() {
    let mut sent = message("0123456789abcdef");
    for (field, value) in
        [("type", json!("file")), ("name", json!("a.pdf")), ("size", json!(2_048))]
    {
        sent[field] = value;
    }
    let api = Table::default().ok("read", json!([sent]));
    let (mut out, stdout, _) = captured(TEXT);
    chat::read(all(), &api, &mut out).await.unwrap();
    let text = stdout.text();
    assert!(text.ends_with("Lea  [a.pdf, 2 KiB: staffetta file get 01234567]\n"), "{text}");
}

#[tokio::test]
async fn a_heard_word_list_marks_and_a_wrong_one_fails() {
    let person = json!({"member": "Karim", "words": ["a", "b"], "verified": true,
        "team_number": "1234 5678"});
    let api = Table::default().ok("verify", json!([person]));
    let (mut out, stdout, _) = captured(TEXT);
    let args = |words: Option<&str>| crate::commands::VerifyArgs {
        member: Some("@Karim".into()),
        words: words.map(Into::into),
    };
    verify::run(args(Some("a,  b")), &api, &mut out).await.unwrap();
    assert_eq!(api.asked("verify"), json!({"member": "Karim", "words": ["a", "b"]}));
    assert!(stdout.text().contains("Karim is verified"));
    let (mut out, stdout, _) = captured(TEXT);
    verify::run(args(None), &api, &mut out).await.unwrap();
    assert!(stdout.text().contains("1234 5678") && stdout.text().contains("a b"));
    let api = Table::default().fails("verify", 1, Value::Null);
    let (mut out, _, _) = captured(TEXT);
    assert_eq!(verify::run(args(Some("x y")), &api, &mut out).await.unwrap_err().exit(), 1);
}

#[tokio::test]
async fn room_set_sends_only_what_was_said() {
    let api = Table::default().ok("room.set", json!({})).ok("room.leave", json!({}));
    let set = RoomCommand::Set {
        room: "press".into(),
        name: None,
        topic: Some("x".into()),
        lifetime: Some(60),
        who_may_add: None,
    };
    let (mut out, _, _) = captured(JSON);
    room::run(set, &api, &mut out).await.unwrap();
    let wanted = json!({"room": "press", "name": null, "topic": "x", "lifetime_s": 60,
        "who_may_add": null});
    assert_eq!(api.asked("room.set"), wanted);
    let (mut out, stdout, _) = captured(JSON);
    room::run(RoomCommand::Leave { room: "press".into() }, &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [json!({"room": "press"})]);
}

#[tokio::test]
async fn team_says_who_compared_words_with_whom() {
    let lea = json!({"member": "Lea", "device": "aa", "verified": true,
        "verified_by": ["Karim", "So\u{1b}fia"]});
    let paul = json!({"member": "Paul", "device": "bb", "verified": false, "verified_by": []});
    let api = Table::default().ok("team", json!([lea, paul]));
    let (mut out, stdout, _) = captured(TEXT);
    team::list(&api, &mut out).await.unwrap();
    let text = stdout.text();
    let [lea, paul] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(lea.contains("compared by Karim, So") && !lea.contains('\u{1b}'), "{lea:?}");
    assert!(paul.starts_with('!') && !paul.contains("compared"), "{paul:?}");
}

#[tokio::test]
async fn room_restart_and_team_policy_say_what_came_of_them() {
    let api = Table::default()
        .ok("room.restart", json!({"room": "press", "without": "Paul"}))
        .ok("team.policy", json!({"receipts": true}));
    let restart = || RoomCommand::Restart { room: "press".into() };
    let (mut out, stdout, _) = captured(TEXT);
    room::run(restart(), &api, &mut out).await.unwrap();
    assert!(stdout.text().contains("press begins again without Paul"), "{}", stdout.text());
    let (mut out, stdout, _) = captured(JSON);
    room::run(restart(), &api, &mut out).await.unwrap();
    assert_eq!(lines(&stdout.text()), [json!({"room": "press", "without": "Paul"})]);
    assert_eq!(api.asked("room.restart"), json!({"room": "press"}));
    let (mut out, stdout, _) = captured(JSON);
    let on = TeamCommand::Policy { name: Some("receipts".into()), value: Some("on".into()) };
    roles::run(on, &api, &mut out).await.unwrap();
    assert_eq!(api.asked("team.policy"), json!({"receipts": true}));
    assert_eq!(lines(&stdout.text()), [json!({"receipts": true})]);
}
