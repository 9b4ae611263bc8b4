//! Are subscriptions of PayPal and Braintree read as Stripe's are?

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::{Recorded, SubscriptionStatement};
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::subscription::{
    SubscriptionFact, SubscriptionFacts, SubscriptionState, SubscriptionStatus,
};
use actix_payments::gateways::Gateway;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::{Dummy, DummyInvoice, DummySubscription};
use actix_payments::gateways::paypal::PayPal;
use actix_payments::{ErrorKind, Outcome, PlanChange, Proration};

use super::story::orders;
use crate::app::{App, NOW, on_both_databases};

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/events/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
}

/// What an event of PayPal's states of the subscription, as of this time if one is given.
fn of_paypal(name: &str, update_time: Option<&str>) -> SubscriptionStatement {
    let mut text = String::from_utf8(fixture(&format!("paypal/{name}.json"))).unwrap();
    if let Some(time) = update_time {
        text = text.replace("\"update_time\":\"2026-10-12T08:53:19Z\"", &format!("\"update_time\":\"{time}\""));
    }
    let id = format!("WH-{name}");
    let recorded = Recorded::new(&id, name, at("2026-10-12T08:53:20Z"), text.as_bytes());
    PayPal::new("WH-1").interpret(&recorded).unwrap().subscription.unwrap()
}

fn of_braintree(name: &str) -> SubscriptionStatement {
    let kind = name.trim_start_matches("realistic.");
    let body = fixture(&format!("braintree/{name}.xml"));
    let recorded = Recorded::new(name, kind, at("2026-10-12T08:53:20Z"), &body);
    Braintree::new("merchant", "public", "private").interpret(&recorded).unwrap().subscription.unwrap()
}

/// What a notification of Braintree's states that came later, with other values of these fields.
fn changed_at_braintree(name: &str, id: &str, fields: &[(&str, &str)]) -> SubscriptionStatement {
    let mut text = String::from_utf8(fixture(&format!("braintree/realistic.{name}.xml"))).unwrap();
    for (field, value) in fields {
        let (before, rest) = text.split_once(&format!("<{field}")).unwrap();
        let (attributes, rest) = rest.split_once('>').unwrap();
        let (_, rest) = rest.split_once('<').unwrap();
        text = format!("{before}<{field}{attributes}>{value}<{rest}");
    }
    let recorded = Recorded::new(id, name, at("2026-10-12T09:30:00Z"), text.as_bytes());
    Braintree::new("merchant", "public", "private").interpret(&recorded).unwrap().subscription.unwrap()
}

/// The state that all of them make, which is the same in every order.
fn state(statements: &[SubscriptionStatement]) -> SubscriptionState {
    let of = |order: &[usize]| SubscriptionFacts::of(order.iter().flat_map(|at| statements[*at].facts.clone())).state();
    let states: Vec<SubscriptionState> = orders(statements.len()).iter().map(|order| of(order)).collect();
    assert!(states.iter().all(|state| *state == states[0]));
    states[0].clone()
}

#[test]
fn paypals_words_are_ours() {
    let words = [
        ("CREATED", SubscriptionStatus::Incomplete),
        ("ACTIVATED", SubscriptionStatus::Active),
        ("UPDATED", SubscriptionStatus::Active),
        ("SUSPENDED", SubscriptionStatus::Paused),
        ("CANCELLED", SubscriptionStatus::Canceled),
        ("EXPIRED", SubscriptionStatus::Expired),
    ];
    for (name, status) in words {
        let statement = of_paypal(&format!("BILLING.SUBSCRIPTION.{name}"), None);
        assert_eq!(
            (state(std::slice::from_ref(&statement)).status, statement.gateway_ref.as_str()),
            (status, "I-BW452GLLEP1G"),
            "{name}"
        );
    }
    let active = state(&[of_paypal("BILLING.SUBSCRIPTION.ACTIVATED", None)]);
    assert_eq!(active.owner.as_deref(), Some("tenant-7"));
    assert_eq!(active.customer.as_deref(), Some("jenny.rosen@example.com"));
    assert_eq!((active.items[0].price.as_str(), active.items[0].quantity), ("P-5ML4271244454362WXNWU5NQ", Some(1)));
    assert_eq!(active.period.unwrap().end, at("2026-11-12T10:00:00Z"));
}

