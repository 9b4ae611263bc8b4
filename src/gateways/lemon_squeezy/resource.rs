//! The object of a Lemon Squeezy event (<https://docs.lemonsqueezy.com/help/webhooks/webhook-requests>), and the fields
//! that orders and invoices share.

use crate::domain::event::{Malformed, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::Object;
use crate::gateways::reading::{id_text, money, nested, since, time, whole, with_money};

/// The object of an event, with the custom data of the checkout that it comes from.
pub(super) struct Resource<'a> {
    pub(super) event: &'a Recorded<'a>,
    pub(super) meta: Option<Object<'a>>,
    pub(super) id: String,
    pub(super) of: Object<'a>,
}

impl<'a> Resource<'a> {
    pub(super) fn read(event: &'a Recorded<'a>) -> Result<Self, Malformed> {
        let whole = whole(event)?;
        let data = whole.need_object("data", "an event's data")?;
        let id = id_text(&data, "id").ok_or_else(|| Malformed("expected `id` of an event's data".to_owned()))?;
        let of = data.need_object("attributes", "the object of an event")?;
        Ok(Self { event, meta: whole.object("meta", "an event's meta")?, id, of })
    }

    /// A text of the custom data. It is in every event that follows from a checkout, those of renewals too.
    pub(super) fn custom(&self, name: &str) -> Option<String> {
        nested(self.meta.as_ref()?, "custom_data", name)
    }

    /// The amount in the field `name`.
    pub(super) fn amount(&self, name: &str) -> Result<Money, Malformed> {
        money(self.of.need_integer(name)?, &self.of.need_text("currency")?)
    }

    /// A fact as of the object's last change.
    pub(super) fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State, amount: Money) -> Fact {
        let changed = [time(&self.of, "updated_at"), time(&self.of, "refunded_at")].into_iter().flatten().max();
        let is_open = state == State::Pending;
        let at = changed.unwrap_or_else(|| since(self.event, is_open, None));
        let mut fact = Fact::new(aspect, gateway_ref, state, at, self.event.id);
        fact = with_money(fact, Some(amount));
        fact
    }
}

/// The number of an order as an id that no invoice has.
pub(super) fn order_ref(id: &str) -> String {
    format!("order_{id}")
}

/// What stands for the first invoice of a subscription: events of the subscription name the order that paid it, and the
/// invoice does not.
pub(super) fn first_invoice_ref(subscription: &str) -> String {
    format!("first_invoice_of_{subscription}")
}

pub(super) fn invoice_ref(id: &str) -> String {
    format!("invoice_{id}")
}
