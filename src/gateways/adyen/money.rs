//! Conversion of Adyen's amounts. They are integers like ours, but a few currencies have another number of decimals
//! than in ISO 4217 (<https://docs.adyen.com/development-resources/currency-codes/>).
//!
//! ```
//! use actix_payments::domain::money::{Currency, Money};
//! use actix_payments::gateways::adyen::money::{from_minor, to_minor};
//!
//! // ISO 4217 has no decimals of it, the company two.
//! let krona = Currency::parse("ISK")?;
//! assert_eq!(from_minor(Money::new(5, krona)), Ok(500));
//! assert_eq!(to_minor(500, krona), Ok(5));
//! assert!(to_minor(550, krona).unwrap_err().to_string().contains("550"));
//! # Ok::<(), actix_payments::domain::money::ParseCurrencyError>(())
//! ```

use crate::domain::money::{Currency, Money};

/// The error for an amount that cannot be converted. Its text says what was expected and what was given.
///
/// See the [module](self) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountError(String);

/// The number of decimals in Adyen's amounts of `currency`.
fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "CLP" | "ISK" => 2,
        "CVE" | "IDR" => 0,
        _ => currency.exponent(),
    }
}

/// Converts Adyen's `value` of `currency` to minor units by ISO 4217, the units of this crate.
///
/// See the [module](self) for an example.
///
/// # Errors
/// When the amount has a fraction that the currency cannot express (`550` for 5.50 ISK), or is out of range.
pub fn to_minor(value: i64, currency: Currency) -> Result<i64, AmountError> {
    rescale(value, exponent(currency), currency.exponent()).ok_or_else(|| {
        AmountError(format!("expected an amount that {currency} can express, got {value} in Adyen's units"))
    })
}

/// Converts `money` to Adyen's `value`, for hosts that create payments themselves.
///
/// See the [module](self) for an example.
///
/// # Errors
/// When Adyen knows no such fraction of the currency, or the amount is out of range.
pub fn from_minor(money: Money) -> Result<i64, AmountError> {
    rescale(money.minor, money.currency.exponent(), exponent(money.currency))
        .ok_or_else(|| AmountError(format!("expected an amount that Adyen can express, got {money}")))
}

/// `amount` with another number of decimals; `None` if a fraction would be lost or the result is out of range.
fn rescale(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10_i64.checked_pow(from.abs_diff(to))?;
    if from <= to { amount.checked_mul(factor) } else { (amount % factor == 0).then_some(amount / factor) }
}

impl std::fmt::Display for AmountError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AmountError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adyens_own_decimals_become_isos_and_back() {
        for (code, value, words) in [
            ("EUR", 4999, "49.99 EUR"),
            ("JPY", 500, "500 JPY"),
            ("CLP", 500, "5 CLP"),
            ("ISK", 500, "5 ISK"),
            ("CVE", 5, "5.00 CVE"),
            ("IDR", 5, "5.00 IDR"),
        ] {
            let currency = Currency::parse(code).expect("a code of three letters");
            let money = Money::new(to_minor(value, currency).expect("an amount"), currency);
            assert_eq!((money.to_string().as_str(), from_minor(money)), (words, Ok(value)));
        }
        let krona = Currency::parse("ISK").expect("a code of three letters");
        assert!(to_minor(550, krona).is_err());
        let rupiah = Currency::parse("IDR").expect("a code of three letters");
        assert!(from_minor(Money::new(550, rupiah)).is_err());
    }
}
