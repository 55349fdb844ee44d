//! `webhook`

use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;

use super::interrupted;
use crate::api::{Api, Calls, Profile, Stay};
use crate::commands::WebhookArgs;
use crate::errors::{Failure, exit};
use crate::output::Out;
use crate::text;
use crate::webhook::{Door, Secret, may_listen};

/// `webhook`: listens until it is told to end.
pub(super) async fn run(
    args: WebhookArgs,
    profile: &Profile,
    out: &mut Out,
) -> Result<(), Failure> {
    if !may_listen(args.listen, args.public) {
        return Err(Failure::usage(text::webhook_not_loopback(), text::webhook_public()));
    }
    let secret = Secret::read(&args.secret_file)?;
    let api = Arc::new(Api::open(profile, Stay::Lasting).await?);
    let result = listen(args, secret, &api, out).await;
    if let Some(api) = Arc::into_inner(api) {
        api.close().await;
    }
    result
}

async fn listen(
    args: WebhookArgs,
    secret: Secret,
    api: &Arc<Api>,
    out: &mut Out,
) -> Result<(), Failure> {
    if !args.room.starts_with('@') {
        // A room that is not there is better known now than with the first alert.
        api.call("members", json!({"room": args.room})).await?;
    }
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let why = text::webhook_no_port(&text::words::kind(error.kind()));
        Failure::with(exit::CONFIG, why, text::webhook_other_port())
    })?;
    if let Ok(address) = listener.local_addr() {
        out.note(&text::webhook_listens(&address.to_string()));
    }
    let used = Arc::clone(api);
    let send = Box::new(move |params| {
        let api = Arc::clone(&used);
        let sending = async move { api.call("send", params).await };
        Box::pin(sending) as crate::webhook::Sending
    });
    let door = Door::new(send, args.room, secret, args.per_minute);
    tokio::select! {
        () = door.serve(listener) => {}
        () = interrupted() => {}
    }
    Ok(())
}
