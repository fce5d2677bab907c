//! Writes every vector file anew. Review the difference as a protocol change.

fn main() -> std::io::Result<()> {
    for (name, compute) in portolan_conformance::VECTORS {
        std::fs::write(portolan_conformance::folder().join(name), portolan_conformance::render(&compute()))?;
    }
    Ok(())
}
