//! All that there is of one customer: payments, subscriptions, and what the payments come to.

use std::sync::Arc;

use super::browse::{COUNT_CAP, Page, Place, ROWS, payments_of_customer};
use super::payment_sums::{PaymentSum, add_up};
use crate::engine::{Engine, find};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::PaymentRow;
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionRow};

/// How many subscriptions are shown.
const SUBSCRIPTIONS: usize = 20;

/// What tells who the customer is. An email address is nothing for the address of a page.
#[derive(Debug, Clone)]
pub(crate) enum CustomerOf {
    /// The payment with this token.
    Payment(String),
    /// The subscription with this token.
    Subscription(String),
}

/// All that there is of one customer.
pub(crate) struct CustomerStory {
    /// The email address.
    pub address: String,
    /// The payments.
    pub page: Page<PaymentRow>,
    /// What the newest of them come to, by currency and mode.
    pub sums: Vec<PaymentSum>,
    /// Whether there are more payments than [`COUNT_CAP`], which is as far as they are added up.
    pub is_part: bool,
    /// The newest subscriptions.
    pub subscriptions: Vec<SubscriptionRow>,
    /// Whether there are more subscriptions than these.
    pub has_more_subscriptions: bool,
}

impl Engine {
    /// All that there is of a customer; `None` where no address is known.
    pub(crate) async fn customer_story(
        self: &Arc<Self>,
        of: CustomerOf,
        place: Option<Place>,
    ) -> Result<Option<CustomerStory>, Error> {
        self.look(move |tx| story(tx, &of, place)).await
    }
}

fn story(tx: &mut dyn Tx, of: &CustomerOf, place: Option<Place>) -> Result<Option<CustomerStory>, Error> {
    let Some(address) = address(tx, of)? else { return Ok(None) };
    let newest = payments_of_customer(tx, &address, None, usize::try_from(COUNT_CAP).unwrap_or(ROWS))?;
    let page = payments_of_customer(tx, &address, place, ROWS)?;
    let filter = SubscriptionFilter { customer: Some(address.clone()), ..SubscriptionFilter::default() };
    let mut subscriptions = tx.list_subscriptions(&filter, None, SUBSCRIPTIONS as i64 + 1)?;
    let has_more_subscriptions = subscriptions.len() > SUBSCRIPTIONS;
    subscriptions.truncate(SUBSCRIPTIONS);
    Ok(Some(CustomerStory {
        sums: add_up(&newest.rows),
        is_part: newest.further.is_some(),
        address,
        page,
        subscriptions,
        has_more_subscriptions,
    }))
}

fn address(tx: &mut dyn Tx, of: &CustomerOf) -> Result<Option<String>, Error> {
    Ok(match of {
        CustomerOf::Payment(token) => find::by_token(tx, token)?.and_then(|row| row.customer),
        CustomerOf::Subscription(token) => {
            tx.subscriptions_of(&[], &[token.to_owned()])?.pop().and_then(|row| row.customer)
        }
    })
}
