//! What would Stripe's billing do? A fake of subscriptions, their invoices and the calls about them, with the state that
//! they change and the events that tell of it, snapshots and thin ones. What happens by itself (a renewal, a failed
//! charge) a test says, and a test can make the next calls go wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use actix_payments::gateways::stripe::Stripe;
use serde_json::{Value, json};
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::story::{DAY, items};
use crate::events::fixture;
use crate::stripe::listener::{Heard, Listener, Say};
use crate::stripe::objects::page;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before anything happened.
    CutBefore,
    /// It is done, and the connection ends before the answer.
    CutAfter,
    /// Stripe has trouble of its own and does nothing.
    Trouble,
}

/// How Stripe's destinations are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Snapshots,
    /// Events that only name an object, and no list of others.
    Thin,
    /// Both, of each happening.
    Both,
}

pub const THIN_SECRET: &str = "whsec_thin_secret";

#[derive(Default)]
pub struct State {
    pub style: Style,
    pub now: i64,
    next: u64,
    pub subscriptions: BTreeMap<String, Value>,
    pub invoices: BTreeMap<String, Value>,
    /// What took the money of invoices.
    pub intents: BTreeMap<String, Value>,
    /// Oldest first.
    pub events: Vec<Value>,
    pub thin_events: Vec<Value>,
    /// What was answered under each idempotency key, with the path.
    keys: BTreeMap<String, (String, Value)>,
    /// What calls really did, in order.
    pub effects: Vec<String>,
    pub faults: VecDeque<Option<Fault>>,
}

pub struct Billing {
    pub listener: Listener,
    state: Arc<Mutex<State>>,
}

impl Billing {
    pub fn new(now: i64) -> Self {
        Self::of_style(now, Style::default())
    }

    pub fn of_style(now: i64, style: Style) -> Self {
        let state = Arc::new(Mutex::new(State { now, style, ..State::default() }));
        let kept = state.clone();
        let listener = Listener::answering(move |heard| kept.lock().unwrap().serve(heard));
        Self { listener, state }
    }

