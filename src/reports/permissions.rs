//! What may be asked of a payment's gateway now, verb by verb.

use std::sync::Arc;

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::engine::allowed::{Open, allowed, can};
use crate::engine::{Engine, Payment, find};
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::rows::PaymentRow;

/// Whether a payment's gateway may be asked for something now.
pub(crate) struct Permission {
    pub verb: Verb,
    /// The most that can be asked for, where there is an amount to choose; or why it can't be asked for, in words.
    pub may: Result<Option<Money>, String>,
    /// The gateway's id of the capture that it is about, where the payment has several.
    pub of: Option<GatewayRef>,
}

/// A payment, and what may be asked for about it.
pub(crate) struct Permissions {
    pub payment: Payment,
    pub gateway: &'static str,
    /// What a refresh does not ask for.
    pub left_out: Option<&'static str>,
    /// The gateway's words for why money goes back.
    pub refund_reasons: Vec<&'static str>,
    pub verbs: Vec<Permission>,
    /// The disputes that are open.
    pub disputes: Vec<Fact>,
}

impl Engine {
    /// What may be asked for about the payment with this token; `None` when there is no such payment.
    pub(crate) async fn permissions(self: &Arc<Self>, token: &str) -> Result<Option<Permissions>, Error> {
        let (engine, token) = (self.clone(), token.to_owned());
        self.read(move |tx| {
            let Some(row) = find::by_token(tx, &token)? else { return Ok(None) };
            let payment = Payment::of(&row);
            let variant = engine.variant(&row.variant);
            let gateway = variant.as_ref().map(|variant| &variant.gateway);
            Ok(Some(Permissions {
                gateway: gateway.map_or("the gateway", |gateway| gateway.name()),
                left_out: gateway.and_then(|gateway| gateway.refresh_leaves_out()),
                refund_reasons: gateway.map(|gateway| gateway.setup().refund_reasons).unwrap_or_default(),
                verbs: permissions(&engine, tx, &row, &payment)?,
                disputes: open_disputes(tx.facts_of(row.id)?),
                payment,
            }))
        })
        .await
    }
}

fn open_disputes(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.retain(|fact| fact.aspect == Aspect::Dispute && fact.state == State::Open);
    facts
}

/// What may be asked for, verb by verb.
pub(crate) fn permissions(
    engine: &Engine,
    tx: &mut dyn Tx,
    row: &PaymentRow,
    payment: &Payment,
) -> Result<Vec<Permission>, Error> {
    let open = Open::of(engine, tx, row, payment)?;
    let of = |minor| Some(Money::new(minor, payment.amount.currency));
    let permission = |verb| {
        let most = match verb {
            Verb::Capture => of(open.authorized),
            Verb::Refund => of(open.refundable),
            Verb::Cancel | Verb::Refresh | Verb::Complete => None,
        };
        let may = can(engine, &payment.variant, verb).and_then(|()| allowed(payment, verb, None, &open));
        let is_of_one = verb == Verb::Refund && open.captures.len() > 1;
        let of = open.capture().filter(|_| is_of_one).map(|capture| capture.gateway_ref.clone());
        Permission { verb, may: may.map(|()| most), of }
    };
    // Most gateways go on by themselves: then nobody misses the step.
    let known = |verb: &Verb| *verb != Verb::Complete || can(engine, &payment.variant, *verb).is_ok();
    Ok(Verb::ALL.into_iter().filter(known).map(permission).collect())
}
