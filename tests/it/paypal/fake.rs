//! What would PayPal do? A fake of the calls that payments make, with the state that they change: tokens, orders,
//! authorizations, captures, refunds, events and request ids. Customers approve when a test says so, and a test can make
//! the next requests go wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use actix_payments::domain::Timestamp;
use actix_payments::gateways::paypal::PayPal;
use serde_json::{Value, json};
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::stripe::listener::{Heard, Listener, Say};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before anything happened.
    CutBefore,
    /// It is done, and the connection ends before the answer.
    CutAfter,
    /// PayPal has trouble of its own and does nothing.
    Trouble,
    /// Too many requests.
    RateLimit,
    /// The access token is no longer taken.
    Expired,
    /// PayPal says no, with this issue.
    Issue(&'static str),
    /// It is done, and the answer makes no sense.
    Garbled,
}

#[derive(Default)]
pub struct State {
    pub now: i64,
    next: u64,
    /// The access token that is taken, and how many there were.
    token: String,
    pub tokens: u32,
    pub orders: BTreeMap<String, Value>,
    /// Authorizations, captures and refunds, by their ids.
    pub parts: BTreeMap<String, Value>,
    /// Oldest first.
    pub events: Vec<Value>,
    /// Answers by request id.
    keys: BTreeMap<String, (String, Value)>,
    /// What was really done, in order.
    pub effects: Vec<String>,
    pub faults: VecDeque<Option<Fault>>,
    /// Whether the next capture of an order is declined, by which the order is completed all the same.
    pub declines: bool,
    /// What PayPal says of a delivery, as it answers it.
    pub verdict: Option<String>,
}

pub struct Fake {
    pub listener: Listener,
    state: Arc<Mutex<State>>,
}

