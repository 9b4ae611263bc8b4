//! What a subscription comes to in a month. A week is 7 of the 365.25 / 12 days of a month, a year 12 months;
//! taxes and what is billed by use are not in it, and discounts only where the gateway's amount is less by them (Polar's).

use super::content::SubscriptionItem;
use super::state::SubscriptionState;
use crate::domain::money::Money;

/// An average month in ten-thousandths of a day.
const MONTH: i128 = 304_375;
/// A day in the same unit.
const DAY: i128 = 10_000;
/// The largest amount that is added up, in minor units: a trillion of most currencies. More is somebody's mistake, and
/// sums of many thousands of it would leave the range of 64 bits.
const LARGEST: u64 = 100_000_000_000_000;

impl SubscriptionState {
    /// The sum of the items with a quantity, each quantity counted, in a month; what is billed by use is not in it.
    /// `None` if there are none, one of them has no amount (a part would look like the whole), two have different
    /// currencies, or it is more than a trillion of most currencies.
    pub fn monthly(&self) -> Option<Money> {
        let mut sum: Option<Money> = None;
        for item in self.items.iter().filter(|item| item.quantity.is_some()) {
            let money = monthly(item)?;
            sum = match sum {
                None => Some(money),
                Some(sum) if sum.currency == money.currency => {
                    Some(Money::new(sum.minor.checked_add(money.minor)?, sum.currency))
                }
                Some(_) => return None,
            };
        }
        sum.filter(|sum| sum.minor.unsigned_abs() <= LARGEST)
    }
}

/// What an item comes to in a month, rounded half up.
fn monthly(item: &SubscriptionItem) -> Option<Money> {
    let amount = item.amount?;
    let count = i128::from(item.interval_count.filter(|count| *count > 0).unwrap_or(1));
    let interval = match item.interval.as_deref()? {
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => MONTH,
        "year" => 12 * MONTH,
        _ => return None,
    };
    let all = i128::from(amount.minor).checked_mul(i128::from(item.quantity?))?.checked_mul(MONTH)?;
    let each = interval.checked_mul(count)?;
    let minor = all.checked_mul(2)?.checked_add(each)?.div_euclid(2 * each);
    Some(Money::new(i64::try_from(minor).ok()?, amount.currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn item(minor: i64, quantity: i64, interval: &str, count: i64) -> SubscriptionItem {
        let euro = Currency::parse("EUR").expect("a currency");
        SubscriptionItem {
            price: "price".to_owned(),
            product: None,
            quantity: Some(quantity),
            amount: Some(Money::new(minor, euro)),
            interval: Some(interval.to_owned()),
            interval_count: Some(count),
        }
    }

    #[test]
    fn an_item_is_worth_its_part_of_a_month() {
        let cases = [
            (item(1_000, 3, "month", 1), 3_000),
            (item(1_200, 1, "year", 1), 100),
            (item(3_000, 1, "month", 3), 1_000),
            (item(700, 1, "week", 1), 3_044),
            (item(100, 1, "day", 1), 3_044),
            (item(1, 1, "year", 1), 0),
        ];
        for (item, minor) in cases {
            assert_eq!(monthly(&item).map(|money| money.minor), Some(minor), "{item:?}");
        }
        assert_eq!(monthly(&item(1, 1, "fortnight", 1)), None);
        assert_eq!(monthly(&item(i64::MAX, i64::MAX, "day", 1)), None);
    }
}