/// PayPal's word for a subscription whose renewal was not paid is still `ACTIVE`.
#[test]
fn an_outstanding_balance_at_paypal_is_past_due_and_lets_in_for_the_grace_only() {
    let told = [
        of_paypal("BILLING.SUBSCRIPTION.ACTIVATED", None),
        of_paypal("BILLING.SUBSCRIPTION.PAYMENT.FAILED", None),
        of_paypal("BILLING.SUBSCRIPTION.PAYMENT.FAILED", Some("2026-11-17T10:00:05Z")),
    ];
    let due = state(&told);
    let failed = at("2026-11-12T10:00:00Z");
    assert_eq!((due.status, due.gateway_status.as_deref()), (SubscriptionStatus::PastDue, Some("ACTIVE")));
    assert_eq!((due.due_since(), due.doubt.clone()), (Some(failed), None));
    let grace = std::time::Duration::from_secs(3 * 86_400);
    assert!(due.is_active(failed + time::Duration::days(2), grace));
    assert!(!due.is_active(failed + time::Duration::days(3), grace), "not for ever");
    // PayPal may tell of the sale that pays it and of nothing else, until it is asked.
    let mut sale = of_paypal("PAYMENT.SALE.COMPLETED", None);
    for fact in &mut sale.facts {
        let SubscriptionFact::Invoice(invoice) = fact else { continue };
        invoice.occurred_at = at("2026-11-18T10:00:00Z");
    }
    let paid = state(&[told[0].clone(), told[2].clone(), sale.clone()]);
    assert!(paid.is_active(at("2026-11-18T10:00:00Z"), grace) && paid.doubt.is_some());
    let asked = of_paypal("BILLING.SUBSCRIPTION.UPDATED", Some("2026-11-18T10:00:01Z"));
    let known = state(&[told[2].clone(), sale, asked]);
    assert_eq!((known.status, known.doubt), (SubscriptionStatus::Active, None));
}

/// user-registration#1327: a late sale revived a subscription that was cancelled.
#[test]
fn a_late_sale_does_not_revive_what_was_cancelled() {
    let all = [
        of_paypal("BILLING.SUBSCRIPTION.CREATED", Some("2026-10-12T08:53:18Z")),
        of_paypal("BILLING.SUBSCRIPTION.ACTIVATED", None),
        of_paypal("BILLING.SUBSCRIPTION.CANCELLED", Some("2026-10-20T00:00:00Z")),
        of_paypal("BILLING.SUBSCRIPTION.UPDATED", Some("2026-10-21T00:00:00Z")),
        of_paypal("PAYMENT.SALE.COMPLETED", Some("2026-10-22T00:00:00Z")),
    ];
    let state = state(&all);
    assert_eq!((state.status, state.doubt), (SubscriptionStatus::Canceled, None));
    let sale = state.last_invoice.unwrap();
    assert_eq!((sale.gateway_ref.as_str(), sale.paid, sale.due.unwrap().minor), ("80021663DE681814L", true, 2000));
}

#[test]
fn braintrees_words_are_ours() {
    let charged = state(&[of_braintree("realistic.subscription_charged_successfully")]);
    assert_eq!((charged.status, charged.customer_ref.as_deref()), (SubscriptionStatus::Active, Some("jenny")));
    assert_eq!(charged.customer.as_deref(), Some("jenny.rosen@example.com"));
    let period = charged.period.unwrap();
    assert_eq!((period.start, period.end), (at("2026-10-12T00:00:00Z"), at("2026-11-12T00:00:00Z")));
    assert_eq!(charged.items[0].price, "pro_monthly");
    let all = ["charged_successfully", "charged_unsuccessfully", "went_past_due", "canceled"];
    let all = all.map(|name| of_braintree(&format!("realistic.subscription_{name}")));
    assert_eq!(state(&all[1..3]).status, SubscriptionStatus::PastDue);
    assert_eq!(state(&all).status, SubscriptionStatus::Canceled);
}

#[test]
fn a_trial_at_braintree_is_over_with_the_day_of_the_first_billing() {
    let shown = |kind: &str, day: &str| {
        let fields = [("trial-period", "true"), ("first-billing-date", day)];
        state(&[changed_at_braintree(kind, "one", &fields)]).status
    };
    assert_eq!(shown("subscription_charged_successfully", "2026-11-12"), SubscriptionStatus::Trialing);
    assert_eq!(shown("subscription_charged_successfully", "2026-10-12"), SubscriptionStatus::Active);
}

