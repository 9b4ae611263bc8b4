//! An event's resource: the object that an event or an answer of PayPal's is about, and the fields that most objects
//! share.

use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::money::{Currency, Decimal, Money};
use crate::domain::payer::Payer;
use crate::domain::{Timestamp, parse_rfc3339};
use crate::gateways::json::{Object, short};

/// An event's resource, with the event that carries it.
pub(super) struct Resource<'a> {
    pub(super) event: &'a Recorded<'a>,
    pub(super) object: Object<'a>,
}

impl Resource<'_> {
    /// The interpretation of an object that names its payment by the usual fields.
    pub(super) fn interpretation(
        &self,
        facts: Vec<Fact>,
        gateway_refs: Vec<GatewayRef>,
        words: &str,
        amount: Option<Money>,
    ) -> Interpretation {
        let tokens = ["custom_id", "invoice_id", "custom", "invoice_number"].map(|name| short(&self.object, name));
        Interpretation {
            references: References { tokens: distinct(tokens), gateway_refs },
            facts,
            summary: sentence(words, amount),
            customer: None,
            payer: Payer::default(),
            awaits_completion: None,
            is_link: false,
            object_to_fetch: None,
            account: None,
            subscription: None,
        }
    }

    /// A fact of this event.
    pub(super) fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        Fact::new(aspect, gateway_ref, state, self.event.occurred_at, self.event.id)
    }

    /// The time in the field `name`, if it has a valid one.
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        parse_rfc3339(&short(&self.object, name)?)
    }

    /// The object's `amount`.
    pub(super) fn amount(&self) -> Result<Option<Money>, Malformed> {
        self.object.object("amount", "an amount")?.map(|amount| parse_amount(&amount)).transpose()
    }

    /// What PayPal keeps of a capture or gives back with a refund, if the object tells: in the breakdown of what the shop
    /// receives or pays, or in the field of the v1 API. Nothing else depends on it, so what can't be read is left out.
    pub(super) fn fee(&self, moved: &Fact) -> Option<Fact> {
        let told =
            |breakdown: &str| self.object.object(breakdown, "a breakdown").ok()??.object("paypal_fee", "a fee").ok()?;
        let of_sale = || self.object.object("transaction_fee", "a fee").ok()?;
        let (told, sign) = match (moved.aspect, moved.state) {
            (Aspect::Capture, State::Succeeded) => (told("seller_receivable_breakdown").or_else(of_sale)?, 1),
            (Aspect::Refund, State::Succeeded) => (told("seller_payable_breakdown")?, -1),
            // What was given back with a refund is kept after all when that fails.
            (Aspect::Refund, State::Failed | State::Canceled) => (told("seller_payable_breakdown")?, 0),
            _ => return None,
        };
        let fee = parse_amount(&told).ok().filter(|fee| fee.minor > 0)?;
        Some(moved.fee(sign * fee.minor, fee.currency))
    }

    /// The ids of the order and of the authorization that the object belongs to.
    pub(super) fn related(&self) -> Result<[Option<String>; 2], Malformed> {
        let data = self.object.object("supplementary_data", "supplementary data")?;
        let ids = data.map(|data| data.object("related_ids", "related ids")).transpose()?.flatten();
        Ok(["order_id", "authorization_id"].map(|name| ids.as_ref().and_then(|ids| short(ids, name))))
    }

    /// The id of the parent object: the last segment of the link `up`.
    pub(super) fn parent_link(&self) -> Result<Option<String>, Malformed> {
        Ok(self.linked("up")?.map(|(_, id)| id))
    }

    /// What the link with this relation leads to: the folder (`authorizations`) and the id, the last two segments.
    pub(super) fn linked(&self, rel: &str) -> Result<Option<(String, String)>, Malformed> {
        let links = self.object.objects("links", "a link")?;
        let link = links.iter().find(|link| short(link, "rel").as_deref() == Some(rel));
        let Some(href) = link.and_then(|link| short(link, "href")) else { return Ok(None) };
        let mut segments = href.rsplit('/').map(str::to_owned);
        let (id, folder) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        Ok(is_id.then_some((folder, id)))
    }

    /// The id of the authorization that the object belongs to. A capture may name it by nothing but a link.
    pub(super) fn authorization(&self) -> Result<Option<String>, Malformed> {
        let [_, related] = self.related()?;
        let up = self.linked("up")?.filter(|(folder, _)| folder.starts_with("authorization"));
        let linked = match up {
            Some(up) => Some(up),
            None => self.linked("authorization")?,
        };
        Ok(related.or(linked.map(|(_, id)| id)))
    }

    /// The object's status in capital letters, as PayPal's v2 API has it; its v1 API calls it `state`.
    pub(super) fn status(&self) -> Option<String> {
        short(&self.object, "status").or_else(|| short(&self.object, "state")).map(|status| status.to_uppercase())
    }

    /// Whether a capture is the last one of its authorization.
    pub(super) fn is_final(&self) -> bool {
        ["final_capture", "is_final_capture"].iter().any(|name| self.object.bool_or_false(name).unwrap_or(false))
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || {
        let whole = Object::read(std::str::from_utf8(event.body).ok()?, "an event").ok()?;
        let resource = Resource { event, object: whole.object("resource", "the event's resource").ok()?? };
        let units = resource.object.objects("purchase_units", "a purchase unit").unwrap_or_default();
        let of_units = units.iter().flat_map(|unit| ["custom_id", "invoice_id"].map(|name| short(unit, name)));
        let own = ["custom_id", "invoice_id", "custom", "invoice_number"].map(|name| short(&resource.object, name));
        let [order, authorization] = resource.related().unwrap_or_default();
        let ids = ["id", "order_id", "sale_id", "parent_payment"].map(|name| short(&resource.object, name));
        let up = resource.parent_link().ok().flatten();
        Some(References {
            tokens: distinct(own.into_iter().chain(of_units)),
            gateway_refs: distinct(ids.into_iter().chain([order, authorization, up])),
        })
    };
    read().unwrap_or_default()
}

