//! How does PayPal write an amount? As a decimal number, and for three currencies without decimals that ISO 4217 gives them
//! (<https://developer.paypal.com/reference/currency-codes/>).

use serde_json::{Value, json};

use crate::domain::money::Money;
use crate::gateways::GatewayError;

/// Those that PayPal takes whole, though ISO gives two of them hundredths.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// The amount as PayPal wants it.
///
/// # Errors
/// `Declined` for a part of a forint or of a Taiwan dollar.
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
