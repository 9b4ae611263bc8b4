//! Asking the gateway how a payment or a subscription stands, without an operation of it: the answer is compared and
//! not stored.

use std::sync::Arc;

use crate::domain::id::{OperationId, PaymentId, SubscriptionId};
use crate::domain::named::NamedObject;
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::engine::request::{Wanted, operation};
use crate::engine::{Engine, Subscription, Variant, random_word};
use crate::error::{Error, ErrorKind};
use crate::gateways::objects::ListedObject;
use crate::gateways::subscriptions::SubscriptionCall;
use crate::gateways::{GatewayError, Verb};
use crate::operations::observed::observed;
use crate::operations::tries::call;
use crate::store::Tx;
use crate::store::calls::OperationRow;

/// What an answer showed, or why there was none.
pub(super) type Answer = Result<ListedObject, GatewayError>;

/// A fresh key for a question whose answer is not stored.
pub(super) fn key() -> Result<String, Error> {
    Ok(format!("ask_{}", random_word(26)?))
}

impl Engine {
    /// How the payment stands at its gateway.
    pub(super) async fn ask_of_payment(
        self: &Arc<Self>,
        name: &str,
        variant: &Variant,
        id: PaymentId,
    ) -> Result<Answer, Error> {
        let (key, now) = (key()?, self.now());
        let question = move |tx: &mut dyn Tx| {
            let gone = || Error::new(ErrorKind::NotFound, "the payment is gone");
            let row = tx.payment(id)?.ok_or_else(gone)?;
            let new = operation(tx, &row, &Wanted::by_host(Verb::Refresh), &key, now)?;
            let asked = OperationRow {
                id: OperationId(0),
                payment_id: new.payment_id,
                variant: new.variant,
                verb: new.verb,
                amount: None,
                reason: None,
                gateway_refs: new.gateway_refs,
                idempotency_key: new.idempotency_key,
                actor: new.actor,
                state: OperationState::Underway,
                outcome: None,
                attempts: 1,
                due_at: None,
                created_at: now,
                finished_at: None,
                awaited_since: None,
            };
            call(tx, &asked)
        };
        let call = self.read(question).await?;
        // What is shown beside the payment's own differences, where nothing came back that has an id.
        let object = NamedObject::new("", call.token.as_str());
        let answer = observed(self, name, Verb::Refresh.as_str(), variant.gateway.call(&call)).await;
        Ok(answer.map(|events| ListedObject { object, events }))
    }

    /// How the subscription stands at its gateway.
    pub(super) async fn ask_of_subscription(
        self: &Arc<Self>,
        name: &str,
        variant: &Variant,
        id: SubscriptionId,
    ) -> Result<Answer, Error> {
        let Some(gateway) = variant.gateway.subscriptions() else {
            return Ok(Err(GatewayError::Unsupported("it has no subscriptions".to_owned())));
        };
        let gone = || Error::new(ErrorKind::NotFound, "the subscription is gone");
        let known = move |tx: &mut dyn Tx| {
            let row = tx.subscription(id)?.ok_or_else(gone)?;
            Ok((tx.account_of_subscription(&row.token)?, row))
        };
        let (account, row) = self.read(known).await?;
        let verb = SubscriptionVerb::Refresh;
        let gateway_ref = row.gateway_ref.clone().unwrap_or_default();
        let call = SubscriptionCall {
            account,
            state: Subscription::of(&row)?.state,
            requested_at: self.now(),
            ..SubscriptionCall::new(verb, gateway_ref.as_str(), key()?)
        };
        let answer = observed(self, name, verb.as_str(), gateway.call(&call)).await;
        let object = NamedObject::new("", gateway_ref);
        Ok(answer.map(|events| ListedObject { object, events }))
    }
}