type Answer = Result<Value, (u16, &'static str)>;

impl Fake {
    pub fn new(now: i64) -> Self {
        let state = Arc::new(Mutex::new(State { now, ..State::default() }));
        let kept = state.clone();
        let listener = Listener::answering(move |heard| kept.lock().unwrap().serve(heard));
        Self { listener, state }
    }

    /// A variant that calls this fake.
    pub fn gateway(&self) -> PayPal {
        super::events::paypal().client("client-1", "very-secret").api_base(&self.listener.address).api_retries(0)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The customer approves the open order that bears this token.
    pub fn approve(&self, token: &str) {
        let mut state = self.state();
        let now = state.now;
        let of_token = |order: &&mut Value| order["purchase_units"][0]["custom_id"] == token;
        let order = state.orders.values_mut().find(of_token).expect("an order");
        order["status"] = json!("APPROVED");
        order["update_time"] = json!(time(now));
        order["payer"] = json!({"email_address": "jenny@example.com"});
        let order = order.clone();
        state.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", &order);
    }

    /// Whether an order waits for its customer, or for another try.
    pub fn is_open(&self) -> bool {
        self.state().orders.values().any(|order| order["status"] != "COMPLETED")
    }

    /// Somebody captures this much of the one authorization in PayPal's dashboard.
    pub fn capture(&self, cents: i64) {
        let mut state = self.state();
        let held = state.parts.iter().find(|(_, part)| part["status"] == "CREATED").unwrap().0.clone();
        let value = format!("{}.{:02}", cents / 100, cents % 100);
        let amount = json!({"currency_code": "EUR", "value": value});
        state.capture(&held, &json!({"final_capture": true, "amount": amount})).unwrap();
    }

    /// The events that PayPal has, in order.
    pub fn told(&self) -> Vec<String> {
        self.state().events.iter().map(ToString::to_string).collect()
    }
}

pub fn time(at: i64) -> String {
    Timestamp::from_unix_timestamp(at).unwrap().format(&Rfc3339).unwrap()
}

impl State {
    /// Ids of PayPal's are 17 letters and digits and don't tell what they are of.
    fn id(&mut self) -> String {
        self.next += 1;
        format!("{:0>17}", format!("X{}", self.next))
    }

    pub fn tell(&mut self, kind: &str, resource_type: &str, resource: &Value) {
        let id = format!("WH-{}", self.id());
        self.events.push(json!({"id": id, "event_version": "1.0", "create_time": time(self.now), "event_type": kind,
            "resource_type": resource_type, "resource_version": "2.0", "summary": "as it is", "resource": resource}));
    }

    fn serve(&mut self, heard: &Heard) -> Say {
        let fault = self.faults.pop_front().flatten();
        let date = Timestamp::from_unix_timestamp(self.now).unwrap().format(&Rfc2822).unwrap().replace("+0000", "GMT");
        let say = |status: u16, body: String| Say::Answer(status, vec![("date", date.clone())], body);
        let error = |name: &str, issue: &str| {
            json!({"name": name, "message": "as the test says", "debug_id": "d1", "details": [{"issue": issue}]})
                .to_string()
        };
        match fault {
            Some(Fault::CutBefore) => return Say::Nothing,
            Some(Fault::Trouble) => return say(503, error("SERVICE_UNAVAILABLE", "NOW")),
            Some(Fault::RateLimit) => return say(429, error("RATE_LIMIT_REACHED", "SLOWER")),
            // What was done under a request id is answered again, whatever would be said now.
            Some(Fault::Issue(issue)) if !self.is_done(heard) => return say(422, error("UNPROCESSABLE_ENTITY", issue)),
            Some(Fault::Expired) => self.token = String::new(),
            _ => {}
        }
        let (status, body) = match self.once(heard) {
            Ok((status, Value::Null)) => (status, String::new()),
            Ok((status, answer)) => (status, answer.to_string()),
            Err((status, issue)) => (status, error("NO", issue)),
        };
        match fault {
            Some(Fault::CutAfter) => Say::Nothing,
            Some(Fault::Garbled) => say(status, "<html>".to_owned()),
            _ => say(status, body),
        }
    }

    fn is_done(&self, heard: &Heard) -> bool {
        heard.header("paypal-request-id").is_some_and(|id| self.keys.contains_key(id))
    }

    /// PayPal's rule of the request id: what was done under it is answered again, by 200.
    fn once(&mut self, heard: &Heard) -> Result<(u16, Value), (u16, &'static str)> {
        if heard.path == "/v1/oauth2/token" {
            return self.grant(heard);
        }
        if self.token.is_empty() || heard.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return Err((401, "TOKEN"));
        }
        let body = if heard.body.is_empty() { Value::Null } else { serde_json::from_str(&heard.body).unwrap() };
        if heard.path.starts_with("/v1/notifications/") {
            return self.notifications(heard, &body);
        }
        let key = heard.header("paypal-request-id").map(str::to_owned);
        assert_eq!(key.is_some(), heard.method == "POST", "every POST has an id, and no GET");
        let asked = format!("{} {}", heard.path, heard.body);
        if let Some((before, answer)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            assert_eq!(*before, asked, "the same id with other parameters");
            return Ok((200, answer.clone()));
        }
        let answer = self.act(heard, &body)?;
        if let Some(key) = key {
            self.keys.insert(key, (asked, answer.clone()));
        }
        Ok((if heard.method == "POST" { 201 } else { 200 }, answer))
    }

    fn grant(&mut self, heard: &Heard) -> Result<(u16, Value), (u16, &'static str)> {
        assert_eq!(heard.header("authorization"), Some("Basic Y2xpZW50LTE6dmVyeS1zZWNyZXQ="));
        assert_eq!(heard.body, "grant_type=client_credentials");
        self.tokens += 1;
        self.token = format!("token-{}", self.tokens);
        Ok((200, json!({"access_token": self.token, "token_type": "Bearer", "expires_in": 32400, "scope": "all"})))
    }

    fn act(&mut self, heard: &Heard, body: &Value) -> Answer {
        let parts: Vec<&str> = heard.path.trim_start_matches("/v2/").split('/').collect();
        match (heard.method.as_str(), &parts[..]) {
            ("POST", ["checkout", "orders"]) => Ok(self.open(body)),
            ("GET", ["checkout", "orders", id]) => self.orders.get(*id).cloned().ok_or((404, "RESOURCE_NOT_FOUND")),
            ("POST", ["checkout", "orders", id, step @ ("capture" | "authorize")]) => self.complete(id, step),
            ("POST", ["payments", "authorizations", id, "capture"]) => self.capture(id, body),
            ("POST", ["payments", "authorizations", id, "void"]) => self.void(id),
            ("POST", ["payments", "captures", id, "refund"]) => self.refund(id, body),
            ("GET", ["payments", _, id]) => self.parts.get(*id).cloned().ok_or((404, "RESOURCE_NOT_FOUND")),
            other => panic!("the fake does not know {other:?}"),
        }
    }

    pub fn open(&mut self, body: &Value) -> Value {
        let id = self.id();
        let mut order = body.clone();
        order["id"] = json!(id);
        order["status"] = json!("PAYER_ACTION_REQUIRED");
        order["create_time"] = json!(time(self.now));
        order["links"] = json!([{"href": format!("https://api.sandbox.paypal.com/v2/checkout/orders/{id}"), "rel": "self"},
            {"href": format!("https://www.sandbox.paypal.com/checkoutnow?token={id}"), "rel": "payer-action"}]);
        self.effects.push(format!("order {}", body["purchase_units"][0]["custom_id"].as_str().unwrap()));
        self.orders.insert(id, order.clone());
        order
    }

    pub fn complete(&mut self, id: &str, step: &str) -> Answer {
        let order = self.orders.get(id).ok_or((404, "RESOURCE_NOT_FOUND"))?.clone();
        assert_eq!(order["intent"].as_str().unwrap().to_lowercase(), *step);
        match order["status"].as_str().unwrap() {
            "APPROVED" => {}
            "COMPLETED" => return Err((422, "ORDER_ALREADY_CAPTURED")),
            _ => return Err((422, "ORDER_NOT_APPROVED")),
        }
        let amount = json!({"currency_code": order["purchase_units"][0]["amount"]["currency_code"],
            "value": order["purchase_units"][0]["amount"]["value"]});
        let declined = std::mem::take(&mut self.declines);
        let (status, kind) = match step {
            "capture" if declined => ("DECLINED", "capture"),
            "capture" => ("COMPLETED", "capture"),
            _ => ("CREATED", "authorization"),
        };
        let part = self.part(&order, kind, status, &amount, json!({"order_id": id}), &format!("checkout/orders/{id}"));
        let event = if step == "capture" { "PAYMENT.CAPTURE.COMPLETED" } else { "PAYMENT.AUTHORIZATION.CREATED" };
        if !declined {
            self.tell(event, kind, &part);
            self.effects.push(format!("{step} {} of {id}", amount["value"].as_str().unwrap()));
        }
        let order = self.orders.get_mut(id).unwrap();
        order["status"] = json!("COMPLETED");
        order["purchase_units"][0]["payments"] = json!({format!("{kind}s"): [part]});
        Ok(order.clone())
    }

    /// A new authorization, capture or refund.
    fn part(&mut self, of: &Value, kind: &str, status: &str, amount: &Value, related: Value, up: &str) -> Value {
        let id = self.id();
        let custom = of["purchase_units"][0]["custom_id"].as_str().or(of["custom_id"].as_str());
        let links = json!([{"href": format!("https://api.sandbox.paypal.com/v2/payments/{kind}s/{id}"), "rel": "self"},
            {"href": format!("https://api.sandbox.paypal.com/v2/{up}"), "rel": "up"}]);
        let part = json!({"id": id, "status": status, "amount": amount, "custom_id": custom, "links": links,
            "create_time": time(self.now), "update_time": time(self.now), "supplementary_data": {"related_ids": related}});
        self.parts.insert(id, part.clone());
        part
    }

    /// Shows a part in its order as it is now, or for the first time.
    fn show(&mut self, order: &str, kind: &str, part: &Value) {
        let payments = &mut self.orders.get_mut(order).unwrap()["purchase_units"][0]["payments"][format!("{kind}s")];
        if payments.is_null() {
            *payments = json!([]);
        }
        let list = payments.as_array_mut().unwrap();
        list.retain(|shown| shown["id"] != part["id"]);
        list.push(part.clone());
    }

    fn order_of(&self, part: &Value) -> String {
        part["supplementary_data"]["related_ids"]["order_id"].as_str().unwrap().to_owned()
    }

    fn capture(&mut self, id: &str, body: &Value) -> Answer {
        let held = self.parts.get(id).ok_or((404, "RESOURCE_NOT_FOUND"))?.clone();
        if held["status"] != "CREATED" {
            return Err((422, "AUTHORIZATION_ALREADY_CAPTURED"));
        }
        assert_eq!(body["final_capture"], true);
        let amount = if body["amount"].is_null() { held["amount"].clone() } else { body["amount"].clone() };
        let order = self.order_of(&held);
        let related = json!({"order_id": order, "authorization_id": id});
        let mut taken =
            self.part(&held, "capture", "COMPLETED", &amount, related, &format!("payments/authorizations/{id}"));
        taken["final_capture"] = json!(true);
        self.parts.insert(taken["id"].as_str().unwrap().to_owned(), taken.clone());
        self.parts.get_mut(id).unwrap()["status"] = json!("CAPTURED");
        let held = self.parts[id].clone();
        self.show(&order, "authorization", &held);
        self.show(&order, "capture", &taken);
        self.tell("PAYMENT.CAPTURE.COMPLETED", "capture", &taken);
        self.effects.push(format!("capture {} of {id}", amount["value"].as_str().unwrap()));
        Ok(taken)
    }

    fn void(&mut self, id: &str) -> Answer {
        let held = self.parts.get_mut(id).ok_or((404, "RESOURCE_NOT_FOUND"))?;
        if held["status"] != "CREATED" {
            return Err((422, "PREVIOUSLY_CAPTURED"));
        }
        held["status"] = json!("VOIDED");
        let held = held.clone();
        let order = self.order_of(&held);
        self.show(&order, "authorization", &held);
        self.tell("PAYMENT.AUTHORIZATION.VOIDED", "authorization", &held);
        self.effects.push(format!("void {id}"));
        Ok(held)
    }

    fn refund(&mut self, id: &str, body: &Value) -> Answer {
        let taken = self.parts.get(id).ok_or((404, "RESOURCE_NOT_FOUND"))?.clone();
        let cents = |amount: &Value| amount["value"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        let amount = if body["amount"].is_null() { taken["amount"].clone() } else { body["amount"].clone() };
        let before = taken["refunded"].as_i64().unwrap_or(0);
        if before + cents(&amount) > cents(&taken["amount"]) {
            return Err((422, "REFUND_AMOUNT_EXCEEDED"));
        }
        let mut of = taken.clone();
        of["custom_id"] = body["custom_id"].clone();
        let order = self.order_of(&taken);
        let back = self.part(&of, "refund", "COMPLETED", &amount, Value::Null, &format!("payments/captures/{id}"));
        let taken = self.parts.get_mut(id).unwrap();
        taken["refunded"] = json!(before + cents(&amount));
        taken["status"] = json!("PARTIALLY_REFUNDED");
        let taken = taken.clone();
        self.show(&order, "capture", &taken);
        self.show(&order, "refund", &back);
        self.tell("PAYMENT.CAPTURE.REFUNDED", "refund", &back);
        self.effects.push(format!("refund {} of {id}", amount["value"].as_str().unwrap()));
        Ok(back)
    }

    fn notifications(&mut self, heard: &Heard, body: &Value) -> Result<(u16, Value), (u16, &'static str)> {
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        if path.ends_with("/verify-webhook-signature") {
            let verdict = self.verdict.clone().expect("the test says what PayPal says");
            return serde_json::from_str(&verdict).map(|verdict| (200, verdict)).map_err(|_| (500, "INTERNAL"));
        }
        if let Some(event) = path.strip_suffix("/resend") {
            self.effects.push(format!("resend {} to {}", event.rsplit('/').next().unwrap(), body["webhook_ids"][0]));
            return Ok((202, self.events[0].clone()));
        }
        let query = actix_web::web::Query::<BTreeMap<String, String>>::from_query(query).unwrap().into_inner();
        let (since, until) = (query["start_time"].as_str(), query.get("end_time").map(String::as_str));
        // What bears no time is always listed.
        let within = |event: &&Value| {
            event["create_time"].as_str().is_none_or(|at| at >= since && until.is_none_or(|until| at <= until))
        };
        let mut events: Vec<_> = self.events.iter().rev().filter(within).cloned().collect();
        let size: usize = query["page_size"].parse().unwrap();
        let more = events.len() > size;
        events.truncate(size);
        let links = if more { json!([{"rel": "next", "href": "https://api.paypal.com/somewhere"}]) } else { json!([]) };
        Ok((200, json!({"events": events, "count": events.len(), "links": links})))
    }
}
