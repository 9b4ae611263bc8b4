//! Reads the newest invoices of a subscription, and which intents have paid them
//! (<https://docs.stripe.com/api/invoices/list>): what became of them may have been lost with their events.

use super::answer::event_of;
use super::form::Form;
use super::{Api, Response, is_forbidden};
use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::json::{Object, elements, short};
use crate::gateways::stripe::interpret::other::is_money;

/// How many are read: those of an earlier period may still be open.
const NEWEST: &str = "5";

impl Api {
    /// The invoices as events, whose ids begin with `key`. A key that may not read invoices says nothing of them.
    pub(super) async fn invoices_of(
        &self,
        subscription: &str,
        key: &str,
        account: Option<&str>,
    ) -> Result<Vec<Envelope>, GatewayError> {
        let mut form = Form::default();
        form.add("subscription", subscription);
        form.add("limit", NEWEST);
        form.add("expand[0]", "data.payments");
        match self.get("/v1/invoices", form).await {
            Ok(answer) => events(&answer, key, account),
            Err(GatewayError::Declined(_)) => Ok(Vec::new()),
            Err(error) if is_forbidden(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn events(answer: &Response, key: &str, account: Option<&str>) -> Result<Vec<Envelope>, GatewayError> {
    let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
    let page = Object::read(answer.text()?, "a list of invoices").map_err(malformed)?;
    let listed = elements(page.raw("data").unwrap_or_default())
        .ok_or_else(|| GatewayError::Malformed("expected `data` of a list to be a list of objects".to_owned()))?;
    let mut events = Vec::new();
    for raw in listed {
        let invoice = Object::read(raw, "an invoice").map_err(malformed)?;
        // Nothing is due of a draft.
        if short(&invoice, "status").is_some_and(|status| status == "draft") {
            continue;
        }
        let payments = invoice.object("payments", "a list of payments").map_err(malformed)?;
        let payments = payments.and_then(|list| elements(list.raw("data")?)).unwrap_or_default();
        let is_of_money = |raw: &&str| Object::read(raw, "an invoice payment").is_ok_and(|payment| is_money(&payment));
        let payments = payments.into_iter().filter(is_of_money);
        for text in [raw].into_iter().chain(payments) {
            let id = format!("{key}-{}", events.len() + 1);
            events.push(event_of(id, text, answer.answered_at(), account)?);
        }
    }
    Ok(events)
}
