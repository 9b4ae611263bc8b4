//! Mollie's format of amounts: a decimal text with as many decimals as the currency has by ISO 4217
//! (<https://docs.mollie.com/docs/amounts>).

use serde_json::{Value, json};

use crate::domain::event::Malformed;
use crate::domain::money::{Currency, Decimal, Money};
use crate::gateways::json::Object;

/// The amount in Mollie's format.
pub(super) fn write(money: Money) -> Value {
    json!({"currency": money.currency.as_str(), "value": money.decimal()})
}

/// The amount in the field `name`; `None` where the object has none.
pub(super) fn read(object: &Object<'_>, name: &str) -> Result<Option<Money>, Malformed> {
    let Some(amount) = object.object(name, "an amount")? else { return Ok(None) };
    let code = amount.need_text("currency")?;
    let currency = Currency::parse(&code).map_err(|error| Malformed(error.to_string()))?;
    let value = amount.need_text("value")?;
    let expected = || Malformed(format!("expected an amount that {currency} can express as {name}, got another text"));
    let decimal = Decimal::parse(&value).map_err(|_| expected())?;
    Ok(Some(Money::new(decimal.exact(currency).ok_or_else(expected)?, currency)))
}

/// The amount in the field `name`, which is required.
pub(super) fn need(object: &Object<'_>, name: &str) -> Result<Money, Malformed> {
    read(object, name)?.ok_or_else(|| Malformed(format!("expected an amount as {name}, got none")))
}
