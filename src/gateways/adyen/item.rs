//! One notification, with the eight fields that Adyen signs
//! (<https://docs.adyen.com/development-resources/webhooks/webhook-types/>).

use crate::domain::event::Malformed;
use crate::gateways::json::Object;

/// The signed fields. A reference may be empty.
pub(super) struct Item {
    pub(super) psp_reference: String,
    pub(super) original_reference: String,
    merchant_account: String,
    pub(super) merchant_reference: String,
    pub(super) value: i64,
    pub(super) currency: String,
    pub(super) kind: String,
    pub(super) success: String,
}

impl Item {
    /// Reads the fields. An absent one is empty; `null`, or a boolean in place of a text, is refused, because Adyen's
    /// own libraries sign such fields in different ways.
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Malformed> {
        let text = |name: &str| match object.given(name) {
            None => Ok(String::new()),
            Some(_) => object.need_text(name).map(|text| text.into_owned()),
        };
        let amount = object.need_object("amount", "an amount")?;
        Ok(Self {
            psp_reference: object.need_id("pspReference")?,
            original_reference: text("originalReference")?,
            merchant_account: text("merchantAccountCode")?,
            merchant_reference: text("merchantReference")?,
            value: amount.need_integer("value")?,
            currency: amount.need_text("currency")?.into_owned(),
            kind: object.need_id("eventCode")?,
            success: object.need_text("success")?.into_owned(),
        })
    }

    /// The merchant account, if it is named.
    pub(super) fn account(&self) -> Option<&str> {
        Some(self.merchant_account.as_str()).filter(|account| !account.is_empty())
    }

    /// What is signed: the fields, separated by colons, without any escaping.
    pub(super) fn message(&self) -> String {
        let Self { psp_reference, original_reference, merchant_account, merchant_reference, .. } = self;
        let Self { value, currency, kind, success, .. } = self;
        format!(
            "{psp_reference}:{original_reference}:{merchant_account}:{merchant_reference}:{value}:{currency}:{kind}:{success}"
        )
    }

    /// The event's id: Adyen gives none, and these are the same each time a notification is sent. A report bears the
    /// name of its file, which each merchant account has.
    pub(super) fn id(&self) -> String {
        let Self { psp_reference, original_reference, kind, success, .. } = self;
        if kind == crate::gateways::TEST_KIND {
            return psp_reference.clone();
        }
        if kind == "REPORT_AVAILABLE" {
            return format!("{}:{psp_reference}:{kind}:{success}", self.merchant_account);
        }
        let of = if original_reference.is_empty() { String::new() } else { format!(":{original_reference}") };
        format!("{psp_reference}{of}:{kind}:{success}")
    }
}
