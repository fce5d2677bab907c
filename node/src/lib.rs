//! The process of a Portolan node: network, store, consensus log, threads around the replica, keys, configuration, API.
//!
//! Where to look: `node` puts everything together · `recovery` what a start finds on the disk · `host` carries out what the replica asks for · `network` the mesh of peers ·
//! `store` blocks and state on disk · `log_file` what a vote rests on · `handle` the way in for the API · `admin` the one for whoever runs the node · `backup` · `config`, `keys`, `init`.
//!
//! Must never know what a contract means: no word of receivables or invoices is in here.

#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "the process reads clocks, pauses and draws randomness; replica and runtime must not"
)]

pub mod admin;
pub mod api;
pub mod backup;
pub mod config;
pub mod handle;
pub mod host;
pub mod init;
pub mod keys;
pub mod limits;
pub mod log_file;
pub mod network;
pub mod node;
pub mod recovery;
pub mod store;
pub mod telemetry;
pub mod values;
