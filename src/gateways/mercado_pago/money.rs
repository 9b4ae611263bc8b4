//! Mercado Pago's format of amounts: a JSON number in the currency's main unit
//! (<https://www.mercadopago.com.br/developers/en/reference/payments/_payments/post>).

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::event::Malformed;
use crate::domain::money::{Currency, Decimal, Money};
use crate::gateways::GatewayError;
use crate::gateways::json::Object;

/// The amount in Mercado Pago's format.
pub(super) fn write(money: Money) -> Result<Value, GatewayError> {
    let decimal = money.decimal();
    let short = if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { &decimal };
    let number: Option<Value> = serde_json::from_str(short).ok().filter(Value::is_number);
    // A number of JSON's may be rounded on its way.
    let is_same = |number: &Value| {
        let read = Decimal::parse(&number.to_string()).ok().and_then(|decimal| decimal.exact(money.currency));
        read == Some(money.minor)
    };
    number.filter(is_same).ok_or_else(|| GatewayError::Declined(format!("Mercado Pago takes no amount like {money}")))
}

/// The amount in the field `name`; `None` where the object has none.
pub(super) fn read(object: &Object<'_>, name: &str, currency: Currency) -> Result<Option<Money>, Malformed> {
    let Some(raw) = object.raw(name) else { return Ok(None) };
    let expected = || Malformed(format!("expected an amount that {currency} can express as {name}, got another value"));
    let decimal = Decimal::parse(&without_tail(raw)).map_err(|_| expected())?;
    Ok(Some(Money::new(decimal.exact(currency).ok_or_else(expected)?, currency)))
}

/// How many decimals of a number are kept that has a tail.
const KEPT: usize = 6;
/// From how many decimals on a number has one: a sum of binary fractions has 12 and more.
const TAIL: usize = 10;

/// The number without the tail that adding binary fractions leaves behind: `39.98` of `39.980000000000004` and of
/// `39.97999999999999`.
fn without_tail(number: &str) -> Cow<'_, str> {
    let Some((whole, decimals)) = number.split_once('.').filter(|(_, decimals)| decimals.len() >= TAIL) else {
        return number.into();
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (kept, tail) = decimals.split_at_checked(KEPT).unwrap_or((decimals, ""));
    let digits = format!("{whole}{kept}").parse::<u64>().ok().filter(|_| is_digits(whole) && is_digits(decimals));
    let up = u64::from(tail.as_bytes().first().is_some_and(|first| *first >= b'5'));
    let Some(rounded) = digits.and_then(|digits| digits.checked_add(up)) else { return number.into() };
    let one = 10_u64.pow(6);
    let text = format!("{}.{:06}", rounded / one, rounded % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned().into()
}

/// The amount in the field `name`, which is required.
pub(super) fn need(object: &Object<'_>, name: &str, currency: Currency) -> Result<Money, Malformed> {
    read(object, name, currency)?.ok_or_else(|| Malformed(format!("expected an amount as {name}, got none")))
}

/// The currency that an object names.
pub(super) fn currency(object: &Object<'_>) -> Result<Currency, Malformed> {
    Currency::parse(&object.need_text("currency_id")?).map_err(|bad| Malformed(bad.to_string()))
}
