//! Where does each mark of a chart stand? Across in hundredths of a percent, so that it takes any width without
//! stretching its marks or letters; down in pixels. Whole numbers only.

use askama::Template;
use askama::filters::HtmlSafe;

use super::words::grouped;

/// The height of the plot, and of the room above it, in pixels.
const HEIGHT: i64 = 180;
const ABOVE: i64 = 22;

/// Three numbers over time, as columns, a line with dots, and crosses: events received, done and failed.
#[derive(Debug, Template)]
#[template(path = "parts/chart.html")]
pub(crate) struct Chart {
    /// What its own ids begin with: a page may have several charts.
    pub(crate) id: &'static str,
    /// What its columns, its line and its crosses are.
    pub(crate) words: (&'static str, &'static str, &'static str),
    /// What it is, and its course in a sentence.
    pub(crate) title: String,
    pub(crate) summary: String,
    /// The zone of its times.
    pub(crate) zone: String,
    /// Lines across: how far down, and the number there.
    pub(crate) lines: Vec<(i64, String)>,
    pub(crate) columns: Vec<Column>,
    /// From dot to dot: x, y, x, y.
    pub(crate) steps: Vec<(String, i64, String, i64)>,
    /// Where the plot ends, and the svg.
    pub(crate) floor: i64,
    pub(crate) height: i64,
}

/// Some hours of a chart.
#[derive(Debug)]
pub(crate) struct Column {
    /// When it began, for people, and for the axis where this one is labeled there.
    pub(crate) when: String,
    pub(crate) label: Option<String>,
    /// The numbers.
    pub(crate) received: String,
    pub(crate) done: String,
    pub(crate) failed: String,
    /// Its left end, its middle and its width; those of its bar.
    pub(crate) left: String,
    pub(crate) middle: String,
    pub(crate) width: String,
    pub(crate) bar_left: String,
    pub(crate) bar_width: String,
    /// The bar's upper end and height.
    pub(crate) top: i64,
    pub(crate) tall: i64,
    /// Where the dot is, and the cross if anything failed.
    pub(crate) dot: i64,
    pub(crate) cross: Option<i64>,
}

/// What a column is made from.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub(crate) when: String,
    pub(crate) label: Option<String>,
    pub(crate) received: i64,
    pub(crate) done: i64,
    pub(crate) failed: i64,
}

impl Chart {
    pub(crate) fn new(title: String, summary: String, zone: &str, numbers: Vec<Numbers>) -> Self {
        let most = numbers.iter().flat_map(|n| [n.received, n.done, n.failed]).max().unwrap_or(0);
        let top = round(most);
        let count = i64::try_from(numbers.len()).unwrap_or(1).max(1);
        let columns: Vec<Column> =
            numbers.into_iter().zip(0..).map(|(numbers, at)| column(numbers, at, count, top)).collect();
        let step = |pair: &[Column]| match pair {
            [a, b] => Some((a.middle.clone(), a.dot, b.middle.clone(), b.dot)),
            _ => None,
        };
        Self {
            id: "chart",
            words: ("Received", "Completed or ignored", "Failed attempts"),
            title,
            summary,
            zone: zone.to_owned(),
            lines: [top, top / 2].map(|value| (down(value, top), said(value))).to_vec(),
            steps: columns.windows(2).filter_map(step).collect(),
            columns,
            floor: ABOVE + HEIGHT,
            height: ABOVE + HEIGHT + 24,
        }
    }
}

fn column(numbers: Numbers, at: i64, count: i64, top: i64) -> Column {
    let left = 10_000 * at / count;
    let width = 10_000 * (at + 1) / count - left;
    let bar = down(numbers.received, top);
    Column {
        received: said(numbers.received),
        done: said(numbers.done),
        failed: said(numbers.failed),
        left: percent(left),
        middle: percent(left + width / 2),
        width: percent(width),
        bar_left: percent(left + width * 3 / 20),
        bar_width: percent(width * 7 / 10),
        top: bar,
        tall: ABOVE + HEIGHT - bar,
        dot: down(numbers.done, top),
        cross: (numbers.failed > 0).then(|| down(numbers.failed, top)),
        when: numbers.when,
        label: numbers.label,
    }
}

/// How far down a value stands.
fn down(value: i64, top: i64) -> i64 {
    let up = i128::from(value.clamp(0, top)) * i128::from(HEIGHT) / i128::from(top);
    ABOVE + HEIGHT - i64::try_from(up).unwrap_or(HEIGHT)
}

/// The next round number that is even: 2, 4, 10, 20, 40, 100, …
fn round(most: i64) -> i64 {
    let mut ten: i64 = 1;
    loop {
        for lead in [2, 4, 6, 10] {
            match ten.checked_mul(lead) {
                Some(top) if top >= most => return top,
                Some(_) => {}
                None => return i64::MAX,
            }
        }
        ten = ten.saturating_mul(10);
    }
}

fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn said(number: i64) -> String {
    grouped(&number.to_string())
}

impl HtmlSafe for Chart {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(values: &[(i64, i64, i64)]) -> Chart {
        let numbers = |&(received, done, failed): &(i64, i64, i64)| Numbers {
            when: "then".to_owned(),
            label: None,
            received,
            done,
            failed,
        };
        Chart::new("title".to_owned(), "summary".to_owned(), "UTC", values.iter().map(numbers).collect())
    }

    fn hundredths(percent: &str) -> i64 {
        percent.trim_end_matches('%').replace('.', "").parse().expect("a number")
    }

    proptest! {
        #[test]
        fn every_mark_is_within_the_plot(
            values in prop::collection::vec((0..=i64::MAX, 0..=i64::MAX, 0_i64..1_000), 0..60),
        ) {
            let chart = chart(&values);
            let mut end = 0;
            for column in &chart.columns {
                prop_assert_eq!(hundredths(&column.left), end, "no gap and no overlap");
                end += hundredths(&column.width);
                for down in [column.top, column.dot].into_iter().chain(column.cross) {
                    prop_assert!((ABOVE..=chart.floor).contains(&down), "{:?}", column);
                }
                prop_assert_eq!(column.top + column.tall, chart.floor);
                prop_assert!(hundredths(&column.bar_left) + hundredths(&column.bar_width) <= end);
            }
            prop_assert!(values.is_empty() || end == 10_000);
        }
    }

    #[test]
    fn nothing_is_flat_and_one_huge_value_leaves_the_rest_at_the_floor() {
        let empty = chart(&[(0, 0, 0); 24]);
        assert!(empty.columns.iter().all(|column| (column.tall, column.cross) == (0, None)));
        let huge = chart(&[(3, 3, 0), (1_000_000, 0, 0)]);
        assert_eq!(huge.columns.iter().map(|column| column.tall).collect::<Vec<_>>(), [0, HEIGHT]);
        assert_eq!(huge.lines[0], (ABOVE, "1,000,000".to_owned()));
        assert_eq!([0, 2, 3, 7, 41, 1_000].map(round), [2, 2, 4, 10, 60, 1_000]);
    }
}
