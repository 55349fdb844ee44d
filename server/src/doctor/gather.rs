//! Looking.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::facts::Facts;
use serde_json::Value;

use crate::address::ListenAddress;
use crate::admin::{self, Request};
use crate::config::{Config, ConfigError, Loaded};
use crate::hub::system_clock;
use crate::init::Layout;

/// Where units are installed.
const UNITS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"];
/// Where systemd keeps what `LoadCredential=` names.
const CREDENTIALS: &str = "/etc/credstore";
const UNIT: &str = "staffetta-relay.service";
/// What keeps a clock right, as processes are called.
const TIME_KEEPERS: [&str; 4] = ["chronyd", "ntpd", "ntpd-rs", "systemd-timesyn"];
/// Descriptors beside the connections'.
const SPARE_FILES: u64 = 256;
/// Devices of a full relay.
const FULL_TEAM: u64 = 300;
/// `LISTEN` in /proc/net/tcp.
const LISTENING: &str = "0A";

/// Looks at the relay in `data`, whose configuration came out as `loaded`.
pub(crate) fn gather(data: &Path, loaded: Result<Loaded, ConfigError>) -> Facts {
    let layout = Layout::new(data);
    let status = admin::ask(data, &Request::Status {}).ok();
    let pid = status.as_ref().and_then(|status| status.get("pid").and_then(Value::as_u64));
    let (config, config_error) = match loaded {
        Ok(loaded) => (loaded.config, None),
        Err(error) => {
            let key = match &error {
                ConfigError::Value { key, .. } => Some(key.clone()),
                _ => None,
            };
            (Config::default(), Some((error.to_string(), key)))
        }
    };
    let (newest_file, disk_used) = walk(data);
    let limits = limits(pid);
    let per_device = config.limits.connections_per_device as u64;
    Facts {
        listen: match &config.listen.address {
            ListenAddress::Tcp(address) if config_error.is_none() => Some(*address),
            _ => None,
        },
        metrics: config.listen.metrics,
        logs_addresses: config.privacy.log_addresses,
        config_error,
        has_store: layout.store().exists(),
        serving: status.map(|status| status.get("ready").and_then(Value::as_bool).unwrap_or(false)),
        modes: modes(&layout),
        is_root: owner(pid, data) == Some(0),
        now: (system_clock())(),
        newest_file,
        built: std::env::current_exe().ok().and_then(|exe| changed(&fs::metadata(exe).ok()?)),
        clock_is_kept: clock_is_kept(),
        disk_free: admin::disk_free(data),
        low_disk: config.storage.low_disk,
        disk_used,
        max_disk: config.storage.max_disk,
        last_backup: admin::last_backup(data),
        has_recipient: layout.recipient().exists(),
        core_limit: limit(&limits, "Max core file size"),
        swap: swap(pid),
        file_limit: limit(&limits, "Max open files"),
        files_needed: config.limits.half_open as u64 + FULL_TEAM * per_device + SPARE_FILES,
        public_ports: public_ports(),
        exposure: exposure(),
    }
}

/// The modes of private files; the static key may have moved to systemd's store.
fn modes(layout: &Layout) -> Vec<(PathBuf, Option<u32>)> {
    let seen = layout.private().map(|path| {
        let stored = Path::new(CREDENTIALS).join(path.file_name().unwrap_or_default());
        let path = if path.exists() || !stored.exists() { path } else { stored };
        let mode = mode(&path);
        (path, mode)
    });
    seen.to_vec()
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

fn changed(meta: &fs::Metadata) -> Option<u64> {
    u64::try_from(meta.mtime()).ok()
}

/// The newest time on a file under `dir`, and the bytes of all.
fn walk(dir: &Path) -> (Option<u64>, u64) {
    let (mut newest, mut bytes) = (None, 0);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            let (inner, more) = walk(&entry.path());
            newest = newest.max(inner);
            bytes += more;
        } else {
            newest = newest.max(changed(&meta));
            bytes += meta.len();
        }
    }
    (newest, bytes)
}

/// The user of the running relay, or whose the directory is.
fn owner(pid: Option<u64>, data: &Path) -> Option<u32> {
    let status = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let line = status.as_deref().and_then(|status| {
        status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1))
    });
    match line {
        Some(uid) => uid.parse().ok(),
        None => Some(fs::metadata(data).ok()?.uid()),
    }
}

