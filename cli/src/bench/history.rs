//! Earlier figures: one JSON object a line, oldest first. A line is only ever appended.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::against;
use crate::clock;
use crate::error::{CliError, CliResult};

/// What must agree for two lines to be compared.
const SAME: [&str; 3] = ["machine", "rate", "seconds"];

/// Appends the figures with the time, and puts the ratios to the last line of the same machine and settings, if there is one, into
/// them under `before`.
pub fn note(file: &Path, figures: &mut Value) -> CliResult<()> {
    let earlier = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(CliError::file(file)(error)),
    };
    let last = last_like(&earlier, figures).map_err(|line| {
        let message = format!("line {line} of {} is no JSON object; move the file away", file.display());
        CliError::refused("damaged_file", message)
    })?;
    figures["time"] = clock::now().0.into();
    let mut options = std::fs::OpenOptions::new();
    let mut lines = options.create(true).append(true).open(file).map_err(CliError::file(file))?;
    writeln!(lines, "{figures}").map_err(CliError::file(file))?;
    if let Some(last) = last {
        figures["before"] = against::ratios(std::slice::from_ref(figures), &[last]);
    }
    Ok(())
}

/// The last line of the same machine and settings, or the number of a line that is not readable.
fn last_like(text: &str, figures: &Value) -> Result<Option<Value>, usize> {
    let mut last = None;
    for (number, line) in (1..).zip(text.lines()) {
        let earlier: Value = serde_json::from_str(line).map_err(|_| number)?;
        if !earlier.is_object() {
            return Err(number);
        }
        if SAME.iter().all(|field| earlier[*field] == figures[*field]) {
            last = Some(earlier);
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn figures(cores: u32, throughput: f64) -> Value {
        let workloads = json!({ "split": { "throughput": throughput } });
        json!({ "machine": { "cores": cores }, "rate": null, "seconds": 6, "workloads": workloads })
    }

    #[test]
    fn the_last_line_of_the_same_machine_is_compared_with() {
        let text = format!("{}\n{}\n{}\n", figures(2, 100.0), figures(2, 200.0), figures(64, 9_000.0));
        let last = last_like(&text, &figures(2, 1.0)).unwrap().unwrap();
        assert_eq!(last["workloads"]["split"]["throughput"], 200.0);
        assert_eq!(last_like(&text, &figures(4, 1.0)), Ok(None));
        assert_eq!(last_like(&format!("{}\nhalf a li", figures(2, 1.0)), &figures(2, 1.0)), Err(2));
    }
}
