//! Does all that a company may ever say of one payment leave one state and one set of movements, in several orders and
//! when it is repeated? The stories of the other files end in what is true; here all events are sent together, those
//! too that would not happen to one payment.

use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Payment};

use super::{
    Company, Stands, adyen, app, events, lemon_squeezy, paddle, polar, razorpay, square, tell_variant, variant,
};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;

/// In how many orders all is told: from the first to the last, from the last to the first, and shuffled.
const ORDERS: usize = 6;

/// The events in the order with this number.
fn told_in<C: Company>(order: usize) -> Vec<(String, String)> {
    let mut all: Vec<_> = events::<C>().into_iter().collect();
    match order {
        0 => {}
        1 => all.reverse(),
        _ => {
            let mut dice = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(order as u64 + 1) | 1;
            for at in (1..all.len()).rev() {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                all.swap(at, usize::try_from(dice >> 11).unwrap() % (at + 1));
            }
        }
    }
    all
}

/// What is compared of a payment: where its money is, and why somebody should look at it.
fn stands(payment: &Payment) -> (Stands, i64, Vec<String>) {
    let mut concerns = payment.concerns.clone();
    concerns.sort();
    let stands = (payment.status, payment.captured.minor, payment.refunded.minor, payment.disputed);
    (stands, payment.lost.minor, concerns)
}

/// The movements of a payment's money, fees too, in the order of their texts. Razorpay's refunds have one id and
/// one second here, so that only their sum is certain.
fn moved<C: Company>(app: &App, token: &str) -> Vec<String> {
    let is_sum = C::NAME == razorpay::Of::NAME;
    let kind = if is_sum { "CASE kind WHEN 'fee' THEN 'fee' ELSE 'gross' END" } else { "kind" };
    let amount = if is_sum { "sum(amount)" } else { "amount" };
    let group = if is_sum { format!("GROUP BY {kind}, currency, moved_at") } else { String::new() };
    app.texts(&format!(
        "SELECT {kind} || ' ' || {amount} || ' ' || currency || ' ' || moved_at AS t FROM pay_movements
         WHERE payment_id = (SELECT id FROM pay_payments WHERE token = '{token}') {group} ORDER BY t"
    ))
}

/// Asserts that the page says where the money is, and that the events make the payment once more.
async fn is_shown(app: &App, payment: &Payment) {
    assert!(app.payments.rebuild(&payment.token).await.unwrap().same);
    let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
    assert!(page.contains(&payment.status.as_str().replace('_', " ")), "{page}");
    for amount in [payment.captured, payment.refunded, payment.lost].into_iter().filter(|amount| amount.minor > 0) {
        assert!(page.contains(&amount.to_string()), "{amount} in {page}");
    }
    assert!(page.contains("disputed") || !payment.disputed, "{page}");
    assert!(payment.concerns.iter().all(|concern| page.contains(&concern.replace('\'', "&#39;"))), "{page}");
}

/// Tells all events in each order, in every second one twice, and asserts that they end in this, with this much lost.
async fn ends_alike<C: Company>(kind: Kind, due: Money, subscription: Option<&str>, expected: Stands, lost: i64) {
    let app = app::<C>(kind, ORDERS).await;
    let (mut first, mut first_moved, mut first_of_subscription) = (None, None, None);
    for order in 0..ORDERS {
        let name = variant::<C>(order);
        let new = NewPayment::new(name.as_str(), due).reference("10042");
        let token = app.payments.create(new).await.unwrap().payment.token;
        for (event, body) in told_in::<C>(order) {
            tell_variant::<C>(&app, &name, &event, &C::of(&body, &token), 1 + order % 2).await;
        }
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        is_shown(&app, &payment).await;
        let found = stands(&payment);
        assert_eq!((found.0, found.1), (expected, lost), "order {order}: {payment:?}");
        assert_eq!(*first.get_or_insert(found.clone()), found, "order {order}");
        let found = moved::<C>(&app, &token);
        assert_eq!(*first_moved.get_or_insert(found.clone()), found, "order {order}");
        if let Some(gateway_ref) = subscription {
            let found = app.payments.subscription_at(&name, gateway_ref).await.unwrap().expect("a subscription");
            let found = (found.status(), found.state.ends_at(), found.state.period);
            assert_eq!(*first_of_subscription.get_or_insert(found), found, "order {order}");
        }
    }
}

on_both_databases! {
    async fn all_that_paddle_says_leaves_one_state_and_the_same_movements_in_several_orders(kind) {
        // The refund was rejected, and the chargeback reversed.
        let expected = (Status::Paid, 4999, 0, false);
        ends_alike::<paddle::Of>(kind, money(4999, "EUR"), Some("sub_01hv8x29kz0t586xy6zn1a62ny"), expected, 0).await;
    }

    async fn all_that_lemon_squeezy_says_leaves_one_state_and_the_same_movements_in_several_orders(kind) {
        let expected = (Status::Refunded, 4999, 4999, false);
        ends_alike::<lemon_squeezy::Of>(kind, money(4999, "EUR"), Some("1"), expected, 0).await;
    }

    async fn all_that_polar_says_leaves_one_state_and_the_same_movements_in_several_orders(kind) {
        let expected = (Status::Refunded, 4999, 4999, false);
        ends_alike::<polar::Of>(kind, money(4999, "EUR"), Some(polar::SUBSCRIPTION), expected, 0).await;
    }

    async fn all_that_razorpay_says_leaves_one_state_and_the_same_sums_in_several_orders(kind) {
        // The refunds have one id, and in the end they failed.
        let expected = (Status::Paid, 4999, 0, true);
        ends_alike::<razorpay::Of>(kind, money(4999, "INR"), Some("sub_DEX6xcJ1HSW4CR"), expected, 0).await;
    }

    async fn all_that_square_says_leaves_one_state_and_the_same_movements_in_several_orders(kind) {
        // The refund failed after the payment had shown it, and the dispute was lost.
        let expected = (Status::Paid, 4999, 0, true);
        ends_alike::<square::Of>(kind, money(4999, "EUR"), None, expected, 4999).await;
    }

    async fn all_that_adyen_says_leaves_one_state_and_the_same_movements_in_several_orders(kind) {
        // The whole and a part of it were captured; what the second chargeback took is what refunds left.
        let expected = (Status::PartiallyRefunded, 7999, 5499, true);
        ends_alike::<adyen::Of>(kind, money(4999, "EUR"), None, expected, 2500).await;
    }
}
