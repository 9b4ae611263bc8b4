//! What does the address of a list ask for? What can't be read is left out of the filter and said beside its field,
//! where it stays to be corrected.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use time::macros::format_description;

use super::frame::Frame;
use super::query::{Fields, PLACE, SEEN};
use super::views::list::Field;
use crate::domain::money::{Currency, Decimal};
use crate::domain::{Timestamp, storable_time};
use crate::reports::Place;
use crate::store::filters::MomentKey;
use crate::web::respond;

/// No id, kind or other text that is stored is longer, in characters.
const LONGEST: usize = 255;
/// How far new rows are counted.
pub(super) const FRESH_CAP: usize = 50;

/// The fields of an address, and what is wrong with them.
pub(super) struct Asked {
    pub(super) fields: Fields,
    problems: Vec<(&'static str, String)>,
}

impl From<Fields> for Asked {
    fn from(fields: Fields) -> Self {
        Self { fields, problems: Vec::new() }
    }
}

impl Asked {
    pub(super) fn of(req: &HttpRequest) -> Self {
        Self::from(Fields::of(req))
    }

    /// What is wrong with any of the fields that were read.
    pub(super) fn problem(&self) -> Option<String> {
        self.problems.first().map(|(name, problem)| format!("{name}: {problem}"))
    }

    /// A field as `read` reads it.
    fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.fields.get(name)?;
        read(&text).map_err(|problem| self.problems.push((name, problem))).ok()
    }

    /// A text to be compared with what is stored.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, |text| match text.chars().count() {
            _ if text.chars().any(char::is_control) => Err("expected a text of one line".to_owned()),
            0..=LONGEST => Ok(text.to_owned()),
            got => Err(format!("expected {LONGEST} characters at the most, got {got}")),
        })
    }

    /// One of several words.
    pub(super) fn word<T>(&mut self, name: &'static str, known: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.read(name, |text| known(text).ok_or_else(|| format!("there is no {name} {:?}", short(text))))
    }

    /// Real money or not.
    pub(super) fn livemode(&mut self) -> Option<bool> {
        let known = |word: &str| ["test", "live"].iter().position(|mode| *mode == word);
        self.word("mode", known).map(|at| at == 1)
    }

    /// The beginning of a day by the clocks of the host's zone, `2026-11-23`.
    pub(super) fn day(&mut self, name: &'static str, frame: &Frame) -> Option<Timestamp> {
        self.date(name).and_then(|day| storable_time(frame.start_of(day)))
    }

    fn date(&mut self, name: &'static str) -> Option<time::Date> {
        self.read(name, |text| {
            let day = time::Date::parse(text, format_description!("[year]-[month]-[day]"));
            let day = day.ok().filter(|day| storable_time(day.midnight().assume_utc()).is_some());
            day.ok_or_else(|| format!("expected a day like 2026-11-23, got {:?}", short(text)))
        })
    }

    /// The end of a day by the clocks of the host's zone: the beginning of the next.
    pub(super) fn end_of_day(&mut self, name: &'static str, frame: &Frame) -> Option<Timestamp> {
        self.date(name).and_then(|day| storable_time(frame.start_of(day.next_day().unwrap_or(day))))
    }

    pub(super) fn amount(&mut self, name: &'static str) -> Option<Decimal> {
        self.read(name, |text| Decimal::parse(text).map_err(|error| error.to_string()))
    }

    pub(super) fn currency(&mut self) -> Option<String> {
        let parse = |text: &str| Currency::parse(text).map(|code| code.to_string());
        self.read("currency", |text| parse(text).map_err(|error| error.to_string()))
    }

    /// Where in the list.
    pub(super) fn place(&mut self) -> Option<Place> {
        for (at, name) in PLACE.into_iter().enumerate().take(4) {
            if let Some(id) = self.id(name) {
                return Some(Place { id, back: at >= 2, with: at % 2 == 1 });
            }
        }
        None
    }

    /// The moment at which the row of the place stood in a list that goes by moments, as far as the address says it.
    pub(super) fn seen(&self, place: Option<Place>) -> Option<MomentKey> {
        let micros: i64 = self.fields.get(SEEN)?.parse().ok()?;
        let at = Timestamp::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().and_then(storable_time)?;
        place.map(|place| MomentKey { at, id: place.id })
    }

    /// The row whose newer ones are to be counted.
    pub(super) fn newer_than(&mut self) -> Option<Result<i64, HttpResponse>> {
        self.fields.get("newer_than")?;
        let unknown = || respond::plain(StatusCode::BAD_REQUEST).body("expected newer_than to be the number of a row");
        Some(self.id("newer_than").ok_or_else(unknown))
    }

    fn id(&mut self, name: &'static str) -> Option<i64> {
        self.read(name, |text| {
            let lost = |_| format!("{:?} is no place in the list, so this is its beginning", short(text));
            text.parse().map_err(lost)
        })
    }

    /// Whether one of these fields is filled.
    pub(super) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.fields.get(name).is_some())
    }

    /// A field of the form, with what was asked for in it.
    pub(super) fn field(&self, name: &str, kind: &'static str, label: &str, hint: &str) -> Field {
        let problem = self.problems.iter().find(|(of, _)| *of == name);
        Field {
            name: name.to_owned(),
            kind,
            label: label.to_owned(),
            value: self.fields.get(name).unwrap_or_default(),
            hint: hint.to_owned(),
            offers: Vec::new(),
            error: problem.map(|(_, why)| why.clone()),
            focused: false,
        }
    }

    /// The field for an account of the gateway's that is not the merchant's own.
    pub(super) fn account(&self) -> Field {
        self.field("account", "text", "Connected account", "acct_…")
    }

    /// The problems with what is no field of the form to type in.
    pub(super) fn notes(&self, typed: &[&str]) -> Vec<String> {
        let apart = self.problems.iter().filter(|(name, _)| !typed.contains(name));
        apart.map(|(_, why)| format!("{}{}.", why[..1].to_uppercase(), &why[1..])).collect()
    }
}

/// How many new rows there are, for the script.
pub(super) fn fresh(count: usize) -> HttpResponse {
    let text = if count > FRESH_CAP { format!("{FRESH_CAP}+") } else { count.to_string() };
    respond::plain(StatusCode::OK).body(text)
}

/// As much of a text as fits into a sentence.
fn short(text: &str) -> String {
    text.chars().take(32).collect()
}
