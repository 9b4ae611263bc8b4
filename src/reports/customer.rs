//! All that there is of one customer: payments, subscriptions, and what the payments come to.

use std::sync::Arc;

use super::browse::{COUNT_CAP, Page, Place, ROWS, payments_of_customer, payments_of_payer};
use super::payment_sums::{PaymentSum, add_up};
use crate::domain::scope::Scope;
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
    /// The email address, or the gateway's id of the customer where no address is known.
    pub name: String,
    /// Whose gateway's id it is.
    pub variant: Option<String>,
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
    /// All that there is of a customer in these variants; `None` where neither an address nor the gateway's id is known.
    pub(crate) async fn customer_story(
        self: &Arc<Self>,
        of: CustomerOf,
        place: Option<Place>,
        scope: Scope,
    ) -> Result<Option<CustomerStory>, Error> {
        self.look(move |tx| story(tx, &of, place, &scope)).await
    }
}

/// Who the customer is, as far as is known.
enum Who {
    /// By the email address.
    Address(String),
    /// By the id that the gateway of a variant has for them.
    AtGateway { variant: String, id: String },
}

fn story(
    tx: &mut dyn Tx,
    of: &CustomerOf,
    place: Option<Place>,
    scope: &Scope,
) -> Result<Option<CustomerStory>, Error> {
    let Some(who) = who(tx, of)? else { return Ok(None) };
    let newest = payments(tx, &who, scope, None, usize::try_from(COUNT_CAP).unwrap_or(ROWS))?;
    let page = payments(tx, &who, scope, place, ROWS)?;
    let all = SubscriptionFilter { scope: scope.clone(), ..SubscriptionFilter::default() };
    let filter = match &who {
        Who::Address(address) => SubscriptionFilter { customer: Some(address.clone()), ..all },
        Who::AtGateway { variant, id } => {
            SubscriptionFilter { variant: Some(variant.clone()), customer_ref: Some(id.clone()), ..all }
        }
    };
    let mut subscriptions = tx.list_subscriptions(&filter, None, SUBSCRIPTIONS as i64 + 1)?;
    let has_more_subscriptions = subscriptions.len() > SUBSCRIPTIONS;
    subscriptions.truncate(SUBSCRIPTIONS);
    let (name, variant) = match who {
        Who::Address(address) => (address, None),
        Who::AtGateway { variant, id } => (id, Some(variant)),
    };
    Ok(Some(CustomerStory {
        sums: add_up(&newest.rows),
        is_part: newest.further.is_some(),
        name,
        variant,
        page,
        subscriptions,
        has_more_subscriptions,
    }))
}

fn payments(
    tx: &mut dyn Tx,
    who: &Who,
    scope: &Scope,
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    match who {
        Who::Address(address) => payments_of_customer(tx, address, scope, place, size),
        // The payment or subscription that names them may be seen, and its variant has all of theirs.
        Who::AtGateway { variant, id } => payments_of_payer(tx, (variant, id), place, size),
    }
}

fn who(tx: &mut dyn Tx, of: &CustomerOf) -> Result<Option<Who>, Error> {
    let at_gateway = |variant, id: Option<String>| id.map(|id| Who::AtGateway { variant, id });
    Ok(match of {
        CustomerOf::Payment(token) => {
            let Some(row) = find::by_token(tx, token)? else { return Ok(None) };
            let payer = tx.payers_of(&[row.id])?.pop().and_then(|known| known.payer.gateway_ref).map(String::from);
            row.customer.map(Who::Address).or_else(|| at_gateway(row.variant, payer))
        }
        CustomerOf::Subscription(token) => {
            let Some(row) = find::subscription_by_token(tx, token)? else { return Ok(None) };
            row.customer.map(Who::Address).or_else(|| at_gateway(row.variant, row.customer_ref))
        }
    })
}
