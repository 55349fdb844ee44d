//! Keeps a process's memory out of files.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps of this process, and other processes of the same user to attach to it.
/// Call it before any secret is read.
///
/// # Errors
/// What the kernel says; a process that must not leak ends then.
pub fn harden() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
