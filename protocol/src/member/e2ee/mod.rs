//! MLS groups. The only module that names OpenMLS.
