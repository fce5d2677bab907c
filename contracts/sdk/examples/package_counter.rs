//! Packages the sample contract, as each contract's `examples/package-NAME.rs` packages it.

#[path = "counter.rs"]
#[allow(dead_code)]
mod counter_contract;

fn main() -> std::process::ExitCode {
    portolan_sdk::packaging::main(&counter_contract::NATIVE)
}
