//! Stories of a profile that is locked while it is held.

use serde_json::json;
use zeroize::Zeroizing;

use super::fake_core::{FakeCore, Saw};
use super::fake_relay::{FakeRelay, Keys};
use super::*;

/// A profile that the passphrase "open" opens, as a core that only remembers.
struct FakeVault(Option<(Keys, String)>);

impl Vault for FakeVault {
    fn check(&self, passphrase: &Passphrase) -> Result<(), ApiError> {
        match passphrase.expose() {
            "open" => Ok(()),
            _ => Err(ApiError::plain(1, 77, "wrong", None)),
        }
    }

    fn open(&self, passphrase: &Passphrase) -> Result<Box<dyn Core>, ApiError> {
        self.check(passphrase)?;
        Ok(match &self.0 {
            Some((keys, to)) => FakeCore::calling(keys.clone(), &[to]).0,
            None => FakeCore::offline(),
        })
    }
}

async fn held(dir: &Path) -> Handle {
    let lock = ProfileLock::try_acquire(dir).unwrap();
    let vault = Box::new(FakeVault(None));
    hold_in(OpenOptions::new(dir), lock, FakeCore::offline(), vault).await.unwrap()
}

fn typed(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

#[tokio::test]
async fn a_locked_holder_says_so_and_does_nothing_else_until_it_is_unlocked() {
    let dir = tempfile::tempdir().unwrap();
    let here = held(dir.path()).await;
    let there = holder_of(dir.path()).await.unwrap();
    let mut heard = there.subscribe(json!({})).await.unwrap();
    assert!(!there.is_locked().await.unwrap());
    there.call("lock", json!({})).await.unwrap();
    assert_eq!(within("locked", heard.next()).await.unwrap()["type"], "locked");
    for handle in [&here, &there] {
        assert!(handle.is_locked().await.unwrap());
        let refused = handle.call("echo", json!({})).await.unwrap_err();
        assert_eq!((refused.exit, refused.is_locked()), (77, true));
        assert_eq!(handle.call("status", json!({})).await.unwrap()["locked"], true);
        assert_eq!(handle.subscribe(json!({})).await.err().map(|error| error.exit), Some(77));
        // Locking what is locked changes nothing.
        handle.call("lock", json!({})).await.unwrap();
        assert_eq!(handle.unlock(typed("guess")).await.unwrap_err().exit, 77);
    }
    let by_name = json!({ "passphrase": "guess" });
    assert_eq!(there.call("unlock", by_name).await.unwrap_err().exit, 77);
    assert_eq!(there.call("unlock", json!({})).await.unwrap_err().exit, 2);
    there.unlock(typed("open")).await.unwrap();
    assert_eq!(within("unlocked", heard.next()).await.unwrap()["type"], "unlocked");
    assert_eq!(here.call("echo", json!({ "x": 1 })).await, Ok(json!({ "x": 1 })));
    // The subscription has lasted.
    there.call("emit", json!({ "type": "message" })).await.unwrap();
    assert_eq!(within("an event", heard.next()).await.unwrap()["type"], "message");
    here.close().await;
}

#[tokio::test]
async fn a_screen_that_asks_for_the_passphrase_of_an_open_profile_has_it_checked() {
    let dir = tempfile::tempdir().unwrap();
    let here = held(dir.path()).await;
    assert_eq!(here.unlock(typed("guess")).await.unwrap_err().exit, 77);
    here.unlock(typed("open")).await.unwrap();
    here.close().await;
}

#[tokio::test]
async fn whoever_waits_when_the_profile_is_locked_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let here = Arc::new(held(dir.path()).await);
    let waiting = Arc::clone(&here);
    let waiting = tokio::spawn(async move { waiting.call("never", json!({})).await });
    // Calls are carried out in order, so that the next one comes after that.
    tokio::task::yield_now().await;
    here.call("echo", json!({})).await.unwrap();
    here.call("lock", json!({})).await.unwrap();
    assert!(within("an answer", waiting).await.unwrap().unwrap_err().is_locked());
}

#[tokio::test]
async fn the_link_goes_down_with_the_lock_and_comes_back_with_the_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let relay = FakeRelay::start().await;
    let (core, mut saw) = FakeCore::calling(relay.keys.clone(), &[&relay.address]);
    let lock = ProfileLock::try_acquire(dir.path()).unwrap();
    let vault = Box::new(FakeVault(Some((relay.keys.clone(), relay.address.clone()))));
    let here = hold_in(OpenOptions::new(dir.path()), lock, core, vault).await.unwrap();
    let mut peer = relay.welcomed().await;
    assert!(matches!(within("the welcome", saw.recv()).await, Some(Saw::Frame(_))));
    here.call("lock", json!({})).await.unwrap();
    assert!(peer.frame().await.is_none());
    // The core is gone, and nothing calls without one.
    assert!(within("the core's end", saw.recv()).await.is_none());
    here.unlock(typed("open")).await.unwrap();
    let _peer = relay.welcomed().await;
    here.close().await;
}

#[tokio::test]
async fn a_holder_locks_itself_when_nobody_asks_for_anything() {
    let dir = tempfile::tempdir().unwrap();
    let here = held(dir.path()).await;
    let mut heard = here.subscribe(json!({})).await.unwrap();
    assert_eq!(here.call("lock.after", json!({})).await.unwrap_err().exit, 2);
    here.call("lock.after", json!({ "idle_s": 1 })).await.unwrap();
    assert_eq!(within("locked", heard.next()).await.unwrap()["type"], "locked");
    here.unlock(typed("open")).await.unwrap();
    assert_eq!(within("unlocked", heard.next()).await.unwrap()["type"], "unlocked");
    assert_eq!(within("locked again", heard.next()).await.unwrap()["type"], "locked");
    here.unlock(typed("open")).await.unwrap();
    here.call("lock.after", json!({ "idle_s": 0 })).await.unwrap();
    assert_eq!(here.call("echo", json!({})).await, Ok(json!({})));
    here.close().await;
}

#[tokio::test]
async fn a_holder_ends_when_it_is_told_to_and_when_its_profile_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let serving = tokio::spawn(serve_forever(held(dir.path()).await, std::future::pending()));
    holder_of(dir.path()).await.unwrap().end().await;
    assert_eq!(within("its end", serving).await.unwrap().map_err(|error| error.exit), Err(75));
    let serving = tokio::spawn(serve_forever(held(dir.path()).await, std::future::pending()));
    super::super::wipe(dir.path()).unwrap();
    assert_eq!(within("its end", serving).await.unwrap().map_err(|error| error.exit), Err(75));
    assert!(!dir.path().exists());
}
