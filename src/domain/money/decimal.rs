//! Amounts as people type them, before a currency says how many minor units they are.

use std::fmt;

use super::currency::Currency;

/// An exact decimal number as people type it: `49.99`, `1,249`. Its value in minor units depends on the currency.
///
/// ```
/// use actix_payments::domain::money::{Currency, Decimal};
///
/// let typed = Decimal::parse("1,249.5")?;
/// assert_eq!(typed.exact(Currency::EUR), Some(124_950));
/// // Half a yen can't be expressed.
/// assert_eq!((typed.exact(Currency::JPY), typed.at_most(Currency::JPY)), (None, 1249));
/// assert!(Decimal::parse("49,99").is_err());
/// # Ok::<(), actix_payments::domain::money::ParseDecimalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All digits, without the point.
    digits: i64,
    /// How many of them are after the point.
    places: u32,
}

/// The error for a text that is not a [`Decimal`].
///
/// See [`Decimal`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseDecimalError(String);

impl Decimal {
    /// Parses digits with at most four of them after a point. Before the point, commas may separate groups of three.
    ///
    /// # Errors
    /// When the text is anything else, a sign included, or has more digits than 64 bits can hold.
    pub fn parse(text: &str) -> Result<Self, ParseDecimalError> {
        let error = || ParseDecimalError(text.chars().take(16).collect());
        let text = text.trim();
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or_default();
        let grouped = whole.contains(',') && first.len() > 3;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if first.is_empty() || grouped || !groups.all(|group| group.len() == 3) || rest.len() > 4 {
            return Err(error());
        }
        let all = format!("{}{rest}", whole.replace(',', ""));
        let (Some(digits), Ok(places)) = (all.parse().ok().filter(|_| digits(&all)), u32::try_from(rest.len())) else {
            return Err(error());
        };
        Ok(Self { digits, places })
    }

    /// The number in minor units, rounded up.
    pub fn at_least(&self, currency: Currency) -> i64 {
        let (minor, exact) = self.minor(currency);
        if exact { minor } else { minor.saturating_add(1) }
    }

    /// The number in minor units, rounded down.
    pub fn at_most(&self, currency: Currency) -> i64 {
        self.minor(currency).0
    }

    /// The number in minor units; `None` if the currency cannot express it or 64 bits cannot hold it.
    pub fn exact(&self, currency: Currency) -> Option<i64> {
        match currency.exponent().checked_sub(self.places) {
            Some(more) => self.digits.checked_mul(10_i64.pow(more)),
            None => Some(self.minor(currency)).filter(|(_, exact)| *exact).map(|(minor, _)| minor),
        }
    }

    fn minor(&self, currency: Currency) -> (i64, bool) {
        let exponent = currency.exponent();
        match exponent.checked_sub(self.places) {
            Some(more) => (self.digits.saturating_mul(10_i64.pow(more)), true),
            None => {
                let one = 10_i64.pow(self.places - exponent);
                (self.digits / one, self.digits % one == 0)
            }
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_i64.pow(self.places);
        match self.places {
            0 => write!(f, "{}", self.digits),
            places => write!(f, "{}.{:0width$}", self.digits / one, self.digits % one, width = places as usize),
        }
    }
}

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected an amount like 49.99, got {:?}", self.0)
    }
}

impl std::error::Error for ParseDecimalError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_number_is_exact_in_every_currency() {
        let code = |code: &str| Currency::parse(code).expect("a code");
        let minor = |text: &str, of: &str| Decimal::parse(text).map(|n| (n.at_least(code(of)), n.at_most(code(of))));
        assert_eq!(minor("49.99", "EUR"), Ok((4999, 4999)));
        assert_eq!(minor("1,249", "EUR"), Ok((124_900, 124_900)));
        assert_eq!(minor("49.99", "JPY"), Ok((50, 49)));
        assert_eq!(minor("0.5", "KWD"), Ok((500, 500)));
        assert_eq!(minor("9223372036854775807", "EUR"), Ok((i64::MAX, i64::MAX)));
        for bad in
            ["", "abc", "1,2", "49,99", "1.2.3", ".5", "-5", "1e3", "+1", "1.00000", "12345,678", "9223372036854775808"]
        {
            assert!(Decimal::parse(bad).is_err(), "{bad:?} is not an amount");
        }
        let exact = |text: &str, of: &str| Decimal::parse(text).ok().and_then(|n| n.exact(code(of)));
        assert_eq!([exact("100", "USD"), exact("5.00", "JPY")], [Some(10_000), Some(5)]);
        let again = ["49.90", "0.051", "1,249"].map(|text| Decimal::parse(text).map(|number| number.to_string()));
        assert_eq!(again, ["49.90", "0.051", "1249"].map(|text| Ok(text.to_owned())));
        assert_eq!([exact("49.995", "EUR"), exact("9223372036854775807", "EUR")], [None, None]);
        let said = Decimal::parse("abc").expect_err("no number").to_string();
        assert_eq!(said, "expected an amount like 49.99, got \"abc\"");
    }
}
