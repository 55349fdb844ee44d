//! `serve`: opens the store, listens, and goes down in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::Config;
use crate::hub::{Hub, system_clock};
use crate::init::{Layout, store_options};
use crate::logsafe::safe;
use crate::porch::Porch;
use crate::store::sled::SledStore;
use crate::stream::Listener;
use crate::{admin, listen, metrics, sd};

/// How long connections may take to end when the relay drains.
const DRAIN_TIME: Duration = Duration::from_secs(4);

/// Serves until SIGTERM, SIGINT or the operator's `drain`.
pub(crate) async fn serve(data: &Path, config: Config) -> anyhow::Result<()> {
    raise_descriptors();
    let layout = Layout::new(data);
    let key = layout
        .read_key()
        .with_context(|| format!("no relay in {}: run init first", data.display()))?;
    let (place, options) = (layout.store(), store_options(&config));
    let opened = tokio::task::spawn_blocking(move || SledStore::open(&place, options));
    let store = Arc::new(opened.await?.context("the store does not open")?);
    let (address, metrics_address) = (config.listen.address.clone(), config.listen.metrics);
    let hub = Arc::new(Hub::new(key, store, config, system_clock(), data)?);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = match sd::listener().context("the socket systemd holds is of no use")? {
        Some(listener) => listener,
        None => {
            Listener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?
        }
    };
    let operators = admin::bind(data).context("cannot listen on the admin socket")?;
    let mut tasks = vec![
        tokio::spawn(admin::serve(operators, hub.clone())),
        tokio::spawn(sd::watch(hub.clone())),
        tokio::spawn(hub.clone().keep_house()),
    ];
    if let Some(address) = metrics_address {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot serve metrics on {address}"))?;
        tasks.push(tokio::spawn(metrics::serve(listener, hub.clone())));
    }
    let measured = hub.clone();
    tokio::task::spawn_blocking(move || measured.measure());
    // The contract of this command: the first line, and only once a device can connect.
    eprintln!("listening on {}", listener.address()?);
    tell("READY=1");

    let porch = Porch::start()?;
    let (alive, mut gone) = mpsc::channel(1);
    let doorman = listen::Doorman::new(&hub, alive);
    let accepting = porch.handle().context("a porch")?.spawn(doorman.accept(listener));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = hub.control.drain.notified() => {}
    }
    tracing::info!("draining");
    tell("STOPPING=1");
    accepting.abort();
    hub.log.beat(|pulse| pulse.draining = true);
    // Nothing is ever sent: it ends when the last connection drops its sender.
    if timeout(DRAIN_TIME, gone.recv()).await.is_err() {
        tracing::warn!("connections were still open");
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let (commits, cells) = hub.log.totals();
    tokio::task::spawn_blocking(move || hub.save()).await??;
    // One that stays behind is replaced at the next start.
    let _ = std::fs::remove_file(admin::socket(data));
    tracing::info!(commits = safe(commits), cells = safe(cells), "stopped");
    Ok(())
}

fn tell(state: &str) {
    if let Err(error) = sd::notify(state) {
        tracing::warn!(kind = safe(error.kind()), "systemd does not hear us");
    }
}

/// Takes as many file descriptors as the system lets it have.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Refused, the relay lives with what it has; see `Hub::half_open`.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
