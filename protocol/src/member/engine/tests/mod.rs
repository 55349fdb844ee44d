//! Whole teams in one process: engines on real stores, a relay that is a list, a clock by hand.

mod beacons;
mod blobs;
mod changes;
mod chaos;
mod control;
mod files;
mod forge;
mod frames;
mod healing;
mod hostile;
mod own_cells;
mod own_devices;
mod relay;
mod restored;
mod resync;
mod revoked;
mod roles;
mod room_state;
mod rooms;
mod standstill;
mod stories;
mod timers;
mod trespass;
mod verify;
mod welcomes;
mod world;
