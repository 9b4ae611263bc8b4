//! Money: integer minor units and an ISO 4217 currency, whose exponent says where the decimal point goes. A gateway's
//! exceptions from ISO 4217, such as Stripe's UGX and ISK, are in that gateway's module.
//!
//! See [`Money`] for an example.

mod currency;
mod decimal;

use std::fmt;

pub use currency::{Currency, ParseCurrencyError};
pub use decimal::{Decimal, ParseDecimalError};

/// An amount in minor units of a currency. Displayed as people read it, `9,999.99 EUR`; [`Money::decimal`] is for
/// programs. As JSON: `{"minor": 4999, "currency": "EUR"}`.
///
/// ```
/// use actix_payments::domain::money::{Currency, Money};
///
/// let price = Money::new(1_249_00, Currency::EUR);
/// assert_eq!((price.to_string(), price.decimal()), ("1,249.00 EUR".to_owned(), "1249.00".to_owned()));
/// // The yen has no decimals, so one unit is one yen.
/// assert_eq!(Money::new(500, Currency::JPY).decimal(), "500");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct Money {
    /// The amount in minor units: cents, pence, yen, fils.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The amount as keys that are stored have it, for good: `9999.99 EUR`.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.decimal(), self.currency)
    }

    /// The amount as a decimal number without its currency: `49.99`, `5`, `5.120`.
    pub fn decimal(&self) -> String {
        let exponent = self.currency.exponent();
        let one = 10_u64.pow(exponent);
        let (sign, size) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        match exponent {
            0 => format!("{sign}{size}"),
            width => format!("{sign}{}.{:0width$}", size / one, size % one, width = width as usize),
        }
    }
}

/// `-1249.00` as `-1,249.00`.
pub(crate) fn grouped(decimal: &str) -> String {
    let (whole, rest) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
    let digits = whole.trim_start_matches('-');
    let mut out = whole[..whole.len() - digits.len()].to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// What part of `whole` a `part` is, in per cent, rounded half away from zero: `3.28`. `None` of nothing.
pub(crate) fn per_cent(part: i64, whole: i64) -> Option<String> {
    let (part, whole) = (i128::from(part) * 10_000, i128::from(whole));
    let (part, whole) = if whole < 0 { (-part, -whole) } else { (part, whole) };
    let hundredths = if whole == 0 { return None } else { (part.abs() + whole / 2) / whole };
    let sign = if part < 0 && hundredths > 0 { "-" } else { "" };
    Some(format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100))
}

/// A sentence with all its amounts as they are written now: `1249.00 EUR were captured` as `1,249.00 EUR were
/// captured`.
pub(crate) fn with_grouped_amounts(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut words = sentence.split(' ').peekable();
    while let Some(word) = words.next() {
        let is_amount = Decimal::parse(word.trim_start_matches('-')).is_ok() && !word.contains(',');
        let is_code = |next: &&str| next.len() >= 3 && next.bytes().take(3).all(|letter| letter.is_ascii_uppercase());
        if is_amount && words.peek().is_some_and(is_code) {
            out.push_str(&grouped(word))
        } else {
            out.push_str(word)
        }
        if words.peek().is_some() {
            out.push(' ');
        }
    }
    out
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", grouped(&self.decimal()), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(minor: i64, code: &str) -> String {
        Money::new(minor, Currency::parse(code).expect("a code of three letters")).to_string()
    }

    #[test]
    fn the_currency_decides_where_the_decimal_point_goes() {
        let shown = [("USD", 4999), ("JPY", 5), ("KWD", 5120), ("CLF", 12_345)].map(|(code, m)| shown(m, code));
        assert_eq!(shown, ["49.99 USD", "5 JPY", "5.120 KWD", "1.2345 CLF"]);
    }

    #[test]
    fn small_negative_and_extreme_amounts_keep_their_digits() {
        assert_eq!(shown(5, "EUR"), "0.05 EUR");
        assert_eq!(shown(0, "EUR"), "0.00 EUR");
        assert_eq!(shown(-5, "EUR"), "-0.05 EUR");
        assert_eq!(shown(i64::MIN, "EUR"), "-92,233,720,368,547,758.08 EUR");
        assert_eq!(shown(i64::MAX, "JPY"), "9,223,372,036,854,775,807 JPY");
    }

    #[test]
    fn amounts_in_a_sentence_are_grouped_once_and_nothing_else_is() {
        for (before, after) in [
            (
                "the gateway reports 44990.00 EUR, it is of 1499.00 EUR",
                "the gateway reports 44,990.00 EUR, it is of 1,499.00 EUR",
            ),
            ("-12345 JPY were captured", "-12,345 JPY were captured"),
            ("1,499.00 EUR were captured", "1,499.00 EUR were captured"),
            ("49.99 EUR of 2026 orders, pi_12345 EUR", "49.99 EUR of 2026 orders, pi_12345 EUR"),
        ] {
            assert_eq!(with_grouped_amounts(before), after);
            assert_eq!(with_grouped_amounts(after), after);
        }
        assert_eq!(Money::new(499_900, Currency::parse("EUR").expect("a code")).key(), "4999.00 EUR");
    }

    #[test]
    fn a_rate_is_exact_to_a_hundredth_of_a_per_cent() {
        let rates =
            [(164, 4999), (30, 1000), (-30, -1000), (-5, 1000), (5, -1000), (1, 8), (1, 20_001), (-1, 20_001), (0, 7)];
        let expected = ["3.28", "3.00", "3.00", "-0.50", "-0.50", "12.50", "0.00", "0.00", "0.00"];
        assert_eq!(rates.map(|(part, whole)| per_cent(part, whole).expect("a whole")), expected);
        assert_eq!(per_cent(1, 20_000).as_deref(), Some("0.01"), "a half is rounded up");
        assert_eq!(per_cent(i64::MAX, 1).as_deref(), Some("922337203685477580700.00"));
        assert_eq!(per_cent(1, 0), None);
    }
}
