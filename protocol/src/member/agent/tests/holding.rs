use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::super::deliveries::AGAIN_AFTER;
use super::fake_core::FakeCore;
use super::*;

async fn holder(dir: &Path) -> Handle {
    let handle = open::<ApiError>(OpenOptions::new(dir), |_| Ok(FakeCore::offline())).await;
    let handle = handle.unwrap();
    assert!(handle.is_holder());
    handle
}

async fn client(dir: &Path) -> Handle {
    let handle = open::<ApiError>(OpenOptions::new(dir), |_| panic!("a client opens nothing"));
    let handle = handle.await.unwrap();
    assert!(!handle.is_holder());
    handle
}

#[tokio::test]
async fn one_holder_per_profile_and_the_others_are_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let first = holder(dir.path()).await;
    let second = client(dir.path()).await;
    for handle in [&first, &second] {
        assert_eq!(handle.call("ping", json!({})).await, Ok(json!({ "v": 1 })));
        assert_eq!(handle.call("echo", json!({ "x": "é" })).await, Ok(json!({ "x": "é" })));
        let refused = handle.call("send", json!({})).await.unwrap_err();
        assert_eq!((refused.exit, &refused.data["state"]), (69, &json!("queued")));
        assert_eq!(handle.call("nonsense", json!({})).await.unwrap_err().code, -32_601);
    }
    assert_eq!(second.call("status", json!({})).await, Ok(json!({ "agent": true })));
    assert_eq!(first.call("status", json!({})).await, Ok(json!({ "agent": false })));
    first.close().await;
    let gone = second.call("echo", json!({})).await.unwrap_err();
    assert_eq!(gone.exit, 75);
    holder(dir.path()).await.close().await;
}

#[tokio::test]
async fn the_socket_exists_only_while_there_is_a_holder_and_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("agent.sock");
    // What a holder that was killed leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let handle = holder(dir.path()).await;
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    client(dir.path()).await.close().await;
    handle.close().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_profile_in_a_deep_directory_has_a_socket_too() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    let handle = holder(&deep).await;
    let other = client(&deep).await;
    assert_eq!(other.call("echo", json!({})).await, Ok(json!({})));
    handle.close().await;
    assert!(!deep.join("agent.sock").exists());
}

#[tokio::test]
async fn a_holder_that_does_not_answer_ends_in_75() {
    let dir = tempfile::tempdir().unwrap();
    let _lock = ProfileLock::try_acquire(dir.path()).unwrap();
    let options = OpenOptions { wait_lock: Duration::ZERO, ..OpenOptions::new(dir.path()) };
    let Err(error) = open::<ApiError>(options, |_| panic!("not ours")).await else {
        panic!("opened")
    };
    assert_eq!(error.exit, 75);
}

#[tokio::test]
async fn a_command_takes_over_as_soon_as_the_lock_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let lock = ProfileLock::try_acquire(dir.path()).unwrap();
    let opening = open::<ApiError>(OpenOptions::new(dir.path()), |_| Ok(FakeCore::offline()));
    let mut opening = Box::pin(opening);
    let first_look = futures_util::FutureExt::now_or_never(&mut opening);
    assert!(first_look.is_none());
    drop(lock);
    assert!(within("the profile", opening).await.unwrap().is_holder());
}

fn brief(dir: &Path) -> OpenOptions {
    OpenOptions { stay: Stay::Brief, ..OpenOptions::new(dir) }
}

#[tokio::test]
async fn who_stays_waits_for_a_holder_that_is_brief_and_who_is_brief_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let send = open::<ApiError>(brief(dir.path()), |_| Ok(FakeCore::offline())).await.unwrap();
    let read = open::<ApiError>(brief(dir.path()), |_| panic!("a client opens nothing"));
    assert!(!read.await.unwrap().is_holder());
    // It has waited long enough, and goes on as a client.
    let options = OpenOptions { wait_lock: Duration::ZERO, ..OpenOptions::new(dir.path()) };
    let impatient = open::<ApiError>(options, |_| panic!("a client opens nothing"));
    assert!(!impatient.await.unwrap().is_holder());

    let path = dir.path().to_owned();
    let mut screen = tokio::spawn(async move { holder(&path).await });
    let early = timeout(LOOK * 4, &mut screen).await;
    assert!(early.is_err(), "the profile is held");
    send.close().await;
    let screen = within("the profile", screen).await.unwrap();
    // Of one that stays, whoever comes is a client at once.
    client(dir.path()).await.close().await;
    screen.close().await;
}

#[tokio::test]
async fn without_a_profile_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let opened = open::<ApiError>(OpenOptions::new(&missing), |_| panic!("nothing there")).await;
    assert_eq!(opened.err().map(|error| error.exit), Some(1));
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_core_that_cannot_be_made_leaves_the_profile_free() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = || ApiError::plain(1, 77, "wrong passphrase", None);
    let opened = open::<ApiError>(OpenOptions::new(dir.path()), |_| Err(wrong())).await;
    assert_eq!(opened.err(), Some(wrong()));
    holder(dir.path()).await.close().await;
}