/// What PayPal and Braintree answer then to a question about what their events of this name showed.
fn answered(name: &str, then: &str) -> SubscriptionStatement {
    let (kind, body) = match name.strip_prefix("BILLING.") {
        Some(_) => ("SUBSCRIPTION.ANSWERED", fixture(&format!("paypal/{name}.json"))),
        None => ("subscription_answered", fixture(&format!("braintree/{name}.xml"))),
    };
    let recorded = Recorded::new("answer", kind, at(then), &body);
    let read = match name.strip_prefix("BILLING.") {
        Some(_) => PayPal::new("WH-1").interpret(&recorded),
        None => Braintree::new("merchant", "public", "private").interpret(&recorded),
    };
    read.unwrap().subscription.unwrap()
}

#[test]
fn an_answer_settles_what_two_events_of_one_moment_leave_open() {
    let paypal = ["BILLING.SUBSCRIPTION.ACTIVATED", "BILLING.SUBSCRIPTION.SUSPENDED"];
    let mut tie = paypal.map(|name| of_paypal(name, Some("2026-10-12T08:53:19Z"))).to_vec();
    same_moment(&mut tie);
    assert!(state(&tie).doubt.is_some());
    tie.push(answered(paypal[1], "2026-11-20T00:00:00Z"));
    let known = state(&tie);
    assert_eq!((known.status, known.doubt), (SubscriptionStatus::Paused, None));

    let charged = "realistic.subscription_charged_successfully";
    let past_due = changed_at_braintree("subscription_went_past_due", "due", &[("failure-count", "0")]);
    let mut tie = vec![of_braintree(charged), past_due];
    assert!(state(&tie).doubt.is_some());
    tie.push(answered(charged, "2026-11-20T00:00:00Z"));
    let known = state(&tie);
    assert_eq!((known.status, known.doubt), (SubscriptionStatus::Active, None));
    let ended = answered("realistic.subscription_canceled", "2026-11-20T00:00:00Z");
    assert_eq!(state(&[ended]).ended_at, state(&[of_braintree("realistic.subscription_canceled")]).ended_at);
}

#[test]
fn braintrees_own_counts_tell_the_last_of_one_second() {
    let next = ("current-billing-cycle", "2");
    let told = [
        of_braintree("realistic.subscription_charged_successfully"),
        changed_at_braintree("subscription_charged_unsuccessfully", "failed", &[next, ("failure-count", "1")]),
        changed_at_braintree("subscription_went_past_due", "due", &[next, ("failure-count", "2")]),
        changed_at_braintree("subscription_charged_successfully", "paid", &[next, ("paid-through-date", "2026-12-11")]),
    ];
    let due = state(&told[..3]);
    assert_eq!((due.status, due.as_of_event.as_deref(), due.doubt), (SubscriptionStatus::PastDue, Some("due"), None));
    let paid = state(&told);
    assert_eq!(
        (paid.status, paid.as_of_event.as_deref(), paid.doubt),
        (SubscriptionStatus::Active, Some("paid"), None)
    );
}

/// A part of what is due may be charged by hand.
#[test]
fn a_charge_that_leaves_it_past_due_lets_nobody_in() {
    let charge = changed_at_braintree("subscription_charged_successfully", "part", &[("status", "Past Due")]);
    let due = state(&[charge]);
    assert_eq!((due.status, due.doubt.as_deref()), (SubscriptionStatus::PastDue, None));
    assert!(!due.is_active(at("2026-12-01T00:00:00Z"), std::time::Duration::from_secs(3 * 86_400)));
}

#[test]
fn what_is_canceled_at_braintree_is_active_as_long_as_it_is_paid_for() {
    let grace = std::time::Duration::from_secs(3 * 86_400);
    let canceled = state(&[of_braintree("realistic.subscription_canceled")]);
    // Its last day is the 11th, which is over everywhere at noon.
    assert_eq!((canceled.status, canceled.ended_at), (SubscriptionStatus::Canceled, Some(at("2026-11-12T12:00:00Z"))));
    assert!(
        canceled.is_active(at("2026-11-12T11:59:59Z"), grace) && !canceled.is_active(at("2026-11-12T12:00:00Z"), grace)
    );
    let unpaid = [("paid-through-date", "2026-09-11")];
    let unpaid = state(&[changed_at_braintree("subscription_canceled", "unpaid", &unpaid)]);
    assert_eq!(unpaid.ended_at, Some(at("2026-10-12T08:53:25Z")));
    assert!(!unpaid.is_active(at("2026-10-12T08:53:26Z"), grace));
}

