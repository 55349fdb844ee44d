//! `serve`: opens the store, listens, and goes down in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::Config;
use crate::hub::{Hub, system_clock};
use crate::init::{Layout, store_options};
use crate::listen;
use crate::porch::Porch;
use crate::store::sled::SledStore;
use crate::stream::Listener;

/// How long connections may take to end when the relay drains.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(data: &Path, config: Config) -> anyhow::Result<()> {
    raise_descriptors();
    let layout = Layout::new(data);
    let key = layout
        .read_key()
        .with_context(|| format!("no relay in {}: run init first", data.display()))?;
    let (place, options) = (layout.store(), store_options(&config));
    let opened = tokio::task::spawn_blocking(move || SledStore::open(&place, options));
    let store = Arc::new(opened.await?.context("the store does not open")?);
    let address = config.listen.address.clone();
    let hub = Arc::new(Hub::new(key, store, config, system_clock())?);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener =
        Listener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    // The contract of this command: the first line, and only once a device can connect.
    eprintln!("listening on {}", listener.address()?);

    let porch = Porch::start()?;
    let (alive, mut gone) = mpsc::channel(1);
    let doorman = listen::Doorman::new(&hub, alive);
    let accepting = porch.handle().context("a porch")?.spawn(doorman.accept(listener));
    let house = tokio::spawn(hub.clone().keep_house(data.to_owned()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    accepting.abort();
    house.abort();
    hub.log.beat(|pulse| pulse.draining = true);
    // Nothing is ever sent: it ends when the last connection drops its sender.
    if timeout(DRAIN_TIME, gone.recv()).await.is_err() {
        tracing::warn!("connections were still open");
    }
    let (commits, cells) = hub.log.totals();
    tokio::task::spawn_blocking(move || hub.save()).await??;
    tracing::info!(commits, cells, "stopped");
    Ok(())
}

/// Takes as many file descriptors as the system lets it have.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Refused, the relay lives with what it has; see `Hub::half_open`.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