#[tokio::test]
async fn events_reach_subscribers_here_and_over_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let here = holder(dir.path()).await;
    let there = client(dir.path()).await;
    let mut heard_here = here.subscribe(json!({})).await.unwrap();
    let mut heard_there = there.subscribe(json!({ "room": "general" })).await.unwrap();
    for room in ["press", "general"] {
        there.call("emit", json!({ "type": "message", "room": room })).await.unwrap();
    }
    let general = json!({ "type": "message", "room": "general" });
    assert_eq!(within("there", heard_there.next()).await, Some(general.clone()));
    assert_eq!(within("here", heard_here.next()).await.unwrap()["room"], "press");
    assert_eq!(within("here", heard_here.next()).await, Some(general));
    here.close().await;
    assert_eq!(within("the end", heard_there.next()).await, None);
    assert_eq!(within("the end", heard_here.next()).await, None);
}

/// Time passes by itself here whenever this side has nothing to do.
#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_comes_again_on_the_same_subscription() {
    let dir = tempfile::tempdir().unwrap();
    let here = holder(dir.path()).await;
    let mut events = here.subscribe(json!({ "window": 4 })).await.unwrap();
    let told = json!({ "type": "message", "id": "a" });
    assert_eq!(events.next().await, Some(told.clone()));
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(events.next().await, Some(told.clone()));
        assert!(begun.elapsed() >= AGAIN_AFTER, "{:?}", begun.elapsed());
    }
    here.call("ack", json!({ "id": "a" })).await.unwrap();
    tokio::time::advance(AGAIN_AFTER * 3).await;
    here.call("emit", json!({ "type": "connection" })).await.unwrap();
    assert_eq!(events.next().await, Some(json!({ "type": "connection" })));
}

#[tokio::test]
async fn a_stopping_holder_first_answers_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let handle = holder(dir.path()).await;
    let waiting = client(dir.path()).await;
    let fresh = client(dir.path()).await;
    // One call is being carried out, one comes just after the holder began to stop.
    let late = tokio::spawn(async move { waiting.call("later", json!({})).await });
    handle.call("echo", json!({})).await.unwrap();
    let closing = tokio::spawn(handle.close());
    assert_eq!(fresh.call("echo", json!({ "x": 1 })).await, Ok(json!({ "x": 1 })));
    assert_eq!(within("an answer", late).await.unwrap(), Ok(json!("at last")));
    within("the end", closing).await.unwrap();
}

/// A command looks whether the holder is there, then whether it is locked, and only then calls.
#[tokio::test]
async fn a_command_that_still_looks_when_its_holder_stops_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let handle = holder(dir.path()).await;
    let command = client(dir.path()).await;
    let closing = tokio::spawn(handle.close());
    // Gone in the same step in which the holder's connections are told to end.
    while dir.path().join("agent.sock").exists() {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        assert_eq!(command.is_locked().await, Ok(false));
    }
    assert_eq!(command.call("echo", json!({ "x": 1 })).await, Ok(json!({ "x": 1 })));
    within("the end", closing).await.unwrap();
}

#[tokio::test]
async fn calls_that_wait_are_bounded_and_abandoned_ones_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let handle = Arc::new(holder(dir.path()).await);
    let mut waiting = tokio::task::JoinSet::new();
    // More than there is room for: one of them may be refused in favour of a call below.
    for _ in 0..300 {
        let handle = Arc::clone(&handle);
        waiting.spawn(async move { handle.call("never", json!({})).await });
    }
    let refused = loop {
        // Answered at once as long as there is room.
        match handle.call("echo", json!({})).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.exit, 75);
    waiting.shutdown().await;
    assert_eq!(handle.call("echo", json!({})).await, Ok(json!({})));
}

#[tokio::test]
async fn a_dropped_handle_lets_go_of_the_profile_once_its_core_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let relay = super::fake_relay::FakeRelay::start().await;
    for _ in 0..3 {
        let (core, mut saw) = FakeCore::calling(relay.keys.clone(), &[&relay.address]);
        let handle = open::<ApiError>(OpenOptions::new(dir.path()), |_| Ok(core)).await.unwrap();
        assert!(handle.is_holder());
        let mut peer = relay.welcomed().await;
        within("the welcome", saw.recv()).await.unwrap();
        drop(handle);
        assert!(within("the core's end", saw.recv()).await.is_none());
        assert!(peer.frame().await.is_none());
    }
    holder(dir.path()).await.close().await;
}

#[tokio::test]
async fn an_agent_serves_until_it_is_told_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let handle = holder(dir.path()).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_forever(handle, async { drop(stopped.await) }));
    assert_eq!(client(dir.path()).await.call("echo", json!({})).await, Ok(json!({})));
    stop.send(()).unwrap();
    assert_eq!(within("the end", serving).await.unwrap(), Ok(()));
    assert!(!dir.path().join("agent.sock").exists());
}
