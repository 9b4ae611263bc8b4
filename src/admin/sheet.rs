//! Tables as CSV (RFC 4180), streamed chunk by chunk, so that any size needs the memory of one
//! chunk; when the browser has gone, nothing more is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use futures_core::Stream;
use time::macros::format_description;
use tokio::sync::mpsc;

use super::guard::Visit;
use crate::error::Error;
use crate::web::respond;

/// Spreadsheets take a file that begins with this mark for UTF-8, and one that doesn't for whatever their system uses.
const MARK: &str = "\u{FEFF}";

/// A sheet of which one chunk after the other is written.
pub(super) struct Sheet {
    columns: &'static [&'static str],
    visit: Visit,
    text: String,
    way: Way,
}

/// What stands in a cell.
pub(super) enum Cell {
    /// A number, a time or a word of ours: it stands as it is.
    Ours(String),
    /// A text from elsewhere, which a spreadsheet must not take for a formula.
    Theirs(Option<String>),
}

/// Where finished chunks go.
type Way = mpsc::Sender<Result<Bytes, Error>>;

struct Chunks(mpsc::Receiver<Result<Bytes, Error>>);

impl Stream for Chunks {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll_recv(cx)
    }
}

/// A file with these columns, named after what it is of and when it was made. `part` adds the rows behind a place and
/// answers where the next ones follow. One chunk is ready while another is sent.
pub(super) fn download<P: 'static>(
    visit: Visit,
    what: &str,
    columns: &'static [&'static str],
    part: impl AsyncFnMut(&mut Sheet, Option<P>) -> Result<Option<P>, Error> + 'static,
) -> HttpResponse {
    let (way, chunks) = mpsc::channel(1);
    let now = visit.engine().now().format(format_description!("[year]-[month]-[day]T[hour]-[minute]Z"));
    let name = format!("{what}-{}.csv", now.unwrap_or_default());
    let sheet = Sheet { columns, visit, text: format!("{MARK}{}\r\n", columns.join(",")), way: way.clone() };
    actix_rt::spawn(async move {
        // A file that could not be finished is broken off, so that nobody takes it for the whole.
        if let Err(error) = send_all(sheet, part).await {
            log::error!("payments: a CSV was broken off: {error}");
            let _ = way.send(Err(error)).await;
        }
    });
    respond::plain(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(Chunks(chunks))
}

async fn send_all<P>(
    mut sheet: Sheet,
    mut part: impl AsyncFnMut(&mut Sheet, Option<P>) -> Result<Option<P>, Error>,
) -> Result<(), Error> {
    let mut place = None;
    while sheet.send().await {
        place = part(&mut sheet, place).await?;
        if place.is_none() {
            sheet.send().await;
            break;
        }
    }
    Ok(())
}

impl Sheet {
    pub(super) fn visit(&self) -> &Visit {
        &self.visit
    }

    /// Adds a row of this variant, the cells in the order of the columns.
    pub(super) fn row(&mut self, variant: &str, cells: impl IntoIterator<Item = Cell>) {
        let mut first = true;
        for (column, cell) in self.columns.iter().zip(cells) {
            if !std::mem::take(&mut first) {
                self.text.push(',');
            }
            let what = format!("csv:{column}");
            let (text, theirs) = match cell {
                Cell::Ours(text) => (text, false),
                Cell::Theirs(text) => (text.unwrap_or_default(), true),
            };
            let shown = self.visit.redacted(&what, variant, &text);
            write(&mut self.text, &shown, theirs || shown != text);
        }
        self.text.push_str("\r\n");
    }

    /// Sends what was written since the last time; `false` when nobody wants it any more.
    pub(super) async fn send(&mut self) -> bool {
        self.way.send(Ok(std::mem::take(&mut self.text).into())).await.is_ok()
    }
}

/// Writes a cell. What a spreadsheet might take for a formula gets an apostrophe before it, which it takes for "this
/// is text" (OWASP, CSV Injection). Where the list separator is a semicolon, a cell begins after each of them as well.
fn write(out: &mut String, text: &str, theirs: bool) {
    let text = if theirs { guarded(text) } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\r', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(&text);
    }
}

/// The text with an apostrophe before each piece that might be taken for a formula.
fn guarded(text: &str) -> String {
    const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    // A quote that closes what nobody opened is skipped, and the cell goes on after it.
    let begins = |piece: &str| {
        piece.starts_with(FORMULA)
            || piece.trim_start_matches(|c: char| c.is_whitespace() || c == '"').starts_with(FORMULA)
    };
    let pieces = text.split(';').map(|piece| if begins(piece) { format!("'{piece}") } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join(";")
}
