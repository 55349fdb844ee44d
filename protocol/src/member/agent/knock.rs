//! A look from outside whether anything like a relay answers at an address: a web request that says
//! nothing of who asks, as any visitor could make it. The relay answers it as it answers strangers.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::address::{Address, Proxy};
use super::connection::reach_tcp;
use super::upgrade::{is_not_found, read_head};

/// Time for name, TCP, proxy and answer of one address.
const KNOCK: Duration = Duration::from_secs(6);

/// Puts into the engine's answer to `doctor` whether each address answers: `knocked`, an array of
/// `{"address", "spare", "answers"}`. That of the standing connection needs no knock.
pub(super) async fn complete(mut facts: Value, proxy: Option<&Proxy>) -> Value {
    let texts = |of: Option<&Value>| -> Vec<String> {
        let all = of.and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let connected = facts.get("connected").and_then(Value::as_bool).unwrap_or_default();
    let in_use = facts.get("in_use").and_then(Value::as_str).filter(|_| connected);
    let own = texts(facts.get("addresses")).into_iter().map(|address| (address, false));
    let spare = texts(facts.pointer("/spare/addresses")).into_iter().map(|address| (address, true));
    let visits = own.chain(spare).map(|(address, spare)| {
        let stands = !spare && in_use == Some(address.as_str());
        async move {
            let answers = if stands { Some(true) } else { answers(&address, proxy).await };
            json!({"address": address, "spare": spare, "answers": answers})
        }
    });
    let knocked = Value::Array(join_all(visits).await);
    if let Some(fields) = facts.as_object_mut() {
        fields.insert("knocked".to_owned(), knocked);
    }
    facts
}

/// Whether somebody at `address` answers as the relay does to strangers; `None` if this device has
/// no way to such an address.
async fn answers(address: &str, proxy: Option<&Proxy>) -> Option<bool> {
    let address = Address::parse(address)?;
    if address.is_onion() && proxy.is_none() {
        return None;
    }
    let look = async {
        let mut tcp = reach_tcp(&address, proxy).await.ok()?;
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        tcp.write_all(request.as_bytes()).await.ok()?;
        let (head, _) = read_head(&mut tcp).await.ok()?;
        Some(is_not_found(&head))
    };
    Some(timeout(KNOCK, look).await.ok().flatten().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one visitor, and returns what it asked.
    async fn host(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 1_024];
            let read = tcp.read(&mut asked).await.unwrap();
            tcp.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn a_knock_says_nothing_of_who_asks_and_hears_what_strangers_hear() {
        let (relay, asked) = host("HTTP/1.1 404 Not Found\r\n\r\n").await;
        let (other, _) = host("HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let facts = json!({"connected": true, "in_use": "here.example:1",
            "addresses": ["here.example:1", relay, "far.onion:1"],
            "spare": {"addresses": [other, gone.to_string()]}});
        let knocked = complete(facts, None).await;
        let answers: Vec<_> = knocked["knocked"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["spare"].as_bool().unwrap(), it["answers"].as_bool()))
            .collect();
        let wanted = [
            (false, Some(true)),
            (false, Some(true)),
            (false, None),
            (true, Some(false)),
            (true, Some(false)),
        ];
        assert_eq!(answers, wanted);
        let asked = asked.await.unwrap().to_lowercase();
        assert!(asked.starts_with("get / http/1.1") && !asked.contains("authorization"), "{asked}");
        assert!(!asked.contains("websocket") && !asked.contains("user-agent"), "{asked}");
    }
}
