//! How results are shown: tables and sentences for people, one JSON object on one line of standard output for programs.

use std::io::Write;

use serde_json::Value;

use crate::error::{CliError, CliResult};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// For programs if `json`, else for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A sentence, or an object.
    pub fn done(&self, text: &str, json: impl FnOnce() -> Value) -> CliResult<()> {
        if self.json { self.json_only(&json()) } else { line(text) }
    }

    /// A table, or an object.
    pub fn table(&self, head: &[&str], rows: Vec<Vec<String>>, json: &Value) -> CliResult<()> {
        if self.json {
            return self.json_only(json);
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(head.to_vec());
        rows.into_iter().for_each(|row| {
            table.add_row(row);
        });
        line(&table.to_string())
    }

    /// An object, where a program reads; else nothing.
    pub fn json_only(&self, json: &Value) -> CliResult<()> {
        if self.json { line(&json.to_string()) } else { Ok(()) }
    }
}

/// A reader that went away is no failure of the command.
fn line(text: &str) -> CliResult<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::refused("standard_output", error.to_string()))
        }
        _ => Ok(()),
    }
}
