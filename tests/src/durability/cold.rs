//! How long a relay takes from start to ready, and what memory it then has.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use super::site::Site;
use super::team::{ONLY_SEND, found, put};

/// One start.
pub struct Start {
    /// Cells in the log.
    pub cells: u64,
    /// From start to ready.
    pub took: Duration,
    /// Resident bytes then.
    pub memory: u64,
}

/// Starts a relay with an empty log and with `cells` cells, `times` times each.
pub async fn run(
    binary: &Path,
    place: &Path,
    cells: u64,
    times: usize,
) -> anyhow::Result<Vec<Start>> {
    let dir = tempfile::tempdir_in(place)?;
    let (site, code) = Site::init(binary, &dir.path().join("relay"))?;
    let process = site.serve()?;
    let devices = found(&site, &process, &code, 4).await?;
    drop(process);
    let mut starts = Vec::new();
    for count in [0, cells] {
        let process = site.serve()?;
        let mut tasks = tokio::task::JoinSet::new();
        for (place, device) in (0_u64..).zip(&devices) {
            let (device, address) = (device.clone(), process.address);
            tasks.spawn(async move {
                let (mut link, _) = device.link(address, ONLY_SEND).await?;
                let (mut next, end) = (place << 40, (place << 40) + count / 4);
                while next < end {
                    let numbers: Vec<u64> = (next..end.min(next + 60)).collect();
                    if let Err(error) = put(&mut link, &numbers, &mut false).await {
                        bail!("{error:?}");
                    }
                    next += numbers.len() as u64;
                }
                Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        drop(process);
        for _ in 0..times {
            let process = site.serve()?;
            let memory = process.memory()?;
            let device = devices.first().context("a device")?;
            let (_, welcome) = device.link(process.address, ONLY_SEND).await?;
            starts.push(Start { cells: welcome.head, took: process.started_in, memory });
        }
    }
    Ok(starts)
}
