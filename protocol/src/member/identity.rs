//! Device keys: identity, leaf, direct and transport, and their certificates.
