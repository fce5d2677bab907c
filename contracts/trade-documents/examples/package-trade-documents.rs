//! Describes the contract for `scripts/build-contracts`.

fn main() -> std::process::ExitCode {
    portolan_sdk::packaging::main(&trade_documents::NATIVE)
}
