//! What the words of a text find, and what an amount does: a bounded look through one index for each.

use std::collections::BTreeSet;

use super::scoped::{found_of, own_payments, own_subscriptions};
use super::view::AMONG_OTHERS;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::money::{Currency, Decimal};
use crate::domain::scope::Scope;
use crate::domain::search::{Sought, sought};
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{AmountKey, PaymentFilter, PaymentStream, Span, Window};
use crate::store::words::{End, Subject};

/// How many of the newest rows whose words are not written yet are looked through.
const UNWRITTEN: i64 = 200;
/// How many currencies an amount is looked for in.
const CURRENCIES: i64 = 24;

/// What words found.
#[derive(Debug, Default)]
pub(crate) struct FoundByWords {
    pub payments: BTreeSet<PaymentId>,
    pub subscriptions: BTreeSet<SubscriptionId>,
    /// Whether there may be more that were not looked at. Of some variants' rows that is not said: it would tell of others'.
    pub is_more: bool,
}

/// The payments and subscriptions that bear this text in an address, a name, an order number or a card's last digits.
pub(crate) fn by_words(tx: &mut dyn Tx, text: &str, scope: &Scope) -> Result<FoundByWords, Error> {
    let (mut found, ranges) = (FoundByWords::default(), sought(text));
    if ranges.is_empty() {
        return Ok(found);
    }
    let mut subjects = unwritten(tx, &ranges)?;
    for range in &ranges {
        let (found_here, is_more) = tx.with_words(range, found_of(scope))?;
        found.is_more |= is_more && scope.is_all();
        subjects.extend(found_here);
    }
    let (mut payments, mut subscriptions) = (Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Payment(id) => payments.push(id),
            Subject::Subscription(id) => subscriptions.push(id),
        }
    }
    found.payments = own_payments(tx, payments, scope)?;
    found.subscriptions = own_subscriptions(tx, subscriptions, scope)?;
    Ok(found)
}

/// Those whose words are not written yet and that have one in these ranges, as far as a look at the newest tells.
fn unwritten(tx: &mut dyn Tx, ranges: &[Sought]) -> Result<Vec<Subject>, Error> {
    let owed: BTreeSet<Subject> =
        tx.words_owed(End::Newest, UNWRITTEN)?.into_iter().map(|(_, subject)| subject).collect();
    let texts = tx.texts_to_find(&owed.into_iter().collect::<Vec<_>>())?;
    let found =
        texts.iter().filter(|texts| texts.pieces().iter().any(|piece| ranges.iter().any(|range| range.finds(piece))));
    Ok(found.map(|texts| texts.subject).collect())
}

/// The payments of one of these amounts, in the currency named or in each that there is; `limit` of each.
pub(crate) fn by_amount(
    tx: &mut dyn Tx,
    numbers: &[Decimal],
    currency: Option<Currency>,
    limit: i64,
    scope: &Scope,
) -> Result<(Vec<PaymentId>, bool), Error> {
    let (mut found, mut is_more) = (Vec::new(), false);
    let filter = PaymentFilter { scope: scope.clone(), ..PaymentFilter::default() };
    let depth = if scope.is_all() { limit } else { AMONG_OTHERS };
    if numbers.is_empty() {
        return Ok((found, false));
    }
    let codes = match currency {
        Some(code) => vec![code],
        None => tx.currencies(CURRENCIES)?.iter().filter_map(|code| Currency::parse(code).ok()).collect(),
    };
    for code in codes {
        for minor in numbers.iter().filter_map(|number| number.exact(code)) {
            let key = |id| AmountKey { currency: code.to_string(), amount: minor, id };
            let amounts = Span { above: key(0), below: key(i64::MAX) };
            let window = Window { amounts, ..Window::whole(depth) };
            let ids = tx.payment_ids(&PaymentStream::Amount, &filter, &window, true, limit)?;
            is_more |= ids.len() as i64 == limit;
            found.extend(ids);
        }
    }
    Ok((found, is_more))
}
