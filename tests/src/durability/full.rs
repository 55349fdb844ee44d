//! Full disks: a small file system of its own for a relay, where the machine allows one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use staffetta_protocol::wire::frame::FailCode;

use super::oracle::Oracle;
use super::site::Site;
use super::team::{NotStored, ONLY_SEND, found, put};

/// Mebibytes: a ballast of 64 and a little more.
const SIZE: u64 = 104;
const LARGER: u64 = 320;
const LOW_DISK: u64 = 12 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// A file system in memory; taken down when dropped.
struct Mount(PathBuf);

impl Mount {
    fn call(what: &str, place: &Path) -> bool {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", what, "none"]).arg(place);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn new(place: &Path) -> Option<Self> {
        Self::call(&format!("size={SIZE}m"), place).then(|| Self(place.to_owned()))
    }

    fn enlarge(&self) -> anyhow::Result<()> {
        ensure!(Self::call(&format!("remount,size={LARGER}m"), &self.0), "remount failed");
        Ok(())
    }

    fn free(&self) -> anyhow::Result<u64> {
        let disk = rustix::fs::statvfs(&self.0)?;
        Ok(disk.f_bavail * disk.f_frsize)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// How the disk of a relay ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At the low-water mark.
    LowWater,
    /// With ENOSPC, because the mark was set to nothing.
    NoSpace,
}

/// Fills a relay's disk until it takes no more, gives it room and waits until it goes on by itself;
/// false where mounting is not allowed. Returns the time from room to the next ACK.
pub async fn run(binary: &Path, place: &Path, end: End) -> anyhow::Result<Option<Duration>> {
    let dir = tempfile::tempdir_in(place)?;
    let Some(mount) = Mount::new(dir.path()) else { return Ok(None) };
    let (mut site, code) = Site::init(binary, &dir.path().join("relay"))?;
    let low_disk = if end == End::LowWater { LOW_DISK } else { 0 };
    site.env = vec![("STAFFETTA__STORAGE__LOW_DISK".into(), low_disk.to_string())];
    let mut process = site.serve()?;
    let devices = found(&site, &process, &code, 1).await?;
    let device = devices.first().context("a device")?;
    let (mut link, _) = device.link(process.address, ONLY_SEND).await?;
    let (mut oracle, mut next, mut noticed) = (Oracle::default(), 0, false);
    let refused = loop {
        let numbers: Vec<u64> = (next..next + 60).collect();
        match put(&mut link, &numbers, &mut noticed).await {
            Ok(seqs) => oracle.acked(&numbers, &seqs)?,
            Err(NotStored::Refused(code)) => break code,
            Err(NotStored::Broken) => bail!("the relay went away"),
        }
        next += 60;
        ensure!(next < 200_000, "the disk never fills");
    };
    match end {
        End::LowWater => {
            ensure!(refused == FailCode::LowDisk, "refused with {refused:?}");
            ensure!(mount.free()? > LOW_DISK / 2, "refused only at the very end");
        }
        End::NoSpace => ensure!(refused == FailCode::Unavailable, "refused with {refused:?}"),
    }
    // Until there is room it goes on refusing, with the reason and a notice. Opening the store again
    // can give some room back at the very end; what is acknowledged in it counts like everything.
    let mut numbers: Vec<u64> = (next..next + 60).collect();
    let until = Instant::now() + PATIENCE;
    while !noticed {
        match put(&mut link, &numbers, &mut noticed).await {
            Ok(seqs) => {
                oracle.acked(&numbers, &seqs)?;
                numbers.iter_mut().for_each(|number| *number += 60);
            }
            Err(NotStored::Refused(FailCode::LowDisk | FailCode::Unavailable)) => {}
            Err(other) => bail!("{other:?}"),
        }
        ensure!(Instant::now() < until, "no notice came");
    }
    mount.enlarge()?;
    let enlarged = Instant::now();
    loop {
        match put(&mut link, &numbers, &mut noticed).await {
            Ok(seqs) => break oracle.acked(&numbers, &seqs)?,
            Err(NotStored::Refused(_)) => {}
            Err(NotStored::Broken) => bail!("the relay went away"),
        }
        ensure!(enlarged.elapsed() < PATIENCE, "it does not go on");
    }
    let took = enlarged.elapsed();
    ensure!(process.is_running()?, "it was restarted");
    oracle.check(&process, device).await?;
    drop(process);
    let process = site.serve()?;
    let mut again = Oracle::default();
    again.check(&process, device).await?;
    ensure!(again.checked() == oracle.checked(), "LOST: cells after a restart");
    Ok(Some(took))
}
