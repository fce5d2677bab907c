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

    /// A text that is made only when somebody reads it, or an object.
    pub fn text(&self, text: impl FnOnce() -> String, json: &Value) -> CliResult<()> {
        if self.json { self.json_only(json) } else { line(&text()) }
    }

    /// A table, or `none` where there is nothing to show, or an object.
    pub fn table(&self, head: &[&str], rows: Vec<Vec<String>>, none: &str, json: &Value) -> CliResult<()> {
        if self.json {
            return self.json_only(json);
        }
        if rows.is_empty() { line(none) } else { line(&columns(head, rows)) }
    }

    /// An object, where a program reads; else nothing.
    pub fn json_only(&self, json: &Value) -> CliResult<()> {
        if self.json { line(&json.to_string()) } else { Ok(()) }
    }
}

/// Rows under a head, as wide as their contents: ids stay whole, so that they can be copied.
pub fn columns(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    table.set_header(head.iter().map(|name| name.to_uppercase()));
    table.add_rows(rows);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
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
