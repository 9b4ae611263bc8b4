//! Are Stripe's amounts read and written in the units that Stripe means?

use actix_payments::domain::money::{Currency, Money};
use actix_payments::gateways::stripe::money::{from_minor, to_minor};
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn stripes_own_decimals_become_isos_and_back() {
    // The currency, Stripe's amount, and the same in words.
    let cases = [
        ("eur", 4999, "49.99 EUR"),
        ("jpy", 500, "500 JPY"),
        ("krw", 500, "500 KRW"),
        ("kwd", 5120, "5.120 KWD"),
        ("ugx", 500, "5 UGX"),
        ("isk", 500, "5 ISK"),
        ("mga", 5, "5.00 MGA"),
        ("huf", 500, "5.00 HUF"),
        ("twd", 500, "5.00 TWD"),
        ("usd", -150, "-1.50 USD"),
        ("ugx", -500, "-5 UGX"),
    ];
    for (code, amount, words) in cases {
        let money = Money::new(to_minor(amount, currency(code)).unwrap(), currency(code));
        assert_eq!(money.to_string(), words);
        assert_eq!(from_minor(money), Ok(amount), "{words}");
    }
}

#[test]
fn the_currencies_without_decimals_are_stripes() {
    for code in "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(' ') {
        let five = Money::new(5 * 10_i64.pow(currency(code).exponent()), currency(code));
        assert_eq!(from_minor(five), Ok(5), "{code}");
    }
    for code in "bhd jod kwd omr tnd".split(' ') {
        assert_eq!(from_minor(Money::new(5000, currency(code))), Ok(5000), "{code}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_in_words() {
    let message = to_minor(550, currency("ugx")).unwrap_err().to_string();
    assert_eq!(message, "expected an amount that UGX can express, got 550 in Stripe's units");
    let message = from_minor(Money::new(5124, currency("kwd"))).unwrap_err().to_string();
    assert_eq!(message, "expected an amount whose third decimal is 0, as Stripe demands, got 5.124 KWD");
    let message = from_minor(Money::new(550, currency("mga"))).unwrap_err().to_string();
    assert_eq!(message, "expected an amount that Stripe can express, got 5.50 MGA");
    assert!(to_minor(i64::MAX, currency("mga")).is_err());
    assert!(from_minor(Money::new(i64::MIN, currency("isk"))).is_err());
}

proptest! {
    #[test]
    fn whatever_can_be_read_is_written_the_same(amount: i64, code in "usd|jpy|ugx|isk|mga|eur") {
        if let Ok(minor) = to_minor(amount, currency(&code)) {
            prop_assert_eq!(from_minor(Money::new(minor, currency(&code))), Ok(amount));
        }
    }
}
