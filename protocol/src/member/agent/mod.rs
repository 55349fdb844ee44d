//! The agent: holds a profile, keeps the link to the relay, serves the local socket.
