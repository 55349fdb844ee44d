//! Stories of content.
