//! Whole teams in one process: engines on real stores, a relay that is a list, a clock by hand.

mod own_devices;
mod room_state;
mod rooms;
mod stories;
mod world;
