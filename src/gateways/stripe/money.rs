//! Conversion of Stripe's amounts. They are integers like ours, but a few currencies have another number of decimals
//! than in ISO 4217 (<https://docs.stripe.com/currencies>).
//!
//! ```
//! use actix_payments::domain::money::{Currency, Money};
//! use actix_payments::gateways::stripe::money::{from_minor, to_minor};
//!
//! // ISO 4217 has no decimals of it, the company two.
//! let shilling = Currency::parse("UGX")?;
//! assert_eq!(from_minor(Money::new(5, shilling)), Ok(500));
//! assert_eq!(to_minor(500, shilling), Ok(5));
//! assert!(to_minor(550, shilling).unwrap_err().to_string().contains("550"));
//! # Ok::<(), actix_payments::domain::money::ParseCurrencyError>(())
//! ```

use crate::domain::money::{Currency, Money};

/// The error for an amount that cannot be converted. Its text says what was expected and what was given.
///
/// See the [module](self) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountError(String);

/// The number of decimals in Stripe's amounts of `currency`.
///
/// The ariary has two decimals in ISO 4217 and none at Stripe. The króna and the Ugandan shilling have none in ISO
/// 4217, but Stripe kept two for the sake of old integrations: 5 UGX are `500`.
fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "MGA" => 0,
        "ISK" | "UGX" => 2,
        _ => currency.exponent(),
    }
}

/// Converts Stripe's `amount` of `currency` to minor units by ISO 4217, the units of this crate.
///
/// See the [module](self) for an example.
///
/// # Errors
/// When the amount has a fraction that the currency cannot express (`550` for 5.50 UGX), or is out of range.
pub fn to_minor(amount: i64, currency: Currency) -> Result<i64, AmountError> {
    rescale(amount, exponent(currency), currency.exponent()).ok_or_else(|| {
        AmountError(format!("expected an amount that {currency} can express, got {amount} in Stripe's units"))
    })
}

/// Converts `money` to Stripe's `amount` parameter, for hosts that create checkout sessions themselves.
///
/// See the [module](self) for an example.
///
/// # Errors
/// When the currency has three decimals and the last of them is not 0, which Stripe refuses, or when the amount is out
/// of range.
pub fn from_minor(money: Money) -> Result<i64, AmountError> {
    let decimals = exponent(money.currency);
    if decimals == 3 && money.minor % 10 != 0 {
        return Err(AmountError(format!(
            "expected an amount whose third decimal is 0, as Stripe demands, got {money}"
        )));
    }
    rescale(money.minor, money.currency.exponent(), decimals)
        .ok_or_else(|| AmountError(format!("expected an amount that Stripe can express, got {money}")))
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
