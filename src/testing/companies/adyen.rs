//! The notifications of Adyen: of a payment, its modifications and its dispute
//! (<https://docs.adyen.com/development-resources/webhooks/webhook-types/>).

use serde_json::json;

use crate::domain::money::Money;
use crate::gateways::adyen::MANUAL_CAPTURE;
use crate::gateways::adyen::money::from_minor;
use crate::testing::happening::{Deal, Format, Step, Written, rfc3339, written};

pub(in crate::testing) struct Adyen;

impl Format for Adyen {
    fn name(&self) -> &'static str {
        "Adyen"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let manual = format!("{}{MANUAL_CAPTURE}", deal.token);
        let (whole, part) = (deal.amount, deal.part);
        let own =
            |code, reference: &str, success| item(deal, code, (reference, deal.id("PSP"), None), (whole, success));
        let of_it = |code, reference: &str, id: String, amount| {
            item(deal, code, (reference, id, Some(deal.id("PSP"))), (amount, true))
        };
        Some(vec![match step {
            Step::Paid => own("AUTHORISATION", &deal.token, true),
            Step::Authorized => own("AUTHORISATION", &manual, true),
            Step::Failed => own("AUTHORISATION", &deal.token, false),
            Step::Expired => own("OFFER_CLOSED", &deal.token, true),
            Step::Captured => of_it("CAPTURE", &manual, deal.id("CPT"), part),
            Step::Canceled => of_it("CANCELLATION", &manual, deal.id("CNC"), whole),
            Step::Refunded => of_it("REFUND", &deal.token, deal.refund_id("RFN"), part),
            Step::RefundFailed => of_it("REFUND_FAILED", &deal.token, deal.refund_id("RFN"), part),
            Step::Disputed => of_it("NOTIFICATION_OF_CHARGEBACK", &deal.token, deal.id("DSP"), whole),
            Step::DisputeWon => of_it("CHARGEBACK_REVERSED", &deal.token, deal.id("DSP"), whole),
            Step::DisputeLost => of_it("CHARGEBACK", &deal.token, deal.id("DSP"), whole),
        }])
    }
}

type References<'a> = (&'a str, String, Option<String>);

fn item(
    deal: &Deal,
    code: &str,
    (reference, id, original): References<'_>,
    (amount, success): (Money, bool),
) -> Written {
    // What Adyen can't express is not paid through it, so a test of it is wrong.
    let value = from_minor(amount).unwrap_or_else(|error| panic!("{error}"));
    let mut item = json!({
        "pspReference": id,
        "merchantAccountCode": deal.account.as_deref().unwrap_or("TestMerchant"),
        "merchantReference": reference,
        "amount": { "value": value, "currency": amount.currency.as_str() },
        "eventCode": code,
        "success": success.to_string(),
        "eventDate": rfc3339(deal.at),
        "additionalData": {},
    });
    if let Some(original) = original {
        item["originalReference"] = json!(original);
    }
    if !success {
        item["reason"] = json!("Not enough balance");
    }
    written(code, deal.at, &item)
}
