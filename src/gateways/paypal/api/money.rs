//! PayPal's format of amounts: a decimal number, in which three currencies have no decimals, whatever ISO 4217 says
//! (<https://developer.paypal.com/reference/currency-codes/>).

use serde_json::{Value, json};

use crate::domain::money::Money;
use crate::gateways::GatewayError;

/// The currencies that PayPal accepts in whole units only. Two of them have two decimals in ISO 4217.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// The amount in PayPal's format.
///
/// # Errors
/// `Declined` for a fraction of a forint or of a Taiwan dollar.
pub(super) fn write(money: Money) -> Result<Value, GatewayError> {
    let code = money.currency.as_str();
    let decimal = money.decimal();
    let value = match (WHOLE.contains(&code), decimal.split_once('.')) {
        (true, Some((whole, rest))) if rest.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        (true, Some(_)) => {
            let message = format!("PayPal takes {code} in whole units only, got {money}");
            return Err(GatewayError::Declined(message));
        }
        _ => decimal,
    };
    Ok(json!({"currency_code": code, "value": value}))
}
