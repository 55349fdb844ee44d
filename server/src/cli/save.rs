//! Backups.

use std::path::{Path, PathBuf};

use super::{Backup, Global, load};
use crate::admin::{self, AdminError, Request};
use crate::backup::{self, BackupError, Identity, Recipient};
use crate::hub::system_clock;
use crate::init::{Layout, store_options};
use crate::store::sled::SledStore;

pub(super) fn backup(global: &Global, command: Backup) -> anyhow::Result<()> {
    match command {
        Backup::Create { file } => {
            let summary = create(global.data()?, &file)?;
            global.print(&summary, |summary| {
                format!(
                    "{} holds {} cells up to {}.\nCheck it: staffetta-relay backup verify {}",
                    file.display(),
                    summary["cells"],
                    summary["head"],
                    file.display()
                )
            })
        }
        Backup::Verify { file, identity } => {
            let summary = backup::verify(&file, &open(global, identity)?)?;
            global.print(&serde_json::to_value(&summary)?, |_| {
                format!("The backup is whole: {} cells up to {}.", summary.cells, summary.head)
            })
        }
        Backup::Restore { file, identity } => {
            let data = global.data()?;
            let restored = backup::restore(&file, data, &Identity::read(&identity)?)?;
            global.print(&serde_json::to_value(&restored)?, |_| {
                let mut text = format!("The relay is in {}.\n", data.display());
                if let Some((parent, seq)) = &restored.parent {
                    text.push_str(&format!(
                        "Its log has a new id and goes on after {seq} of log {parent}.\n\
                         Devices wait there until an admin says: staffetta relay accept\n"
                    ));
                }
                text
            })
        }
        Backup::Test { identity } => {
            let data = global.data()?;
            let identity = open(global, identity)?;
            let place = scratch();
            let tested = create(data, &place).and_then(|_| Ok(backup::test(&place, &identity)?));
            // It is sealed; what stays of it harms nobody.
            let _ = std::fs::remove_file(&place);
            let summary = tested?;
            global.print(&serde_json::to_value(&summary)?, |_| {
                format!(
                    "A backup was made, restored and compared: {} cells, {} values, {} chunks.",
                    summary.cells, summary.values, summary.chunks
                )
            })
        }
    }
}

fn scratch() -> PathBuf {
    let name: [u8; 16] =
        staffetta_protocol::random::bytes(&mut staffetta_protocol::random::OsRandom);
    let name = data_encoding::HEXLOWER.encode(&name);
    std::env::temp_dir().join(format!("staffetta-{name}.age"))
}

fn open(global: &Global, identity: Option<PathBuf>) -> anyhow::Result<Identity> {
    let path = match identity {
        Some(path) => path,
        None => Layout::new(global.data()?).identity(),
    };
    Ok(Identity::read(&path)?)
}

/// Asks the running relay for a backup, or makes it here if there is none.
fn create(data: &Path, file: &Path) -> anyhow::Result<serde_json::Value> {
    match admin::ask(data, &Request::Status {}) {
        Ok(_) => Ok(backup::create(file, |to| admin::fetch_backup(data, to))?),
        Err(AdminError::NotServing(_)) => {
            let config = load(data, vec![])?.config;
            let layout = Layout::new(data);
            let recipient = Recipient::read(&layout.recipient())?;
            // Opening makes an empty store where there is none.
            if !layout.store().exists() {
                anyhow::bail!("there is no relay in {}", data.display());
            }
            let store = SledStore::open(&layout.store(), store_options(&config))?;
            let write = |to: &mut _| backup::write(&layout, &store, &recipient, to);
            let summary = backup::create::<_, BackupError>(file, write)?;
            admin::backed_up(data, (system_clock())())?;
            Ok(serde_json::to_value(summary)?)
        }
        Err(error) => Err(error.into()),
    }
}
