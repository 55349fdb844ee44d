//! Invites: codes, sealed bundles, join requests and the five words.
