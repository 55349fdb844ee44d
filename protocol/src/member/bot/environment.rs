//! Opening the profile that the environment names, and enrolling it first if it is new.

use std::env;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::agent::{self, Handle, JoinEvent, JoinOptions, OpenOptions, Stay};
use super::super::engine::BOT_NAME;
use super::super::store::{Passphrase, has_key};
use super::backend::Profile;
use super::error::{Error, Result};
use crate::invite_code::InviteCode;

/// The longest passphrase or code that is read, in bytes.
const MAX_SECRET_FILE: u64 = 4_096;

/// The profile of `STAFFETTA_PROFILE`, held by this process or by another one.
pub(super) async fn profile() -> Result<Profile> {
    let dir = PathBuf::from(variable("STAFFETTA_PROFILE")?);
    let handle = match env::var_os("STAFFETTA_INVITE_FILE") {
        Some(_) if !is_member(&dir).await? => enrol(dir.clone()).await?,
        _ => open(dir.clone()).await?,
    };
    Ok(Profile::new(dir, handle))
}

fn passphrase() -> Result<Zeroizing<String>> {
    read_secret("STAFFETTA_PASSPHRASE_FILE")
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).ok_or_else(|| Error::new(format!("{name} is not set.")))
}

/// The secret in the file that a variable names, less its final newline.
fn read_secret(name: &str) -> Result<Zeroizing<String>> {
    use std::io::Read;
    let unreadable = |error| Error::new(format!("The file of {name} cannot be read: {error}."));
    let file = std::fs::File::open(variable(name)?).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::with_capacity(MAX_SECRET_FILE as usize));
    file.take(MAX_SECRET_FILE).read_to_string(&mut text).map_err(unreadable)?;
    let kept = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(kept);
    Ok(text)
}

/// Whether the profile is a member's already, so that the invite is done with.
async fn is_member(dir: &Path) -> Result<bool> {
    let passphrase = Passphrase::new(passphrase()?);
    if !has_key(dir) {
        return Ok(false);
    }
    let options = OpenOptions { connect: false, stay: Stay::Brief, ..OpenOptions::new(dir) };
    let handle = agent::open(options, |dir| agent::unlock(dir, &passphrase)).await?;
    let status = handle.call("status", json!({})).await;
    handle.close().await;
    Ok(status?.get("inside") == Some(&Value::Bool(true)))
}

/// Opens the profile in `dir`: takes its lock, or becomes its holder's client.
pub(super) async fn open(dir: PathBuf) -> Result<Handle> {
    let passphrase = Passphrase::new(passphrase()?);
    let unlock = |dir: &Path| agent::unlock(dir, &passphrase);
    Ok(agent::open(OpenOptions::new(dir), unlock).await?)
}

async fn enrol(dir: PathBuf) -> Result<Handle> {
    let text = read_secret("STAFFETTA_INVITE_FILE")?;
    let code = InviteCode::parse(&text)
        .map_err(|error| Error::new(format!("The code in STAFFETTA_INVITE_FILE: {error}.")))?;
    let options = JoinOptions {
        dir,
        passphrase: Passphrase::new(passphrase()?),
        code: Some(code),
        name: BOT_NAME.to_owned(),
        label: BOT_NAME.to_owned(),
        proxy: None,
    };
    let mut on = |_: JoinEvent| Ok::<_, Error>(ControlFlow::Continue(()));
    let handle = agent::join(options, &mut on).await?;
    handle.ok_or_else(|| Error::new("The enrolment was interrupted."))
}
