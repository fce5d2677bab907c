//! The API of a node in one process.
