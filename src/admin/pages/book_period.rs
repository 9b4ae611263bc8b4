//! The months, quarters and years of which there is a book, as addresses and pages name them.

use time::{Date, Month};

/// So many whole months of one year, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    first: Date,
    months: u8,
}

/// How many months a period has.
const MONTH: u8 = 1;
const QUARTER: u8 = 3;
const YEAR: u8 = 12;
/// How many months have a tab.
const MONTHS: usize = 4;

impl Period {
    /// The month of this day.
    pub(super) fn month(day: Date) -> Self {
        Self::of(day, MONTH)
    }

    fn of(day: Date, months: u8) -> Self {
        let month = (u8::from(day.month()) - 1) / months * months + 1;
        Self { first: first_of(day.year(), month).unwrap_or(day), months }
    }

    /// The period of an address: `2026-11`, `2026-Q4`, `2026`, or one that follows from `today`.
    pub(super) fn parse(text: &str, today: Date) -> Option<Self> {
        let runs = presets(today).into_iter().find(|(_, word, _)| *word == Some(text));
        if let Some((.., period)) = runs {
            return Some(period);
        }
        let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
        let year = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
        let (month, months) = match rest {
            None => (1, YEAR),
            Some(rest) => match rest.strip_prefix('Q') {
                Some(quarter) => (number(quarter, 1, 4)? * QUARTER - 2, QUARTER),
                None => (number(rest, 2, 12)?, MONTH),
            },
        };
        (1970..=9990).contains(&year).then_some(Self { first: first_of(year, month)?, months })
    }

    /// The period of as many months before it.
    fn before(self) -> Self {
        Self::of(self.first.previous_day().unwrap_or(self.first), self.months)
    }

    /// Its first day, and the first one after it.
    pub(super) fn days(self) -> (Date, Date) {
        let next = |first: Date| {
            first_of(first.year() + i32::from(first.month() == Month::December), u8::from(first.month().next()))
        };
        let end = (0..self.months).try_fold(self.first, |first, _| next(first));
        (self.first, end.unwrap_or(self.first))
    }

    /// `November 2026`, `Q4 2026`, `2026`.
    pub(super) fn title(self) -> String {
        let (year, month) = (self.first.year(), self.first.month());
        match self.months {
            YEAR => year.to_string(),
            QUARTER => format!("Q{} {year}", u8::from(month).div_ceil(QUARTER)),
            _ => format!("{month} {year}"),
        }
    }
}

/// What has a tab: what it says, its word in an address, and what it is of.
pub(super) fn tabs(today: Date) -> Vec<(String, Option<String>, Period)> {
    let months = std::iter::successors(Some(Period::month(today)), |period| Some(period.before()));
    let months = months.take(MONTHS).skip(2).map(|period| (period.title(), Some(name(period.first)), period));
    let presets = presets(today).map(|(text, word, period)| (text.to_owned(), word.map(str::to_owned), period));
    presets.into_iter().chain(months).collect()
}

/// The month, quarter and year that run, and those before them.
fn presets(today: Date) -> [(&'static str, Option<&'static str>, Period); 6] {
    let [month, quarter, year] = [MONTH, QUARTER, YEAR].map(|months| Period::of(today, months));
    [
        ("This month", None, month),
        ("Last month", Some("last"), month.before()),
        ("This quarter", Some("quarter"), quarter),
        ("Last quarter", Some("last-quarter"), quarter.before()),
        ("This year", Some("year"), year),
        ("Last year", Some("last-year"), year.before()),
    ]
}

/// `2026-11`, of a month by its first day.
pub(super) fn name(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), u8::from(first.month()))
}

fn first_of(year: i32, month: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, 1).ok()
}

/// A number of so many digits, from 1 up to `most`.
fn number(text: &str, digits: usize, most: u8) -> Option<u8> {
    let number = Some(text)
        .filter(|text| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()?;
    (1..=most).contains(&number).then_some(number)
}
