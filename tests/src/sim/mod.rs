//! The simulation: whole devices and a relay in one thread, on a clock by hand.
//!
//! It owns time, chance, the network between devices and relay, processes that die, and what must
//! be true whatever happens. It drives the engine as the agent does, through its public door; it
//! must never look into it. A seed decides everything but what OpenMLS draws from the operating
//! system, so that a failing seed takes the same course again.

mod calls;
pub mod choices;
pub mod device;
pub mod end;
pub mod hostile;
pub mod relay;
pub mod seeds;
pub mod story;
pub mod team;
pub mod truth;
pub mod world;

pub use end::Day;
pub use seeds::{Seeds, run};
pub use story::{ROUGH, Story};
