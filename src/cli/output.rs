//! How an answer is put: a table, sentences, or JSON.

use serde_json::Value;

use crate::domain::Timestamp;
use crate::payments::Payments;

/// What a command has to say.
pub(crate) struct Output {
    /// The exit code.
    pub code: u8,
    body: Body,
}

enum Body {
    Table(Table),
    Text(String),
    Json(Value),
}

/// Rows of text below a heading.
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// What is said below it on a terminal.
    below: Option<String>,
}

impl Table {
    pub(crate) fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new(), below: None }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    pub(crate) fn below(mut self, text: Option<String>) -> Self {
        self.below = text;
        self
    }

    fn render(&self, terminal: bool) -> String {
        if !terminal {
            return self.rows.iter().map(|row| format!("{}\n", row.join("\t"))).collect();
        }
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.heading[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        // As https://no-color.org says: set, and not to nothing.
        let colored = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let padded = cells.zip(&widths).map(|(cell, width)| {
                let gap = width - cell.chars().count().min(*width);
                format!("{}{}", paint(&cell, colored), " ".repeat(gap))
            });
            format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        let mut text = line(&mut self.heading.iter().map(|name| name.to_uppercase()));
        for row in &self.rows {
            text += &line(&mut row.iter().cloned());
        }
        text + &self.below.as_ref().map(|below| format!("\n{below}\n")).unwrap_or_default()
    }
}

impl Output {
    /// Sentences for people, or the same as JSON.
    pub(crate) fn text(json: bool, text: impl Into<String>, value: impl FnOnce() -> Value) -> Self {
        Self { code: 0, body: if json { Body::Json(value()) } else { Body::Text(text.into()) } }
    }

    /// A table for people, or the same as JSON.
    pub(crate) fn table(json: bool, table: Table, value: impl FnOnce() -> Value) -> Self {
        Self { code: 0, body: if json { Body::Json(value()) } else { Body::Table(table) } }
    }

    /// The same with exit code 1, if something was found.
    pub(crate) fn found(self, found: bool) -> Self {
        Self { code: u8::from(found), ..self }
    }

    pub(super) fn render(&self, terminal: bool) -> String {
        match &self.body {
            Body::Table(table) => table.render(terminal),
            Body::Text(text) => format!("{}\n", text.trim_end()),
            Body::Json(value) => format!("{value:#}\n"),
        }
    }
}

/// A word of a state in its colour.
fn paint(word: &str, colored: bool) -> String {
    let color = match word {
        "FAULT" | "discarded" | "failed" => "31",
        "WARNING" | "retryable" | "parked" => "33",
        "ok" | "completed" | "paid" | "active" => "32",
        _ => return word.to_owned(),
    };
    if colored { format!("\u{1b}[{color}m{word}\u{1b}[0m") } else { word.to_owned() }
}

/// The address of a page of the admin, by its path below the admin's.
pub(crate) fn link(payments: &Payments, path: &str) -> String {
    format!("{}{path}", payments.engine().admin_path())
}

/// On one line, and without what a terminal would take for a command: a gateway's words are a stranger's.
pub(crate) fn plain(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

/// A time for people: UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    let second = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    at.format(second).unwrap_or_default()
}

/// A time for programs: RFC 3339.
pub(crate) fn json_time(at: Option<Timestamp>) -> Value {
    let text = at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok());
    text.map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_for_people_and_tabbed_for_programs() {
        let mut table = Table::new(&["id", "kind"]);
        table.row(["7".to_owned(), "a\u{1b}[31mb".to_owned()]);
        table.row(["1000".to_owned(), "c".to_owned()]);
        assert_eq!(table.render(true), "ID    KIND\n7     a [31mb\n1000  c\n");
        assert_eq!(table.render(false), "7\ta [31mb\n1000\tc\n");
    }
}
