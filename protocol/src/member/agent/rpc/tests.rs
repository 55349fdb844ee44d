use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::super::tests::{fake_core::FakeCore, within};
use super::super::{ApiError, Handle, OpenOptions, open};
use super::*;

struct World {
    dir: TempDir,
    handle: Handle,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let handle = open::<ApiError>(OpenOptions::new(dir.path()), |_| Ok(FakeCore::offline()));
        let handle = handle.await.unwrap();
        Self { dir, handle }
    }

    async fn connect(&self) -> BufReader<UnixStream> {
        BufReader::new(UnixStream::connect(self.dir.path().join("agent.sock")).await.unwrap())
    }
}

async fn line(stream: &mut BufReader<UnixStream>) -> Value {
    let mut line = String::new();
    within("a line", stream.read_line(&mut line)).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

async fn ask(stream: &mut BufReader<UnixStream>, request: &[u8]) -> Value {
    stream.write_all(request).await.unwrap();
    stream.write_all(b"\n").await.unwrap();
    line(stream).await
}

#[tokio::test]
async fn malformed_input_is_answered_by_its_class_and_the_session_goes_on() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let table: &[(&[u8], i64, Value)] = &[
        (b"", -32_700, json!(null)),
        (b"{", -32_700, json!(null)),
        (b"\xff\xfe", -32_700, json!(null)),
        (b"{\"id\":1,\"method\":\"\xff\"}", -32_700, json!(null)),
        (&deep, -32_700, json!(null)),
        (b"[]", -32_600, json!(null)),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32_600, json!(null)),
        (b"null", -32_600, json!(null)),
        (b"\"ping\"", -32_600, json!(null)),
        (b"{}", -32_600, json!(null)),
        (br#"{"id":1,"method":"ping"}"#, -32_600, json!(1)),
        (br#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, -32_600, json!(1)),
        (br#"{"jsonrpc":"2.0","id":"a"}"#, -32_600, json!("a")),
        (br#"{"jsonrpc":"2.0","id":2,"method":7}"#, -32_600, json!(2)),
        (br#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32_600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32_600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32_600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":3,"method":"ping","params":[]}"#, -32_602, json!(3)),
        (br#"{"jsonrpc":"2.0","id":4,"method":"ping","params":"x"}"#, -32_602, json!(4)),
        (br#"{"jsonrpc":"2.0","id":5,"method":"nonsense"}"#, -32_601, json!(5)),
        (br#"{"jsonrpc":"2.0","id":null,"method":"nonsense"}"#, -32_601, json!(null)),
    ];
    for (request, code, id) in table {
        let shown = String::from_utf8_lossy(request).chars().take(80).collect::<String>();
        let answer = ask(&mut stream, request).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), id), "{shown}");
        assert_eq!(answer["jsonrpc"], "2.0");
    }
    for id in [json!(1), json!(-1.5), json!("x"), json!(null)] {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string();
        let answer = ask(&mut stream, request.as_bytes()).await;
        assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": id, "result": { "v": 1 } }));
    }
}

#[tokio::test]
async fn a_request_without_an_id_is_carried_out_and_not_answered() {
    let world = World::new().await;
    let mut events = world.handle.subscribe(json!({})).await.unwrap();
    let mut stream = world.connect().await;
    let quiet = br#"{"jsonrpc":"2.0","method":"emit","params":{"type":"x"}}"#;
    stream.write_all(quiet).await.unwrap();
    let answer = ask(&mut stream, b"\n{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}").await;
    assert_eq!(answer["id"], 9);
    assert_eq!(within("the event", events.next()).await, Some(json!({ "type": "x" })));
}

proptest::proptest! {
    #[test]
    fn whatever_a_line_holds_it_is_a_request_or_has_a_code_and_an_id_of_a_right_type(
        line in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
    ) {
        is_judged(line);
    }

    #[test]
    fn so_does_json_of_every_shape(
        id in "(null|true|-?[0-9]{1,30}|1e[0-9]{1,3}|\"[a-z]{0,5}\"|\\[1\\]|\\{\\})",
        version in "(\"2.0\"|2.0|\"1.0\"|null)",
        method in "(\"[a-z.]{0,12}\"|7|null|\\[\\])",
        params in "(null|7|\\[\\]|\\{\\}|\\{\"a\":\\{\\}\\})",
    ) {
        let line = format!(
            "{{\"id\":{id},\"jsonrpc\":{version},\"method\":{method},\"params\":{params}}}"
        );
        is_judged(line.into_bytes());
    }
}

fn is_judged(line: Vec<u8>) {
    match message::read(lines::Line::Whole(line.into())) {
        Ok(request) => {
            assert!(request.params.is_object());
            assert!(
                request.id.is_none_or(|id| !(id.is_array() || id.is_object() || id.is_boolean()))
            );
        }
        Err(message::Malformed(id, error)) => {
            assert!([-32_700, -32_600, -32_602].contains(&error.code));
            assert!(!(id.is_array() || id.is_object() || id.is_boolean()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_of_one_connection_are_carried_out_in_the_order_they_came() {
    const CALLS: usize = 1_000;
    let world = World::new().await;
    let mut events = world.handle.subscribe(json!({})).await.unwrap();
    let mut stream = world.connect().await;
    let emit = |n| {
        let request = json!({ "jsonrpc": "2.0", "method": "emit", "params": { "n": n } });
        format!("{request}\n")
    };
    let all: String = (0..CALLS).map(emit).collect();
    stream.write_all(all.as_bytes()).await.unwrap();
    for n in 0..CALLS {
        assert_eq!(within("an event", events.next()).await, Some(json!({ "n": n })));
    }
}

#[tokio::test]
async fn a_line_of_more_than_1_mib_is_refused_without_being_kept() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    let answer = ask(&mut stream, &vec![b'x'; 5 * MAX_REQUEST]).await;
    assert_eq!(answer["error"]["code"], -32_600);
    let text = "y".repeat(MAX_REQUEST - 100);
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "params": { "t": text } });
    let answer = ask(&mut stream, request.to_string().as_bytes()).await;
    assert_eq!(answer["result"]["t"], text);
}

#[tokio::test]
async fn a_client_that_sends_no_more_still_gets_its_answers() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    // The last line has no end, as `printf` leaves it.
    stream.write_all(br#"{"jsonrpc":"2.0","id":1,"method":"later"}"#).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(line(&mut stream).await["result"], "at last");
    assert_eq!(within("the end", stream.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_subscriber_gets_its_answer_and_then_notifications() {
    let world = World::new().await;
    let mut stream = world.connect().await;
    let subscribe = br#"{"jsonrpc":"2.0","id":1,"method":"subscribe"}"#;
    assert_eq!(ask(&mut stream, subscribe).await["result"], json!({}));
    assert_eq!(ask(&mut stream, subscribe).await["error"]["code"], -32_600);
    world.handle.call("emit", json!({ "type": "x" })).await.unwrap();
    let event = json!({ "jsonrpc": "2.0", "method": "event", "params": { "type": "x" } });
    assert_eq!(line(&mut stream).await, event);
}

#[tokio::test]
async fn connections_are_bounded_and_a_closed_one_makes_room() {
    let world = World::new().await;
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut stream = world.connect().await;
        ask(&mut stream, ping).await;
        open.push(stream);
    }
    let mut refused = world.connect().await;
    // Turned away: an end, or a reset if the request had been sent.
    assert_eq!(within("the end", refused.read(&mut [0])).await.unwrap_or(0), 0);
    open.pop();
    loop {
        let mut stream = world.connect().await;
        stream.write_all(&[ping, b"\n".as_slice()].concat()).await.ok();
        if within("the end or an answer", stream.read_u8()).await.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_nobody_else() {
    let world = World::new().await;
    let mut deaf = world.connect().await.into_inner();
    let text = "z".repeat(100_000);
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "params": { "t": text } });
    let request = format!("{request}\n");
    // Until the holder reads no more from it.
    let flood = async { while deaf.write_all(request.as_bytes()).await.is_ok() {} };
    let stuck = tokio::time::timeout(std::time::Duration::from_millis(300), flood).await;
    assert!(stuck.is_err());
    let mut other = world.connect().await;
    let answer = ask(&mut other, br#"{"jsonrpc":"2.0","id":1,"method":"echo"}"#).await;
    assert_eq!(answer["result"], json!({}));
}