/// Of the running relay, or of what would be started from here.
fn limits(pid: Option<u64>) -> String {
    let process = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default()
}

/// The soft limit `name` in a /proc/PID/limits.
fn limit(text: &str, name: &str) -> Option<u64> {
    let word = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next())?;
    Some(word.parse().unwrap_or(u64::MAX))
}

fn clock_is_kept() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    Some(processes.any(|process| {
        let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        TIME_KEEPERS.contains(&name.trim())
    }))
}

/// Swap that is no compressed memory, unless the relay's control group may not use it.
fn swap(pid: Option<u64>) -> Vec<String> {
    let group = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok());
    let allowed = group.as_deref().and_then(|group| {
        let path = group.lines().find_map(|line| line.strip_prefix("0::/"))?;
        fs::read_to_string(Path::new("/sys/fs/cgroup").join(path).join("memory.swap.max")).ok()
    });
    if allowed.is_some_and(|max| max.trim() == "0") {
        return Vec::new();
    }
    swap_devices(&fs::read_to_string("/proc/swaps").unwrap_or_default())
}

fn swap_devices(swaps: &str) -> Vec<String> {
    let devices = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    devices.filter(|device| !device.contains("zram")).map(str::to_owned).collect()
}

fn public_ports() -> Vec<SocketAddr> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let text: String = tables.iter().filter_map(|table| fs::read_to_string(table).ok()).collect();
    let mut found: Vec<_> = listening(&text)
        .into_iter()
        .filter(|address| !crate::config::is_private(address.ip().to_canonical()))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The listening sockets of a /proc/net/tcp or tcp6.
fn listening(table: &str) -> Vec<SocketAddr> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (local, state) = (words.next()?, words.nth(1)?);
        let (address, port) = local.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let address = match address.len() {
            8 => {
                let raw = u32::from_str_radix(address, 16).ok()?;
                IpAddr::V4(Ipv4Addr::from(raw.to_le_bytes()))
            }
            32 => {
                // Four words, each in the machine's order.
                let mut bytes = [0; 16];
                for (word, out) in bytes.chunks_mut(4).enumerate() {
                    let digits = address.get(8 * word..8 * word + 8)?;
                    out.copy_from_slice(&u32::from_str_radix(digits, 16).ok()?.to_le_bytes());
                }
                IpAddr::V6(Ipv6Addr::from(bytes))
            }
            _ => return None,
        };
        (state == LISTENING).then_some(SocketAddr::new(address, port))
    };
    table.lines().filter_map(line).collect()
}

/// What systemd gives the installed unit, in tenths.
fn exposure() -> Option<u32> {
    let unit = UNITS.iter().map(|dir| PathBuf::from(dir).join(UNIT)).find(|unit| unit.exists())?;
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(unit)
        .output()
        .ok()?;
    overall(&String::from_utf8_lossy(&output.stdout))
}

/// The figure in `Overall exposure level for UNIT: 1.2 OK`.
fn overall(text: &str) -> Option<u32> {
    let line = text.lines().find(|line| line.contains("Overall exposure level"))?;
    let figure = line.rsplit_once(": ")?.1.split_whitespace().next()?;
    let (whole, tenth) = figure.split_once('.')?;
    Some(whole.parse::<u32>().ok()? * 10 + tenth.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:1D13 00000000:0000 0A 00000000:00000000\n\
             1: 00000000:0016 00000000:0000 0A 00000000:00000000\n\
             2: 0A01A8C0:8000 0101A8C0:0016 01 00000000:00000000\n\
             0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0\n\
             0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0\n";
        let found: Vec<_> = listening(table).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1:7443", "0.0.0.0:22", "[::]:8080", "[::1]:8081"]);
        let swaps = "Filename Type Size\n/dev/zram0 partition 1\n/swapfile file 2\n";
        assert_eq!(swap_devices(swaps), ["/swapfile"]);
        let limits = "Limit                     Soft Limit           Hard Limit\n\
             Max core file size        unlimited            unlimited            bytes\n\
             Max open files            1024                 4096                 files\n";
        assert_eq!(limit(limits, "Max core file size"), Some(u64::MAX));
        assert_eq!(limit(limits, "Max open files"), Some(1_024));
        let said = "\u{2192} Overall exposure level for staffetta-relay.service: 1.3 OK :-)\n";
        assert_eq!(overall(said), Some(13));
    }
}