    /// A variant that calls this fake.
    pub fn gateway(&self, secret: &str) -> Stripe {
        let stripe = Stripe::new(secret).api_key("sk_test_123").api_base(&self.listener.address).api_retries(0);
        if self.state().style == Style::Snapshots { stripe } else { stripe.thin_secret(THIN_SECRET) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A customer subscribes: the first invoice is paid, or it is a trial.
    pub fn subscribe(&mut self, owner: &str, is_trial: bool) -> String {
        let mut object = fixture("customer.subscription.updated")["data"]["object"].take();
        let id = format!("sub_{}", self.number());
        object["id"] = json!(id);
        object["created"] = json!(self.now);
        object["status"] = json!(if is_trial { "trialing" } else { "incomplete" });
        object["metadata"] = json!({"owner": owner});
        object["start_date"] = json!(self.now);
        object["items"] = items("price_tea", 1, self.now);
        object["items"]["data"][0]["id"] = json!(format!("si_{id}"));
        object["trial_end"] = if is_trial { json!(self.now + 31 * DAY) } else { Value::Null };
        object["latest_invoice"] = Value::Null;
        self.subscriptions.insert(id.clone(), object);
        self.tell(&id, "created", None);
        if !is_trial {
            let invoice = self.invoice(&id);
            self.change(&id, json!({"latest_invoice": invoice}));
            self.pay(&id);
        }
        id
    }

    /// The next period begins, with an invoice that is to be paid.
    pub fn renew(&mut self, id: &str) {
        let start = self.subscriptions[id]["items"]["data"][0]["current_period_end"].as_i64().unwrap();
        let mut items = self.subscriptions[id]["items"].clone();
        items["data"][0]["current_period_start"] = json!(start);
        items["data"][0]["current_period_end"] = json!(start + 31 * DAY);
        let invoice = self.invoice(id);
        let trialing = self.subscriptions[id]["status"] == "trialing";
        let mut changes = json!({"items": items, "latest_invoice": invoice});
        if trialing {
            changes["status"] = json!("active");
        }
        self.change(id, changes);
    }

    fn invoice(&mut self, id: &str) -> String {
        let mut object = fixture("invoice.payment_failed")["data"]["object"].take();
        let invoice = format!("in_{}", 1000 + self.number());
        object["id"] = json!(invoice);
        object["parent"]["subscription_details"]["subscription"] = json!(id);
        object["created"] = json!(self.now);
        object["attempt_count"] = json!(0);
        object["next_payment_attempt"] = json!(self.now + 3600);
        self.invoices.insert(invoice.clone(), object.clone());
        self.say("invoice.finalized", json!({"object": object}));
        invoice
    }

    /// The newest invoice's id, if money is due on it.
    pub fn open_invoice(&self, id: &str) -> Option<String> {
        let newest = self.subscriptions[id]["latest_invoice"].as_str()?;
        (self.invoices[newest]["status"] == "open").then(|| newest.to_owned())
    }

    /// The newest invoice is paid, with a payment intent of its own.
    pub fn pay(&mut self, id: &str) {
        let Some(invoice) = self.open_invoice(id) else { return };
        let attempts = self.invoices[&invoice]["attempt_count"].as_i64().unwrap() + 1;
        let object = self.invoices.get_mut(&invoice).unwrap();
        object["status"] = json!("paid");
        object["attempt_count"] = json!(attempts);
        object["next_payment_attempt"] = Value::Null;
        object["status_transitions"]["paid_at"] = json!(self.now);
        let paid = object.clone();
        let mut intent = fixture("payment_intent.succeeded")["data"]["object"].take();
        intent["id"] = json!(format!("pi_{invoice}"));
        intent["latest_charge"] = json!(format!("ch_{invoice}"));
        intent["payment_details"] = json!({"order_reference": invoice});
        intent["metadata"] = json!({});
        for name in ["amount", "amount_received"] {
            intent[name] = json!(2000);
        }
        intent["created"] = json!(self.now);
        self.intents.insert(format!("pi_{invoice}"), intent.clone());
        self.say("payment_intent.succeeded", json!({"object": intent}));
        self.say("invoice.paid", json!({"object": paid}));
        if self.subscriptions[id]["status"] != "active" {
            self.change(id, json!({"status": "active"}));
        }
    }

    /// The newest invoice is not paid at this attempt.
    pub fn fail(&mut self, id: &str) {
        let Some(invoice) = self.open_invoice(id) else { return };
        let next = self.now + 3 * DAY;
        let object = self.invoices.get_mut(&invoice).unwrap();
        object["attempt_count"] = json!(object["attempt_count"].as_i64().unwrap() + 1);
        object["next_payment_attempt"] = json!(next);
        let failed = object.clone();
        self.say("invoice.payment_failed", json!({"object": failed}));
        if self.subscriptions[id]["status"] == "active" {
            self.change(id, json!({"status": "past_due"}));
        }
    }

    /// What is paused as a whole goes on: within its period, or with a new one that is invoiced and charged at once.
    fn resume(&mut self, id: &str, anchor: &str) -> Result<(), (u16, String)> {
        if self.subscriptions[id]["status"] != "paused" {
            return Err((400, "only a paused subscription can be resumed".to_owned()));
        }
        if anchor == "unchanged" {
            self.change(id, json!({"status": "active"}));
            return Ok(());
        }
        assert_eq!(anchor, "now");
        let mut items = self.subscriptions[id]["items"].clone();
        items["data"][0]["current_period_start"] = json!(self.now);
        items["data"][0]["current_period_end"] = json!(self.now + 31 * DAY);
        let invoice = self.invoice(id);
        self.change(id, json!({"items": items, "latest_invoice": invoice}));
        self.pay(id);
        Ok(())
    }

    /// Stripe gives up on what is past due.
    pub fn give_up(&mut self, id: &str) {
        if self.subscriptions[id]["status"] == "past_due" {
            self.change(id, json!({"status": "unpaid"}));
        }
    }

    /// It ends.
    pub fn end(&mut self, id: &str) {
        if self.subscriptions[id]["status"] != "canceled" {
            self.put(id, &json!({"status": "canceled", "ended_at": self.now, "canceled_at": self.now}));
            self.tell(id, "deleted", None);
        }
    }

    pub fn is_over(&self, id: &str) -> bool {
        self.subscriptions[id]["status"] == "canceled"
    }

    /// Changes fields, and tells of it where that changes anything.
    pub fn change(&mut self, id: &str, changes: Value) {
        let previous = self.put(id, &changes);
        if !previous.as_object().unwrap().is_empty() {
            self.tell(id, "updated", Some(previous));
        }
    }

    fn put(&mut self, id: &str, changes: &Value) -> Value {
        let object = self.subscriptions.get_mut(id).unwrap();
        let mut previous = json!({});
        for (name, value) in changes.as_object().unwrap() {
            if object[name] != *value {
                previous[name] = std::mem::replace(&mut object[name], value.clone());
            }
        }
        previous
    }

    fn tell(&mut self, id: &str, verb: &str, previous: Option<Value>) {
        let mut data = json!({"object": self.subscriptions[id]});
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        self.say(&format!("customer.subscription.{verb}"), data);
    }

    fn say(&mut self, kind: &str, data: Value) {
        let number = self.number();
        let id = format!("evt_{number:08}");
        let object = data["object"]["id"].as_str().unwrap();
        let folder = match object.split('_').next() {
            Some("sub") => "subscriptions",
            Some("in") => "invoices",
            _ => "payment_intents",
        };
        let twin = if self.style == Style::Both { json!(id) } else { Value::Null };
        self.thin_events.push(json!({"id": format!("evt_thin_{number:08}"), "object": "v2.core.event",
            "context": null, "type": format!("v1.{kind}"), "created": moment(self.now), "livemode": false,
            "reason": null, "snapshot_event": twin,
            "related_object": {"id": object, "type": folder, "url": format!("/v1/{folder}/{object}")}}));
        self.events.push(json!({"id": id, "object": "event", "api_version": "2026-10-28.endive", "created": self.now,
            "livemode": false, "type": kind, "data": data}));
    }

    fn serve(&mut self, heard: &Heard) -> Say {
        let date = time::OffsetDateTime::from_unix_timestamp(self.now).unwrap().format(&Rfc2822).unwrap();
        let say = |status: u16, body: &Value| Say::Answer(status, vec![("date", date.clone())], body.to_string());
        let fault = self.faults.pop_front().flatten();
        match fault {
            Some(Fault::CutBefore) => return Say::Nothing,
            Some(Fault::Trouble) => return say(503, &json!({"error": {"message": "try again"}})),
            Some(Fault::CutAfter) | None => {}
        }
        let answer = self.answer(heard);
        if fault == Some(Fault::CutAfter) {
            return Say::Nothing;
        }
        match answer {
            Ok(body) => say(200, &body),
            Err((status, message)) => say(status, &json!({"error": {"message": message}})),
        }
    }

    fn answer(&mut self, heard: &Heard) -> Result<Value, (u16, String)> {
        if heard.method == "GET" {
            return self.read(&heard.path);
        }
        let sent = format!("{} {} {}", heard.method, heard.path, heard.body);
        // Keys have an effect with POST only.
        let key = heard.header("idempotency-key").filter(|_| heard.method == "POST").map(str::to_owned);
        if let Some((known, answer)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            let other = "keys for idempotent requests can only be used with the same parameters";
            return if *known == sent { Ok(answer.clone()) } else { Err((400, other.to_owned())) };
        }
        let answer = self.act(heard)?;
        self.keys.extend(key.map(|key| (key, (sent, answer.clone()))));
        Ok(answer)
    }

    fn read(&self, path: &str) -> Result<Value, (u16, String)> {
        let shelves = [
            ("/v1/subscriptions/", &self.subscriptions),
            ("/v1/invoices/", &self.invoices),
            ("/v1/payment_intents/", &self.intents),
        ];
        if let Some((id, shelf)) = shelves.iter().find_map(|(folder, shelf)| Some((path.strip_prefix(folder)?, shelf)))
        {
            let id = id.split('?').next().unwrap();
            return shelf.get(id).cloned().ok_or((404, "no such object".to_owned()));
        }
        if path.starts_with("/v2/core/events?") {
            assert!(!path.contains("created%5Blte%5D"), "one page is enough");
            let newest: Vec<&Value> = self.thin_events.iter().rev().collect();
            return Ok(json!({"data": newest, "next_page_url": null, "previous_page_url": null}));
        }
        let (list, query) = path.split_once('?').unwrap_or((path, ""));
        let form = actix_web::web::Query::<BTreeMap<String, String>>::from_query(query).unwrap().into_inner();
        match list {
            "/v1/invoices" => return Ok(json!({"object": "list", "has_more": false, "data": self.invoices_of(&form)})),
            "/v1/subscriptions" => return Ok(page(self.subscriptions.values().cloned(), &form)),
            "/v1/payment_intents" => return Ok(page(self.intents.values().cloned(), &form)),
            "/v1/checkout/sessions" => return Ok(page(std::iter::empty(), &form)),
            _ => assert_eq!(list, "/v1/events"),
        }
        let before = path.split("starting_after=").nth(1).map(|rest| rest.split('&').next().unwrap().to_owned());
        let older = |event: &&Value| before.as_ref().is_none_or(|before| event["id"].as_str() < Some(before.as_str()));
        let listed = if self.style == Style::Thin { &[][..] } else { &self.events[..] };
        let rest: Vec<&Value> = listed.iter().rev().filter(older).collect();
        let page: Vec<&&Value> = rest.iter().take(100).collect();
        Ok(json!({"object": "list", "data": page, "has_more": rest.len() > 100}))
    }

    /// The newest invoices of a subscription, with what paid them.
    fn invoices_of(&self, form: &BTreeMap<String, String>) -> Vec<Value> {
        assert_eq!(form["expand[0]"], "data.payments");
        let subscription =
            |invoice: &&Value| invoice["parent"]["subscription_details"]["subscription"] == *form["subscription"];
        let mut found: Vec<Value> = self.invoices.values().filter(subscription).cloned().collect();
        found.sort_by_key(|invoice| std::cmp::Reverse((invoice["created"].as_i64(), invoice["id"].to_string())));
        found.truncate(form["limit"].parse().unwrap());
        for invoice in &mut found {
            let id = invoice["id"].as_str().unwrap().to_owned();
            let (status, paid) =
                if invoice["status"] == "paid" { ("paid", json!(2000)) } else { ("open", Value::Null) };
            // An open invoice names the intent that is to pay it, too.
            let paying = json!({"id": format!("inpay_{id}"), "object": "invoice_payment", "invoice": id, "status": status,
                "amount_paid": paid, "amount_requested": 2000, "currency": "usd", "livemode": false,
                "payment": {"type": "payment_intent", "payment_intent": format!("pi_{id}")}});
            invoice["payments"] = json!({"object": "list", "data": [paying], "has_more": false});
        }
        found
    }

    fn act(&mut self, heard: &Heard) -> Result<Value, (u16, String)> {
        let fields: BTreeMap<String, String> = actix_web::web::Query::<Vec<(String, String)>>::from_query(&heard.body)
            .unwrap()
            .into_inner()
            .into_iter()
            .collect();
        if heard.path == "/v1/billing_portal/sessions" {
            return Ok(json!({"url": format!("https://billing.stripe.com/p/{}", fields["customer"])}));
        }
        let path = heard.path.strip_prefix("/v1/subscriptions/").unwrap_or_else(|| panic!("{}", heard.path));
        let (id, step) = path.split_once('/').unwrap_or((path, ""));
        if !self.subscriptions.contains_key(id) {
            return Err((404, "no such subscription".to_owned()));
        }
        if self.is_over(id) {
            return Err((404, "no such active subscription".to_owned()));
        }
        self.effects.push(format!("{} {} {}", heard.method, step, heard.body));
        let end = self.subscriptions[id]["items"]["data"][0]["current_period_end"].clone();
        match (heard.method.as_str(), step) {
            ("DELETE", _) => self.end(id),
            (_, "resume") => self.resume(id, &fields["billing_cycle_anchor"])?,
            _ => match (fields.get("cancel_at_period_end").map(String::as_str), fields.get("pause_collection")) {
                (Some("true"), _) => {
                    self.change(id, json!({"cancel_at_period_end": true, "cancel_at": end, "canceled_at": self.now}));
                }
                // It takes back the end that was decided by it, and none that is a date.
                (Some(_), _) if self.subscriptions[id]["cancel_at_period_end"] == false => {}
                (Some(_), _) => {
                    let back = json!({"cancel_at_period_end": false, "cancel_at": null, "canceled_at": null});
                    self.change(id, back);
                }
                _ if fields.contains_key("cancel_at") => {
                    self.change(id, json!({"cancel_at": null, "canceled_at": null}));
                }
                (_, Some(_)) => self.change(id, json!({"pause_collection": null})),
                _ if fields.contains_key("pause_collection[behavior]") => {
                    let pause = json!({"behavior": fields["pause_collection[behavior]"], "resumes_at": null});
                    self.change(id, json!({"pause_collection": pause}));
                }
                _ => {
                    let mut items = self.subscriptions[id]["items"].clone();
                    assert_eq!(items["data"][0]["id"], json!(fields["items[0][id]"]));
                    if let Some(price) = fields.get("items[0][price]") {
                        items["data"][0]["price"]["id"] = json!(price);
                    }
                    if let Some(quantity) = fields.get("items[0][quantity]") {
                        items["data"][0]["quantity"] = json!(quantity.parse::<i64>().unwrap());
                    }
                    self.change(id, json!({"items": items}));
                }
            },
        }
        Ok(self.subscriptions[id].clone())
    }
}

/// A time as thin events have it.
fn moment(at: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(at).unwrap().format(&Rfc3339).unwrap()
}
