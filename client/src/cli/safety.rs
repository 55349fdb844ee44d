//! `wipe`, `passphrase`, `lock`, `unlock`

use std::path::Path;

use serde_json::json;

use crate::api::{self, Api, Calls, Profile};
use crate::errors::Failure;
use crate::output::Out;
use crate::passphrase::Source;
use crate::text;

/// `wipe`: key, files, then the device gives itself up if that can still be said.
pub(super) async fn wipe(profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    // What is open stays open when the files are gone.
    let api = Api::open_quietly(profile).await;
    api::wipe(&profile.dir)?;
    let revoked = match api {
        Some(api) => {
            let asked = api.call("forsake", api::none()).await;
            // Whoever held the profile would go on with what it has in memory.
            api.end().await;
            asked.is_ok()
        }
        None => false,
    };
    if out.style.json {
        return out.json(json!({"wiped": true, "revoked": revoked}));
    }
    out.done(text::wiped())?;
    out.note(if revoked { text::forsaken() } else { text::not_forsaken() });
    Ok(())
}

/// `lock`: a profile that nobody holds is locked already.
pub(super) async fn lock(profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    let holder = Api::holder(profile).await;
    if let Some(api) = &holder {
        api.call("lock", api::none()).await?;
    }
    if out.style.json {
        return out.json(json!({"locked": true}));
    }
    out.done(if holder.is_some() { text::locked() } else { text::not_held() })
}

/// `unlock`
pub(super) async fn unlock(profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    let Some(api) = Api::holder(profile).await else {
        return Err(Failure::refused(text::nobody_holds(), text::commands_unlock()));
    };
    api.unlock(profile.passphrase.existing()?).await?;
    if out.style.json {
        return out.json(json!({"locked": false}));
    }
    out.done(text::unlocked())
}

/// `passphrase`
pub(super) fn passphrase(
    profile: &Profile,
    new: Option<&Path>,
    out: &mut Out,
) -> Result<(), Failure> {
    let old = profile.passphrase.existing()?.into_inner();
    let new = Source::from_flag(new).new_profile()?.into_inner();
    api::change_passphrase(&profile.dir, &old, &new)?;
    if out.style.json {
        return out.json(json!({}));
    }
    out.done(text::passphrase_changed())
}
