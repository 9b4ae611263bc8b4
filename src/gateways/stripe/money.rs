//! How does Stripe write an amount? As an integer like ours, but for a few currencies with another number of
//! decimals than ISO 4217 says (<https://docs.stripe.com/currencies>); which decimals ISO says is the domain's.

use crate::domain::money::{Currency, Money};

/// An amount can't be written the other way. Says expected and got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAmount(String);

/// How many decimals Stripe's amounts of `currency` have.
///
/// The ariary has two decimals by ISO and none at Stripe. The króna and the Ugandan shilling have none by ISO,
/// and Stripe went on writing them with two, for the sake of old integrations: 5 UGX are `500`.
fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "MGA" => 0,
        "ISK" | "UGX" => 2,
        _ => currency.exponent(),
    }
}

/// Stripe's `amount` of `currency` in ISO 4217's minor units, ours.
///
/// # Errors
/// When the amount has a fraction that the currency has not (`550` for 5.50 UGX), or is out of range.
pub fn to_minor(amount: i64, currency: Currency) -> Result<i64, BadAmount> {
    rescale(amount, exponent(currency), currency.exponent()).ok_or_else(|| {
        BadAmount(format!("expected an amount that {currency} can express, got {amount} in Stripe's units"))
    })
}

/// `money` as Stripe's `amount` parameter, in the units that Stripe expects of the currency. A host that creates
/// its own checkout sessions wants this.
///
/// # Errors
/// When the currency has three decimals and the last of them is not 0, which Stripe refuses, or when the amount
/// is out of range.
pub fn from_minor(money: Money) -> Result<i64, BadAmount> {
    let decimals = exponent(money.currency);
    if decimals == 3 && money.minor % 10 != 0 {
        return Err(BadAmount(format!("expected an amount whose third decimal is 0, as Stripe demands, got {money}")));
    }
    rescale(money.minor, money.currency.exponent(), decimals)
        .ok_or_else(|| BadAmount(format!("expected an amount that Stripe can express, got {money}")))
}

/// `amount` with another number of decimals; `None` when a fraction or the highest digits would be lost.
fn rescale(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10_i64.checked_pow(from.abs_diff(to))?;
    match from <= to {
        true => amount.checked_mul(factor),
        false => (amount % factor == 0).then_some(amount / factor),
    }
}

impl std::fmt::Display for BadAmount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAmount {}
