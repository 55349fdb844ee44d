//! The porch: where strangers stand, on threads of their own and behind everybody else.
//!
//! Accepting, reading heads, checking tokens and the public-key work of handshakes happen here.
//! Its few threads bound how much of that runs at once, and their low priority makes the system
//! run enrolled devices' work first; so the porch is the global budget of strangers, in time
//! instead of in numbers that would fit one machine only.
//!
//! A low weight alone is not enough: a thread that an interrupt wakes waits until the scheduler's
//! slice of the stranger's thread is over, for milliseconds at every wake-up on the way to an ACK.
//! Threads of the idle policy (`sched(7)`, `SCHED_IDLE`) make way at once.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::runtime::{Builder, Handle, Runtime};

/// The niceness of the porch's threads (`setpriority(2)`), a seventieth of others' weight: for where
/// the idle policy is refused.
const NICENESS: i32 = 19;
/// One thread of the porch for so many cores.
const CORES_PER_THREAD: usize = 2;

/// The runtime of strangers.
pub(crate) struct Porch(Option<Runtime>);

impl Porch {
    /// Starts its threads: half as many as there are cores, and one at least.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let named = AtomicUsize::new(0);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / CORES_PER_THREAD).max(1))
            .thread_name_fn(move || format!("porch-{}", named.fetch_add(1, Ordering::Relaxed)))
            .on_thread_start(stand_back)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to spawn its work; `None` after the end.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

/// Puts the calling thread behind all others. Refused by a sandbox it is only less good.
fn stand_back() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

impl Drop for Porch {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Whoever still stands there is a stranger; a runtime cannot wait inside another.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_stand_behind_everybody_else() {
        let porch = Porch::start().unwrap();
        let (answer, asked) = std::sync::mpsc::channel();
        porch.handle().unwrap().spawn(async move {
            answer.send(thread_priority::thread_schedule_policy()).unwrap();
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(asked.recv().unwrap(), Ok(idle));
    }
}
