//! What would Mollie do? A fake of the calls that payments make, with the state that they change: payments, captures,
//! refunds, chargebacks and idempotency keys. Customers pay when a test says so, and a test can make the next requests
//! go wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::gateways::mollie::Mollie;
use serde_json::{Value, json};
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::stripe::listener::{Heard, Listener, Say};

pub const KEY: &str = "test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM";
pub const ADDRESS: &str = "https://shop.example/payments/mollie/";

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before anything happened.
    CutBefore,
    /// It is done, and the connection ends before the answer.
    CutAfter,
    /// It is done, and the answer makes no sense.
    Garbled,
}

#[derive(Default)]
pub struct State {
    pub now: i64,
    next: u64,
    pub payments: BTreeMap<String, Value>,
    /// What a payment contains: refunds, captures and chargebacks, by payment.
    pub parts: BTreeMap<(String, &'static str), Vec<Value>>,
    /// Answers by idempotency key.
    keys: BTreeMap<String, (String, u16, Value)>,
    /// What was really done, in order.
    pub effects: Vec<String>,
    pub faults: VecDeque<Option<Fault>>,
    /// How often it was asked for a payment.
    pub questions: usize,
    /// How long the next answer is on its way, once it is decided.
    pub slow: Option<Duration>,
    /// How many refunds, captures and chargebacks of a payment are shown at the most, of each.
    pub most_shown: Option<usize>,
    /// Whether nobody is at home.
    pub is_down: bool,
}

pub struct Fake {
    pub listener: Listener,
    state: Arc<Mutex<State>>,
}

type Answer = Result<(u16, Value), (u16, &'static str)>;

impl Fake {
    pub fn new(now: i64) -> Self {
        let state = Arc::new(Mutex::new(State { now, ..State::default() }));
        let kept = state.clone();
        let listener = Listener::answering(move |heard| {
            let (say, slow) = {
                let mut state = kept.lock().unwrap();
                (state.serve(heard), state.slow.take())
            };
            if let Some(slow) = slow {
                std::thread::sleep(slow);
            }
            say
        });
        Self { listener, state }
    }

    /// A variant that calls this fake.
    pub fn gateway(&self) -> Mollie {
        Mollie::new().api_key(KEY).webhook_url(ADDRESS).api_base(&self.listener.address).api_retries(0)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whatever the customer or a bank did: the payment has this status from now on.
    pub fn becomes(&self, id: &str, status: &str) {
        let mut state = self.state();
        let now = state.now;
        let payment = state.payments.get_mut(id).expect("a payment");
        payment["status"] = json!(status);
        payment[format!("{status}At")] = json!(time(now));
    }

    /// A payment that somebody made elsewhere on the account.
    pub fn made_elsewhere(&self, cents: i64) -> String {
        let body = json!({"amount": amount(cents), "description": "by hand"});
        self.state().open(&body).unwrap().1["id"].as_str().unwrap().to_owned()
    }

    /// Somebody refunds this much in Mollie's dashboard; answers the refund's id.
    pub fn refund(&self, id: &str, cents: i64) -> String {
        let made = self.state().refund(id, &json!({"amount": amount(cents)})).unwrap();
        made.1["id"].as_str().unwrap().to_owned()
    }

    /// A refund has come this far.
    pub fn refund_becomes(&self, id: &str, refund: &str, status: &str) {
        let mut state = self.state();
        let refunds = state.parts.get_mut(&(id.to_owned(), "refunds")).unwrap();
        refunds.iter_mut().find(|one| one["id"] == refund).unwrap()["status"] = json!(status);
    }

    /// The customer's bank takes the money back; answers the chargeback's id.
    pub fn charge_back(&self, id: &str, cents: i64) -> String {
        let mut state = self.state();
        let (chargeback, now) = (state.id("chb"), state.now);
        let object = json!({"resource": "chargeback", "id": chargeback, "amount": amount(cents), "createdAt": time(now),
            "reason": {"code": "AC01", "description": "Account identifier incorrect"}, "paymentId": id,
            "reversedAt": null});
        state.parts.entry((id.to_owned(), "chargebacks")).or_default().push(object);
        chargeback
    }

    pub fn reverse(&self, id: &str, chargeback: &str) {
        let mut state = self.state();
        let now = state.now;
        let all = state.parts.get_mut(&(id.to_owned(), "chargebacks")).unwrap();
        all.iter_mut().find(|one| one["id"] == chargeback).unwrap()["reversedAt"] = json!(time(now));
    }

    /// An hour has passed: no idempotency key is remembered.
    pub fn forget(&self) {
        self.state().keys.clear();
    }
}

pub fn time(at: i64) -> String {
    Timestamp::from_unix_timestamp(at).unwrap().format(&Rfc3339).unwrap()
}

fn amount(cents: i64) -> Value {
    json!({"currency": "EUR", "value": format!("{}.{:02}", cents / 100, cents % 100)})
}

fn cents(amount: &Value) -> i64 {
    amount["value"].as_str().unwrap().replace('.', "").parse().unwrap()
}

impl State {
    fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{:0>10}", format!("Mx{}", self.next))
    }

    fn serve(&mut self, heard: &Heard) -> Say {
        let fault = self.faults.pop_front().flatten();
        if heard.method == "GET" {
            self.questions += 1;
        }
        let date = Timestamp::from_unix_timestamp(self.now).unwrap().format(&Rfc2822).unwrap().replace("+0000", "GMT");
        let say = |status: u16, body: String| Say::Answer(status, vec![("date", date.clone())], body);
        let error = |status: u16, detail: &str| {
            json!({"status": status, "title": "No", "detail": detail, "_links": {}}).to_string()
        };
        match fault {
            Some(Fault::CutBefore) => return Say::Nothing,
            _ if self.is_down => return say(503, error(503, "nobody is at home")),
            _ => {}
        }
        let (status, body) = match self.once(heard) {
            Ok((status, answer)) => (status, answer.to_string()),
            Err((status, detail)) => (status, error(status, detail)),
        };
        match fault {
            Some(Fault::CutAfter) => Say::Nothing,
            Some(Fault::Garbled) => say(status, "<html>".to_owned()),
            _ => say(status, body),
        }
    }

    /// Mollie's rule of the idempotency key: the first answer stands.
    fn once(&mut self, heard: &Heard) -> Answer {
        if heard.header("authorization") != Some(&format!("Bearer {KEY}")) {
            return Err((401, "Missing authentication, or failed to authenticate"));
        }
        let key = heard.header("idempotency-key").map(str::to_owned);
        assert_eq!(key.is_some(), heard.method != "GET", "every call that acts has a key, and no GET");
        let asked = format!("{} {} {}", heard.method, heard.path, heard.body);
        if let Some((before, status, answer)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            assert_eq!(*before, asked, "the same key with other parameters");
            return Ok((*status, answer.clone()));
        }
        let body = if heard.body.is_empty() { Value::Null } else { serde_json::from_str(&heard.body).unwrap() };
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
        let (status, answer) = match (heard.method.as_str(), &parts[..]) {
            ("POST", ["payments"]) => self.open(&body),
            ("GET", ["payments", id]) => self.show(id, query),
            ("DELETE", ["payments", id]) => self.cancel(id),
            ("POST", ["payments", id, "refunds"]) => self.refund(id, &body),
            ("POST", ["payments", id, "captures"]) => self.capture(id, &body),
            other => panic!("the fake does not know {other:?}"),
        }?;
        if let Some(key) = key {
            self.keys.insert(key, (asked, status, answer.clone()));
        }
        Ok((status, answer))
    }

    fn open(&mut self, body: &Value) -> Answer {
        let id = self.id("tr");
        let mut payment = json!({"resource": "payment", "id": id, "mode": "test", "createdAt": time(self.now),
            "status": "open", "isCancelable": true, "sequenceType": "oneoff", "profileId": "pfl_1",
            "later": [{"a": null}], "_links": {"self": {"href": format!("https://api.mollie.com/v2/payments/{id}")},
            "checkout": {"href": format!("https://www.mollie.com/checkout/{id}"), "type": "text/html"}}});
        for name in ["amount", "description", "metadata", "captureMode", "redirectUrl", "webhookUrl"] {
            payment[name] = body[name].clone();
        }
        self.effects.push(format!("open {}", body["description"].as_str().unwrap()));
        self.payments.insert(id, payment.clone());
        Ok((201, payment))
    }

    fn show(&self, id: &str, query: &str) -> Answer {
        let mut payment = self.payments.get(id).cloned().ok_or((404, "No payment exists with token"))?;
        if payment["captureMode"] == "manual" && payment["status"] == "paid" {
            let captured: i64 = self.of(id, "captures").iter().map(|one| cents(&one["amount"])).sum();
            payment["amountCaptured"] = amount(captured);
        }
        let back: i64 = self.of(id, "refunds").iter().map(|one| cents(&one["amount"])).sum();
        if payment["status"] == "paid" {
            payment["amountRefunded"] = amount(back);
        }
        let lost: i64 = self.of(id, "chargebacks").iter().map(|one| cents(&one["amount"])).sum();
        if lost > 0 {
            payment["amountChargedBack"] = amount(lost);
        }
        for name in ["refunds", "captures", "chargebacks"].into_iter().filter(|name| query.contains(*name)) {
            let mut parts = self.of(id, name);
            parts.truncate(self.most_shown.unwrap_or(usize::MAX));
            payment["_embedded"][name] = json!(parts);
        }
        Ok((200, payment))
    }

    fn of(&self, id: &str, name: &str) -> Vec<Value> {
        let parts = self.parts.iter().filter(|((payment, of), _)| payment == id && *of == name);
        parts.flat_map(|(_, all)| all.clone()).collect()
    }

    fn cancel(&mut self, id: &str) -> Answer {
        let now = self.now;
        let payment = self.payments.get_mut(id).ok_or((404, "No payment exists with token"))?;
        if !["open", "authorized"].contains(&payment["status"].as_str().unwrap()) {
            return Err((422, "The payment cannot be canceled"));
        }
        payment["status"] = json!("canceled");
        payment["canceledAt"] = json!(time(now));
        let payment = payment.clone();
        self.effects.push(format!("cancel {id}"));
        Ok((200, payment))
    }

    fn capture(&mut self, id: &str, body: &Value) -> Answer {
        let now = self.now;
        let payment = self.payments.get_mut(id).ok_or((404, "No payment exists with token"))?;
        if payment["status"] != "authorized" {
            return Err((422, "The payment cannot be captured"));
        }
        payment["status"] = json!("paid");
        payment["paidAt"] = json!(time(now));
        let taken = if body["amount"].is_null() { payment["amount"].clone() } else { body["amount"].clone() };
        let capture = json!({"resource": "capture", "id": self.id("cpt"), "amount": taken, "status": "succeeded",
            "paymentId": id, "metadata": body["metadata"], "createdAt": time(now)});
        self.effects.push(format!("capture {} of {id}", taken["value"].as_str().unwrap()));
        self.parts.entry((id.to_owned(), "captures")).or_default().push(capture.clone());
        Ok((201, capture))
    }

    fn refund(&mut self, id: &str, body: &Value) -> Answer {
        let payment = self.payments.get(id).ok_or((404, "No payment exists with token"))?.clone();
        let before: i64 = self.of(id, "refunds").iter().map(|one| cents(&one["amount"])).sum();
        let wanted = cents(&body["amount"]);
        if payment["status"] != "paid" || before + wanted > cents(&payment["amount"]) {
            return Err((422, "The amount is higher than the maximum"));
        }
        let refund = json!({"resource": "refund", "id": self.id("re"), "mode": "test", "amount": body["amount"],
            "status": "pending", "createdAt": time(self.now), "paymentId": id, "metadata": body["metadata"],
            "description": body["description"]});
        self.effects.push(format!("refund {} of {id}", body["amount"]["value"].as_str().unwrap()));
        self.parts.entry((id.to_owned(), "refunds")).or_default().push(refund.clone());
        Ok((201, refund))
    }
}
