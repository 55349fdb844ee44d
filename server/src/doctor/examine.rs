//! The checks.

use super::facts::Facts;
use super::{Finding, State};
use crate::utc::utc;

/// Days after which a backup is stale and a program is old.
const BACKUP_DAYS: u64 = 2;
const PROGRAM_DAYS: u64 = 180;
const DAY: u64 = 86_400;
/// Seconds by which a file may be newer than now.
const CLOCK_SLACK: u64 = 600;
/// The exposure level that the unit of `deploy/` stays under, in tenths.
const MAX_EXPOSURE: u32 = 15;
/// Ports beside the relay's own on which a machine may listen for the public: SSH and a proxy.
const USUAL_PORTS: [u16; 3] = [22, 80, 443];
/// No relay ran before its first release.
const FIRST_RELEASE: u64 = 1_767_225_600;

type Verdict = (State, String, String);
/// A check: its name, and what it makes of the facts.
type Check = (&'static str, fn(&Facts) -> Verdict);

fn ok(found: impl Into<String>) -> Verdict {
    (State::Ok, found.into(), String::new())
}

fn warn(found: impl Into<String>, todo: impl Into<String>) -> Verdict {
    (State::Warn, found.into(), todo.into())
}

fn fail(found: impl Into<String>, todo: impl Into<String>) -> Verdict {
    (State::Fail, found.into(), todo.into())
}

/// Everything, in a fixed order.
pub(crate) fn examine(facts: &Facts) -> Vec<Finding> {
    let checks: [Check; 15] = [
        ("configuration", configuration),
        ("serving", serving),
        ("permissions", permissions),
        ("user", user),
        ("clock", clock),
        ("disk", disk),
        ("size", size),
        ("backup", backup),
        ("core_dumps", core_dumps),
        ("swap", swap),
        ("metrics", metrics),
        ("ports", ports),
        ("files", files),
        ("unit", unit),
        ("version", version),
    ];
    let find = |(check, judge): Check| {
        let (state, found, todo) = judge(facts);
        Finding { check, state, found, todo }
    };
    checks.into_iter().map(find).collect()
}

fn configuration(facts: &Facts) -> Verdict {
    match &facts.config_error {
        Some((error, _)) => fail(error, "correct that line; the relay does not start with it"),
        None if facts.logs_addresses => warn(
            "source addresses are logged",
            "set privacy.log_addresses = false once the flooder is found, and erase the log",
        ),
        None => ok("read without an error"),
    }
}

fn serving(facts: &Facts) -> Verdict {
    match facts.serving {
        Some(true) => ok("the relay answers and is ready"),
        Some(false) => fail(
            "the relay answers and is not ready",
            "see `status`: in maintenance, draining, or no room on the disk",
        ),
        None if facts.has_store => warn("no relay answers here", "start it: serve, or systemctl"),
        None => fail("there is no relay in this directory", "check --data-dir, or run init"),
    }
}

fn permissions(facts: &Facts) -> Verdict {
    let open = facts.modes.iter().find(|(_, mode)| mode.is_some_and(|mode| mode & 0o077 != 0));
    // Only what opens backups may be kept elsewhere and nowhere else.
    let missing = facts
        .modes
        .iter()
        .find(|(path, mode)| mode.is_none() && !path.ends_with("keys/backup.key"));
    match (open, missing) {
        (Some((path, mode)), _) => fail(
            format!("{} has mode {:04o}", path.display(), mode.unwrap_or(0)),
            format!(
                "chmod go= {}; if others use this machine, take the key for stolen (RUNBOOK, Rotate keys)",
                path.display()
            ),
        ),
        (None, Some((path, _))) => fail(
            format!("{} is missing", path.display()),
            "restore it from a backup; init never repairs",
        ),
        (None, None) => ok("only the relay's user reads its files"),
    }
}

fn user(facts: &Facts) -> Verdict {
    match facts.is_root {
        true => {
            fail("the relay runs as root", "run it as a user of its own: the unit in deploy/ does")
        }
        false => ok("the relay does not run as root"),
    }
}

fn clock(facts: &Facts) -> Verdict {
    let now = facts.now;
    let ahead = facts.newest_file.filter(|newest| *newest > now + CLOCK_SLACK);
    let todo = "set the clock: timedatectl set-ntp true; devices 10 minutes off are refused";
    match (ahead, facts.clock_is_kept) {
        _ if now < FIRST_RELEASE => fail(format!("it says {}", utc(now)), todo),
        (Some(newest), _) => fail(
            format!("it says {}, but a file here was written at {}", utc(now), utc(newest)),
            todo,
        ),
        (None, Some(false)) => warn(
            format!("it says {} and nothing keeps it right", utc(now)),
            "install chrony, or timedatectl set-ntp true",
        ),
        (None, _) => ok(format!("it says {}", utc(now))),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

fn disk(facts: &Facts) -> Verdict {
    let Some(free) = facts.disk_free else {
        return warn("the system does not say how much is free", "");
    };
    let found = format!("{} free", mebibytes(free));
    let todo = "make room, take a larger disk, or keep less: storage.keep";
    match free {
        _ if free < facts.low_disk => {
            fail(format!("{found}, nothing is accepted below {}", mebibytes(facts.low_disk)), todo)
        }
        _ if free < facts.low_disk.saturating_mul(2) => warn(found, todo),
        _ => ok(found),
    }
}

fn size(facts: &Facts) -> Verdict {
    let found = format!("{} of {}", mebibytes(facts.disk_used), mebibytes(facts.max_disk));
    match facts.disk_used {
        used if used > facts.max_disk => {
            fail(found, "raise storage.max_disk or lower storage.keep: nothing is accepted")
        }
        used if used > facts.max_disk / 10 * 8 => {
            warn(found, "raise storage.max_disk or lower storage.keep soon")
        }
        _ => ok(found),
    }
}

fn backup(facts: &Facts) -> Verdict {
    let todo = "staffetta-relay backup create FILE, then copy FILE to another machine; daily";
    match facts.last_backup {
        _ if !facts.has_recipient => fail(
            "backup.recipient is missing",
            "write the `public key` line of keys/backup.key to DIR/backup.recipient",
        ),
        None => fail("there was never one", todo),
        Some(at) if facts.now.saturating_sub(at) > BACKUP_DAYS * DAY => {
            fail(format!("the last was made at {}", utc(at)), todo)
        }
        Some(at) => ok(format!("the last was made at {}", utc(at))),
    }
}

fn core_dumps(facts: &Facts) -> Verdict {
    match facts.core_limit {
        Some(0) => ok("off"),
        None => warn("the system does not say", ""),
        Some(_) => fail(
            "the relay may leave core dumps, with its keys in them",
            "LimitCORE=0 in the unit, or ulimit -c 0 before serve",
        ),
    }
}

fn swap(facts: &Facts) -> Verdict {
    match facts.swap.first() {
        None => ok("off, or not for the relay"),
        Some(device) => fail(
            format!("on: {device}"),
            "swapoff -a and take it out of /etc/fstab, or MemorySwapMax=0 in the unit",
        ),
    }
}

fn metrics(facts: &Facts) -> Verdict {
    let refused =
        facts.config_error.as_ref().filter(|(_, key)| key.as_deref() == Some("listen.metrics"));
    match (refused, facts.metrics) {
        (Some((error, _)), _) => {
            fail(error, "take 127.0.0.1:9464 and let the monitor come through SSH or a VPN")
        }
        (None, Some(address)) if !address.ip().is_loopback() => warn(
            format!("served on {address}, which others on that network can read"),
            "let only the monitor in: deploy/nftables.conf",
        ),
        (None, Some(address)) => ok(format!("served on {address}")),
        (None, None) => ok("not served"),
    }
}

fn ports(facts: &Facts) -> Verdict {
    let own = facts.listen.map(|address| address.port());
    let strange: Vec<_> = facts
        .public_ports
        .iter()
        .filter(|address| !USUAL_PORTS.contains(&address.port()) && Some(address.port()) != own)
        .map(ToString::to_string)
        .collect();
    match strange.as_slice() {
        [] => ok("nothing else listens for the public"),
        _ => fail(
            format!("something else listens on {}", strange.join(", ")),
            "stop it, bind it to 127.0.0.1, or close it in the firewall: deploy/nftables.conf",
        ),
    }
}

fn files(facts: &Facts) -> Verdict {
    match facts.file_limit {
        Some(limit) if limit < facts.files_needed => fail(
            format!("{limit} descriptors, the limits add up to {}", facts.files_needed),
            format!("LimitNOFILE={} in the unit, or ulimit -n", facts.files_needed),
        ),
        Some(limit) => ok(format!("{limit} descriptors")),
        None => warn("the system does not say", ""),
    }
}

fn unit(facts: &Facts) -> Verdict {
    let shown = |tenths: u32| format!("{}.{}", tenths / 10, tenths % 10);
    match facts.exposure {
        Some(exposure) if exposure > MAX_EXPOSURE => fail(
            format!("systemd gives it an exposure of {}", shown(exposure)),
            "install deploy/staffetta-relay.service; its own drop-ins must not loosen it",
        ),
        Some(exposure) => ok(format!("systemd gives it an exposure of {}", shown(exposure))),
        None => warn(
            "no systemd unit staffetta-relay.service is installed",
            "fine in a container; else install deploy/staffetta-relay.service",
        ),
    }
}

fn version(facts: &Facts) -> Verdict {
    let version = env!("CARGO_PKG_VERSION");
    let days = facts.built.map(|built| facts.now.saturating_sub(built) / DAY);
    match days {
        Some(days) if days > PROGRAM_DAYS => warn(
            format!("{version}, installed {days} days ago"),
            "look for a newer one; a relay that is not kept up to date is not kept",
        ),
        _ => ok(version),
    }
}
