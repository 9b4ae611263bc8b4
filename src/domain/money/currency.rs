//! ISO 4217 currencies, and how many decimals they have.

use std::fmt;

/// An ISO 4217 currency code, three upper-case letters.
///
/// ```
/// use actix_payments::domain::money::Currency;
///
/// let dinar: Currency = "kwd".parse()?;
/// assert_eq!((dinar.as_str(), dinar.exponent()), ("KWD", 3));
///
/// let error = Currency::parse("euro").unwrap_err();
/// assert!(error.to_string().contains("euro"));
/// # Ok::<(), actix_payments::domain::money::ParseCurrencyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The error for a text that is not a currency code.
///
/// See [`Currency`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseCurrencyError(String);

impl Currency {
    /// `XXX`, ISO 4217's code for "no currency": the currency of an adopted payment until an event states one.
    pub const NONE: Currency = Currency(*b"XXX");
    /// Australian dollar.
    pub const AUD: Currency = Currency(*b"AUD");
    /// Brazilian real.
    pub const BRL: Currency = Currency(*b"BRL");
    /// Canadian dollar.
    pub const CAD: Currency = Currency(*b"CAD");
    /// Swiss franc.
    pub const CHF: Currency = Currency(*b"CHF");
    /// Danish krone.
    pub const DKK: Currency = Currency(*b"DKK");
    /// Euro.
    pub const EUR: Currency = Currency(*b"EUR");
    /// Pound sterling.
    pub const GBP: Currency = Currency(*b"GBP");
    /// Indian rupee.
    pub const INR: Currency = Currency(*b"INR");
    /// Japanese yen.
    pub const JPY: Currency = Currency(*b"JPY");
    /// Norwegian krone.
    pub const NOK: Currency = Currency(*b"NOK");
    /// Polish zloty.
    pub const PLN: Currency = Currency(*b"PLN");
    /// Swedish krona.
    pub const SEK: Currency = Currency(*b"SEK");
    /// United States dollar.
    pub const USD: Currency = Currency(*b"USD");

    /// Parses a code of three ASCII letters, in either case.
    ///
    /// # Errors
    /// When the text is anything else. Whether ISO 4217 lists the code is not checked.
    pub fn parse(code: &str) -> Result<Self, ParseCurrencyError> {
        match *code.as_bytes() {
            [a, b, c] if code.bytes().all(|l| l.is_ascii_alphabetic()) => {
                Ok(Self([a, b, c].map(|l| l.to_ascii_uppercase())))
            }
            _ => Err(ParseCurrencyError(code.chars().take(16).collect())),
        }
    }

    /// The code in upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The number of decimals by ISO 4217, list one: 0, 2, 3 or 4. A code that is not in the list has 2.
    pub fn exponent(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ParseCurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a currency code of three letters (ISO 4217), got {:?}", self.0)
    }
}

impl std::error::Error for ParseCurrencyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_letters_of_either_case() {
        assert_eq!(Currency::parse("eUr").map(|c| c.as_str().to_owned()), Ok("EUR".to_owned()));
        for bad in ["", "EU", "EURO", "E1R", "€"] {
            assert!(Currency::parse(bad).is_err(), "{bad:?} is not a currency");
        }
    }

    #[test]
    fn a_bad_currency_is_named_but_never_at_length() {
        let said = Currency::parse(&"x".repeat(500)).expect_err("too long").to_string();
        assert_eq!(said, "expected a currency code of three letters (ISO 4217), got \"xxxxxxxxxxxxxxxx\"");
    }
}
