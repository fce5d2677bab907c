//! The runtime as a whole, block by block: every rule that a bank would ask about, told in one little consortium.

mod agenda;
mod authority;
mod calls;
mod governance;
mod members;
mod replay;
mod transactions;
mod world;
