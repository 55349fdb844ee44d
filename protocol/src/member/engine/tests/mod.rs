//! Whole teams in one process: engines on real stores, a relay that is a list, a clock by hand.

mod blobs;
mod changes;
mod chaos;
mod control;
mod files;
mod forge;
mod frames;
mod hostile;
mod own_cells;
mod relay;
mod revoked;
mod rooms;
mod standstill;
mod stories;
mod trespass;
mod welcomes;
mod world;
