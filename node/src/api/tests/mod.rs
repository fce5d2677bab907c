//! The API over one whole node in this process: each request goes through the router that is served.

mod chain;
mod connections;
mod contract;
mod deployed;
mod documented;
mod readers;
mod world;
