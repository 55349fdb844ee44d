//! A relay's directory and the processes that serve it one after another.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use staffetta_protocol::noise::keys::{StaticPublic, StaticSecret};
use staffetta_protocol::secret::Secret;

const UNLIMITED: &str = "4000000000";

/// A relay's directory.
pub struct Site {
    /// The relay's program.
    pub binary: PathBuf,
    /// The directory.
    pub data: PathBuf,
    /// The relay's static key.
    pub key: StaticPublic,
    /// What every process gets beside the usual environment.
    pub env: Vec<(String, String)>,
}

/// A relay process; killed when dropped.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From start to ready.
    pub started_in: Duration,
}

impl Site {
    /// Makes a relay in `data` and returns its founder code.
    pub fn init(binary: &Path, data: &Path) -> anyhow::Result<(Self, String)> {
        let output = Command::new(binary)
            .args(["init", "--address", "127.0.0.1", "--json", "--data-dir"])
            .arg(data)
            .output()?;
        ensure!(output.status.success(), "init failed");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let code = said["founder_code"].as_str().context("a code")?.to_owned();
        let key = std::fs::read(data.join("keys/transport.key"))?;
        let key = StaticSecret::from_secret(Secret::copy(&key).context("a key")?).public();
        Ok((Self { binary: binary.to_owned(), data: data.to_owned(), key, env: vec![] }, code))
    }

    /// The same relay in another directory.
    pub fn moved(&self, data: &Path) -> Self {
        Self { binary: self.binary.clone(), data: data.to_owned(), key: self.key, env: vec![] }
    }

    /// Serves it until the process is dropped.
    pub fn serve(&self) -> anyhow::Result<Process> {
        let started = Instant::now();
        let mut child = Command::new(&self.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&self.data)
            .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
            .env("STAFFETTA__LIMITS__CELLS_PER_MINUTE", UNLIMITED)
            .env("STAFFETTA__LIMITS__CELLS_BURST", UNLIMITED)
            .env("STAFFETTA__LIMITS__CELLS_PER_DAY", UNLIMITED)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().context("stderr")?);
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            if stderr.read_line(&mut line)? == 0 {
                let _ = child.wait();
                anyhow::bail!("the relay does not start: {said}");
            }
            if let Some(address) = line.trim().strip_prefix("listening on ") {
                break address.parse()?;
            }
            said.push_str(&line);
        };
        let started_in = started.elapsed();
        // What it says later is nobody's business here, but must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Ok(Process { child, address, started_in })
    }
}

impl Process {
    /// Ends it with this signal, by name.
    pub fn end(&mut self, signal: &str) -> anyhow::Result<()> {
        if self.is_running()? {
            let pid = self.child.id().to_string();
            ensure!(Command::new("kill").args([signal, &pid]).status()?.success(), "kill");
            self.child.wait()?;
        }
        Ok(())
    }

    /// Resident bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: u64 = line.context("VmRSS")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024)
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