/// Parses an amount of PayPal's v2 or v1 API: a decimal number as text. Refunds of sales may have a minus sign, which
/// is ignored.
pub(super) fn parse_amount(amount: &Object<'_>) -> Result<Money, Malformed> {
    let (code, value) = match amount.text("currency_code")? {
        Some(code) => (code, amount.need_text("value")?),
        None => match amount.text("total")? {
            Some(total) => (amount.need_text("currency")?, total),
            None => (amount.need_text("currency")?, amount.need_text("value")?),
        },
    };
    let currency = Currency::parse(&code).map_err(|bad| Malformed(bad.to_string()))?;
    let size = value.strip_prefix('-').unwrap_or(&value);
    let decimal = Decimal::parse(size).map_err(|bad| Malformed(bad.to_string()))?;
    let exact = decimal.exact(currency).filter(|_| !size.contains(','));
    let minor = exact.ok_or_else(|| Malformed(format!("expected an amount of {currency}, got {value:?}")))?;
    Ok(Money::new(minor, currency))
}

/// Adds the amount to the fact, if there is one.
pub(super) fn with_money(fact: Fact, amount: Option<Money>) -> Fact {
    match amount {
        Some(amount) => fact.with_amount(amount.minor, amount.currency),
        None => fact,
    }
}

/// A summary: the words, and the amount if there is one.
pub(super) fn sentence(what: &str, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what.to_owned(),
    }
}

/// Who an order says has paid (<https://developer.paypal.com/docs/api/orders/v2/>).
pub(super) fn payer_of(payer: &Object<'_>) -> Payer {
    let name = payer.object("name", "a name").ok().flatten();
    let part = |part| name.as_ref().and_then(|name| short(name, part));
    let names: Vec<String> = ["given_name", "surname"].into_iter().filter_map(part).collect();
    Payer {
        name: Some(names.join(" ")).filter(|name| !name.is_empty()),
        gateway_ref: short(payer, "payer_id").map(Into::into),
        ..Payer::default()
    }
}
