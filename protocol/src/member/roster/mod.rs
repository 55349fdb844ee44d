//! The roster: a hash chain of signed entries that says who is in the team.
