//! How this shop takes payments: two gateways, one handler in the transaction that marks the order, one that sends a
//! receipt afterwards, and one that packs a tea box for each paid month.

use actix_payments::domain::money::{Currency, Money};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{
    Alarm, AnyConnection, AnyRef, Database, Error, HandlerError, Payments, SubscriptionTransition, Transition,
};

use crate::orders;
use crate::settings::{DUMMY_TEA, Settings};
use crate::tea;

pub(crate) fn build(database: Database<AnyConnection>, settings: &Settings) -> Result<Payments, Error> {
    let mut stripe = Stripe::new(&settings.stripe_secrets[0]);
    for (number, secret) in settings.stripe_secrets.iter().enumerate().skip(1) {
        stripe = stripe.secret(format!("secret-{}", number + 1), secret);
    }
    if let Some(key) = &settings.stripe_api_key {
        stripe = stripe.api_key(key);
    }
    if let Some(base) = &settings.stripe_api_base {
        stripe = stripe.api_base(base);
    }
    let price = Money::new(tea::PRICE, Currency::EUR);
    let dummy = Dummy::new(&settings.dummy_secret).in_production().price(DUMMY_TEA, price, "month");
    let receipts = database.clone();
    let mut builder = Payments::builder(database);
    if let Some(key) = &settings.erasure_key {
        builder = builder.erasure_key(key);
    }
    if let Some(url) = &settings.replica_url {
        builder = builder.read_replica(Database::from_url(url)?);
    }
    builder
        .variant("stripe", stripe)
        .variant("dummy", dummy)
        .handler_in_transaction("mark-order", mark_order)
        .handler("send-receipt", move |transition| send_receipt(receipts.clone(), transition))
        .subscription_handler("pack-tea", pack_tea)
        .on_alarm(log_alarm)
        .build()
}

/// Runs in the transaction that stores the payment's transition, so that order and payment never disagree.
fn mark_order(conn: AnyRef<'_>, transition: &Transition) -> Result<(), HandlerError> {
    let Some(order) = &transition.payment.reference else { return Ok(()) };
    orders::set_status(conn, order, transition.to.as_str())?;
    Ok(())
}

/// Told of what a person should look at. A real shop would wake somebody.
async fn log_alarm(alarm: Alarm) -> Result<(), HandlerError> {
    let Alarm { key, sentence, link, .. } = &alarm;
    if alarm.is_over() {
        log::info!("alarm {key} is over: {sentence}");
    } else {
        log::error!("alarm {key}: {sentence} {link}");
    }
    Ok(())
}

/// Runs after the commit, and again if it fails. A real shop would send an email here.
async fn send_receipt(database: Database<AnyConnection>, transition: Transition) -> Result<(), HandlerError> {
    // Not `became(Status::Paid)`: a refund that fails makes a payment paid again.
    let Some(order) = transition.payment.reference.clone().filter(|_| transition.first_paid()) else {
        return Ok(());
    };
    log::info!("order {order}: {} received, sending a receipt", transition.payment.captured);
    database.run(move |conn| Ok(orders::count_receipt(conn.lent(), &order)?)).await
}

/// Runs after a subscription changed: with each period that begins and is paid for, a box is packed.
async fn pack_tea(step: SubscriptionTransition) -> Result<(), HandlerError> {
    let begins = step.new.period != step.old.period || step.new.status != step.old.status;
    if begins && step.new.is_active(step.new.as_of.unwrap_or(step.subscription.updated_at), Default::default()) {
        log::info!("tea box: packing one for {}", step.subscription.owner().unwrap_or("somebody"));
    }
    Ok(())
}
