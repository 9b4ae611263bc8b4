//! A small Adyen: payment links that take money at once or hold it, and modifications that are received first and carried
//! out by a notification. It can't be asked how a payment stands, and sends everything until it is taken.

use actix_payments::gateways::adyen::Adyen;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, fixture, parts, storms};
use crate::app::on_both_databases;
use crate::companies::{Company, adyen};
use crate::stripe::listener::Heard;

struct Small;

const MANUAL: &str = "-manual-capture";

impl Fake for Small {
    type Of = adyen::Of;
    const CURRENCY: &'static str = "EUR";
    const HOLDS: Holds = Holds::InCheckout;

    fn gateway(address: &str) -> Adyen {
        adyen::Of::gateway().api_key("AQE_1", "ShopECOM").api_base(address).api_retries(0)
    }

    fn key(heard: &Heard, _: &Value) -> Option<String> {
        heard.header("idempotency-key").map(str::to_owned)
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        let received = |psp: String| Ok(json!({"pspReference": psp, "status": "received"}));
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", [_, "paymentLinks"]) => {
                let reference = sent["reference"].as_str().unwrap();
                let token = reference.strip_suffix(MANUAL);
                let amount = sent["amount"]["value"].as_i64().unwrap();
                let at = books.open(token.unwrap_or(reference), amount, token.is_some());
                Ok(json!({"id": format!("PL{}", at + 1), "url": "https://test.adyen.link/PL1"}))
            }
            ("PATCH", [_, "paymentLinks", id]) => {
                let at = books.number(id)?;
                books.cancel(at, &[Stage::Open])?;
                Ok(json!({"id": id, "status": "expired"}))
            }
            ("POST", [_, "payments", id, act]) => {
                let at = books.number(id)?;
                let number = at + 1;
                match *act {
                    "captures" => books.capture(at).map(|()| format!("CPT{number}")),
                    "cancels" => books.cancel(at, &[Stage::Held]).map(|()| format!("CNC{number}")),
                    _ => {
                        let mark = heard.header("idempotency-key").map(str::to_owned);
                        let made = books.refund(at, sent["amount"]["value"].as_i64(), mark);
                        made.map(|made| format!("RFN{number}x{made}"))
                    }
                }
                .and_then(received)
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let entry = &books.entries[at];
        let (code, psp, amount) = match what {
            What::Paid | What::Held => ("AUTHORISATION", String::new(), entry.amount),
            What::Captured => ("CAPTURE", format!("CPT{}", at + 1), entry.amount),
            // Nothing is reported of a link that ends unpaid.
            What::Canceled if entry.version == 2 => return Vec::new(),
            What::Canceled => ("CANCELLATION", format!("CNC{}", at + 1), entry.amount),
            What::Refunded(made) => ("REFUND", format!("RFN{}x{made}", at + 1), entry.refunds[made].minor),
        };
        let payment = format!("PSP{}", at + 1);
        let mut it = fixture::<adyen::Of>(code);
        let bears_ending = entry.is_manual && matches!(what, What::Held | What::Canceled);
        it["merchantReference"] = json!(format!("{}{}", entry.token, if bears_ending { MANUAL } else { "" }));
        it["amount"]["value"] = json!(amount);
        it["eventDate"] = json!(books.time());
        if psp.is_empty() {
            it["pspReference"] = json!(payment);
        } else {
            (it["pspReference"], it["originalReference"]) = (json!(psp), json!(payment));
        }
        vec![it]
    }
}

on_both_databases! {
    async fn a_storm_at_adyen_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
