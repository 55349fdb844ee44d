//! Whole teams in one process: engines on real stores, a relay that is a list, a clock by hand.

mod changes;
mod files;
mod forge;
mod looks;
mod rooms;
mod stories;
mod world;
