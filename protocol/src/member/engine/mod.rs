//! The engine: one thread, one transaction a step.