/// Lets all of them show the same moment.
fn same_moment(statements: &mut [SubscriptionStatement]) {
    for fact in statements.iter_mut().flat_map(|statement| &mut statement.facts) {
        if let SubscriptionFact::Snapshot(snapshot) = fact {
            snapshot.occurred_at = at("2026-10-12T08:53:19Z");
        }
    }
}

on_both_databases! {
    async fn a_hosts_test_says_how_a_subscription_stands(kind) {
        let dummy = Dummy::new("secret");
        let gateway = dummy.clone();
        let app = App::with(kind, |builder| builder.variant("dummy", gateway)).await;
        let now = Timestamp::from_unix_timestamp(NOW).unwrap();
        let later = now + time::Duration::days(30);
        let active = DummySubscription::new("de_1", "ds_1", SubscriptionStatus::Active).owner("user-42").price("tea");
        let active = active.period(now, later);
        app.payments.receive("dummy", dummy.subscription_delivery(&active, now)).await.unwrap();
        app.drain().await;
        assert!(app.payments.active("user-42").await.unwrap());
        let ends = DummySubscription::new("de_2", "ds_1", SubscriptionStatus::Active).owner("user-42").cancel_at(later);
        app.pass(1);
        let then = now + time::Duration::seconds(1);
        app.payments.receive("dummy", dummy.subscription_delivery(&ends, then)).await.unwrap();
        app.drain().await;
        app.pass(30 * 86_400);
        assert!(!app.payments.active("user-42").await.unwrap());
    }

    async fn the_dummy_carries_out_every_call(kind) {
        let euro = |minor| Money::new(minor, Currency::parse("EUR").unwrap());
        let dummy = Dummy::new("secret").price("tea", euro(1250), "month").price("pro", euro(9900), "year");
        let gateway = dummy.clone();
        let app = App::with(kind, |builder| builder.variant("dummy", gateway)).await;
        // The subscription's clock was moved ahead of this host's.
        let ahead = Timestamp::from_unix_timestamp(NOW).unwrap() + time::Duration::days(60);
        let active = DummySubscription::new("de_1", "ds_1", SubscriptionStatus::Active).owner("user-42").price("tea");
        let active = active.amount(euro(1250), "month").period(ahead, ahead + time::Duration::days(30));
        let active = active.invoice(DummyInvoice::paid("di_1", euro(1250), 1));
        app.payments.receive("dummy", dummy.subscription_delivery(&active, ahead)).await.unwrap();
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid' AND captured_amount = 1250"), 1);
        let found = async || app.payments.subscription_at("dummy", "ds_1").await.unwrap().unwrap();
        let token = found().await.token;
        let payments = &app.payments;
        assert_eq!(payments.pause_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(found().await.status(), SubscriptionStatus::Paused);
        payments.unpause_subscription(&token).await.unwrap();
        payments.change_subscription(&token, PlanChange::new().price("pro").quantity(2)).await.unwrap();
        let changed = found().await;
        assert_eq!((changed.status(), changed.state.monthly()), (SubscriptionStatus::Active, Some(euro(1650))));
        let prorated = PlanChange::new().quantity(1).proration(Proration::InvoiceNow);
        assert_eq!(payments.change_subscription(&token, prorated).await.unwrap_err().kind(), ErrorKind::Gateway);
        payments.cancel_subscription_at_end(&token).await.unwrap();
        assert_eq!(found().await.state.ends_at(), Some(ahead + time::Duration::days(30)));
        payments.resume_subscription(&token).await.unwrap();
        assert_eq!(found().await.state.ends_at(), None);
        assert_eq!(payments.refresh_subscription(&token).await.unwrap(), Outcome::Done);
        let link = payments.portal_link(&token, "/tea").await.unwrap();
        assert!(link.starts_with("/payments/dummy/subscription?subscription=ds_1&"), "{link}");
        payments.cancel_subscription(&token).await.unwrap();
        assert_eq!((found().await.status(), found().await.owner()), (SubscriptionStatus::Canceled, Some("user-42")));
    }
}
