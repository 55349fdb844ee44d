//! The device's sealed store. The only module that names rusqlite, beside e2ee's provider.
