//! What would Stripe do? A fake of the calls that payments make, with the state that they change: sessions, intents,
//! charges, refunds, events and idempotency keys. Customers pay when a test says so, and a test can make the next
//! requests go wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_payments::gateways::stripe::Stripe;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc2822;

use super::listener::{Heard, Listener, Say};
use super::objects::page;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before anything happened.
    CutBefore,
    /// It is done, and the connection ends before the answer.
    CutAfter,
    /// It is done, and the answer comes twice.
    Twice,
    /// It is done, and the answer takes this many milliseconds.
    SlowAfter(u64),
    /// Stripe has trouble of its own and does nothing.
    Trouble,
    /// Too many requests.
    RateLimit,
    /// Stripe says no.
    Decline,
}

#[derive(Default, Serialize, Deserialize)]
pub struct State {
    pub now: i64,
    next: u64,
    pub sessions: BTreeMap<String, Value>,
    pub intents: BTreeMap<String, Value>,
    charges: BTreeMap<String, Value>,
    /// Oldest first.
    pub events: Vec<Value>,
    /// Answers by idempotency key: the request's body, status and answer.
    keys: BTreeMap<String, (String, u16, String)>,
    /// What was really done, in order.
    pub effects: Vec<String>,
    /// Whose each object is, by its id; one that is missing here is the platform's own.
    #[serde(default)]
    accounts: BTreeMap<String, String>,
    /// The connected account that is acted for at the moment.
    #[serde(skip)]
    acting: Option<String>,
    /// What is kept of each charge from now on, in which currency.
    #[serde(skip)]
    pub fee: Option<(i64, &'static str)>,
    /// Whether the key may not see what is kept.
    #[serde(skip)]
    pub hides_fees: bool,
    #[serde(skip)]
    pub faults: VecDeque<Option<Fault>>,
}

pub struct Fake {
    pub listener: Listener,
    state: Arc<Mutex<State>>,
}

pub type Answer = Result<Value, (u16, &'static str)>;

impl Fake {
    pub fn new(now: i64) -> Self {
        Self::remembering(State { now, ..State::default() })
    }

    /// A fake that goes on from this state, as Stripe does when only the app was down.
    pub fn remembering(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let kept = state.clone();
        let listener = Listener::answering(move |heard| kept.lock().unwrap().serve(heard));
        Self { listener, state }
    }

    /// A variant that calls this fake.
    pub fn gateway(&self, secret: &str) -> Stripe {
        Stripe::new(secret).api_key("sk_test_1").api_base(&self.listener.address).api_retries(0)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The customer pays the open session that bears this token; answers the intent's id.
    pub fn pay(&self, token: &str) -> String {
        self.state().pay(token)
    }

    /// The customer's card is declined; the session stays open, with an intent.
    pub fn decline(&self, token: &str) {
        self.state().decline(token);
    }

    /// A day has passed: no idempotency key is remembered.
    pub fn forget(&self) {
        self.state().keys.clear();
    }

    /// Somebody refunds this much of an intent in Stripe's dashboard.
    pub fn refund(&self, intent: &str, amount: i64) {
        let form = [("payment_intent", intent.to_owned()), ("amount", amount.to_string())];
        let form = form.map(|(name, value)| (name.to_owned(), value)).into();
        let mut state = self.state();
        state.acting = state.accounts.get(intent).cloned();
        state.refund(&form).unwrap();
    }
}

impl State {
    fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        let id = format!("{prefix}_{}", self.next);
        self.accounts.extend(self.acting.clone().map(|account| (id.clone(), account)));
        id
    }

    /// What follows is done for this account.
    pub fn acts_for(&mut self, account: &str) -> &mut Self {
        self.acting = Some(account.to_owned());
        self
    }

    /// Nobody is shown what is another account's.
    fn is_theirs(&self, id: &str) -> bool {
        self.accounts.get(id) == self.acting.as_ref()
    }

    fn tell(&mut self, kind: &str, object: &Value) {
        let id = self.id("evt");
        let mut event = json!({"id": id, "object": "event", "type": kind, "created": self.now, "livemode": false,
            "api_version": "2026-10-28.endive", "data": {"object": object}, "later_field": {"a": [1, {"b": null}]}});
        if let Some(account) = &self.acting {
            event["account"] = json!(account);
        }
        self.events.push(event);
    }

    fn pay(&mut self, token: &str) -> String {
        let of_token = |session: &&mut Value| session["client_reference_id"] == token && session["status"] == "open";
        let session = self.sessions.values_mut().find(of_token).expect("an open session").clone();
        self.acting = self.accounts.get(session["id"].as_str().unwrap()).cloned();
        let manual = session["capture"] == "manual";
        let (intent, created) = self.intent_of(&session);
        let charge = self.id("ch");
        let (amount, currency) = (session["amount_total"].clone(), session["currency"].clone());
        let taken = if manual { json!(0) } else { amount.clone() };
        let held = if manual { amount.clone() } else { json!(0) };
        let object = json!({"id": charge, "object": "charge", "amount": amount, "amount_captured": taken,
            "amount_refunded": 0, "captured": !manual, "currency": currency, "payment_intent": intent,
            "refunded": false, "status": "succeeded", "livemode": false});
        self.tell("charge.succeeded", &object);
        self.charges.insert(charge.clone(), self.booked(object));
        let status = if manual { "requires_capture" } else { "succeeded" };
        let object = json!({"id": intent, "object": "payment_intent", "created": created, "amount": amount, "amount_capturable": held,
            "amount_received": taken, "currency": currency, "latest_charge": charge, "status": status,
            "livemode": false, "metadata": {"payment_token": token}});
        let kind = if manual { "payment_intent.amount_capturable_updated" } else { "payment_intent.succeeded" };
        self.tell(kind, &object);
        self.intents.insert(intent.clone(), object);
        let id = session["id"].as_str().unwrap().to_owned();
        let session = self.sessions.get_mut(&id).unwrap();
        session["status"] = json!("complete");
        session["payment_status"] = json!(if manual { "unpaid" } else { "paid" });
        session["payment_intent"] = json!(intent);
        let session = session.clone();
        self.tell("checkout.session.completed", &session);
        intent
    }

    /// A charge with its movement on the account's balance, which no event shows.
    fn booked(&self, mut charge: Value) -> Value {
        if let Some((fee, currency)) = self.fee {
            charge["balance_transaction"] = json!({"id": "txn_1", "object": "balance_transaction", "created": self.now,
                "amount": 5400, "currency": currency, "exchange_rate": 1.08, "fee": fee, "net": 5400 - fee,
                "type": "charge"});
        }
        charge
    }

    /// The intent of a session, and when it was made: each attempt is one of the same intent's.
    fn intent_of(&mut self, session: &Value) -> (String, Value) {
        match session["payment_intent"].as_str() {
            Some(id) => (id.to_owned(), self.intents[id]["created"].clone()),
            None => (self.id("pi"), json!(self.now)),
        }
    }

    fn decline(&mut self, token: &str) {
        let session = self.sessions.values().find(|session| session["client_reference_id"] == token).unwrap().clone();
        let (intent, created) = self.intent_of(&session);
        let session = self.sessions.get_mut(session["id"].as_str().unwrap()).unwrap();
        session["payment_intent"] = json!(intent);
        let object = json!({"id": intent, "object": "payment_intent", "created": created, "amount": session["amount_total"],
            "amount_capturable": 0, "amount_received": 0, "currency": session["currency"], "latest_charge": null,
            "status": "requires_payment_method", "livemode": false, "metadata": {"payment_token": token},
            "last_payment_error": {"code": "card_declined", "message": "Your card was declined."}});
        self.tell("payment_intent.payment_failed", &object);
        self.intents.insert(intent, object);
    }

    fn serve(&mut self, heard: &Heard) -> Say {
        let fault = self.faults.pop_front().flatten();
        let date = time::OffsetDateTime::from_unix_timestamp(self.now).unwrap().format(&Rfc2822).unwrap();
        let say = |status: u16, body: String| Say::Answer(status, vec![("date", date.replace("+0000", "GMT"))], body);
        let error = |kind: &str| json!({"error": {"type": kind, "message": "as the test says"}}).to_string();
        match fault {
            Some(Fault::CutBefore) => return Say::Nothing,
            Some(Fault::Trouble) => return say(503, error("api_error")),
            Some(Fault::RateLimit) => return say(429, error("rate_limit_error")),
            Some(Fault::Decline) => return say(402, error("card_error")),
            _ => {}
        }
        let (status, body) = self.once(heard);
        match fault {
            Some(Fault::CutAfter) => Say::Nothing,
            Some(Fault::Twice) => Say::Twice(status, vec![("date", date.replace("+0000", "GMT"))], body),
            Some(Fault::SlowAfter(millis)) => {
                std::thread::sleep(Duration::from_millis(millis));
                say(status, body)
            }
            _ => say(status, body),
        }
    }

    /// Stripe's rule of the idempotency key: the first answer stands, and other parameters are an error.
    fn once(&mut self, heard: &Heard) -> (u16, String) {
        let key = heard.header("idempotency-key").map(str::to_owned);
        let asked = format!("{} {}", heard.path, heard.body);
        if let Some((before, status, answer)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            assert_eq!(*before, asked, "the same key with other parameters");
            return (*status, answer.clone());
        }
        assert_eq!(key.is_some(), heard.method == "POST", "every POST has a key, and no GET");
        let (status, answer) = match self.act(heard) {
            Ok(answer) => (200, answer.to_string()),
            Err((status, code)) => {
                let error = json!({"type": "invalid_request_error", "code": code, "message": "no"});
                (status, json!({ "error": error }).to_string())
            }
        };
        if let Some(key) = key {
            self.keys.insert(key, (asked, status, answer.clone()));
        }
        (status, answer)
    }

    fn act(&mut self, heard: &Heard) -> Answer {
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        let form = if heard.method == "POST" { &heard.body } else { query };
        let form = actix_web::web::Query::<BTreeMap<String, String>>::from_query(form).unwrap().into_inner();
        let expand = form.get("expand[0]").map_or("", String::as_str);
        if self.hides_fees && expand.ends_with("balance_transaction") {
            return Err((403, "more_permissions_required"));
        }
        self.acting = heard.header("stripe-account").map(str::to_owned);
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let named = parts.iter().copied().chain(form.get("payment_intent").map(String::as_str));
        if named.filter(|id| id.contains('_') && *id != "payment_intents").any(|id| !self.is_theirs(id)) {
            return Err((404, "resource_missing"));
        }
        match (heard.method.as_str(), &parts[..]) {
            ("POST", ["checkout", "sessions"]) if form["mode"] == "subscription" => Err((400, "no_such_price")),
            ("POST", ["checkout", "sessions"]) => Ok(self.open(&form)),
            ("GET", ["checkout", "sessions", id]) => self.session(id, expand),
            ("POST", ["checkout", "sessions", id, "expire"]) => self.expire(id),
            ("GET", ["payment_intents", id]) => self.intent(id, expand),
            ("POST", ["payment_intents", id, "capture"]) => self.capture(id, &form),
            ("POST", ["payment_intents", id, "cancel"]) => self.cancel(id),
            ("POST", ["refunds"]) => self.refund(&form),
            ("GET", ["events"]) => Ok(self.list(&form)),
            ("GET", list) => Ok(self.objects(list, &form)),
            other => panic!("the fake does not know {other:?}"),
        }
    }

    pub fn open(&mut self, form: &BTreeMap<String, String>) -> Value {
        let id = self.id("cs");
        let number = |name: &str| form[name].parse::<i64>().unwrap();
        let amount = number("line_items[0][price_data][unit_amount]") * number("line_items[0][quantity]");
        let session = json!({"id": id, "object": "checkout.session", "created": self.now, "mode": "payment", "status": "open",
            "payment_status": "unpaid", "amount_total": amount, "amount_subtotal": amount, "livemode": false,
            "currency": form["line_items[0][price_data][currency]"], "payment_intent": null,
            "client_reference_id": form["client_reference_id"], "url": format!("https://checkout.stripe.com/{id}"),
            "capture": form.get("payment_intent_data[capture_method]")});
        self.sessions.insert(id, session.clone());
        self.effects.push(format!("open {}", form["client_reference_id"]));
        session
    }

    fn session(&self, id: &str, expand: &str) -> Answer {
        let mut session = self.sessions.get(id).cloned().ok_or((404, "resource_missing"))?;
        if let Some((intent, path)) = session["payment_intent"].as_str().zip(expand.strip_prefix("payment_intent.")) {
            session["payment_intent"] = self.intent(intent, path)?;
        }
        Ok(session)
    }

    fn intent(&self, id: &str, expand: &str) -> Answer {
        let mut intent = self.intents.get(id).cloned().ok_or((404, "resource_missing"))?;
        if let Some(charge) = intent["latest_charge"].as_str().filter(|_| expand.starts_with("latest_charge")) {
            let mut charge = self.charges[charge].clone();
            if expand != "latest_charge.balance_transaction" {
                charge["balance_transaction"] = charge["balance_transaction"]["id"].take();
            }
            intent["latest_charge"] = charge;
        }
        Ok(intent)
    }

    pub fn expire(&mut self, id: &str) -> Answer {
        let session = self.sessions.get_mut(id).ok_or((404, "resource_missing"))?;
        if session["status"] != "open" {
            return Err((400, "checkout_session_not_open"));
        }
        session["status"] = json!("expired");
        let session = session.clone();
        self.tell("checkout.session.expired", &session);
        self.effects.push(format!("expire {id}"));
        Ok(session)
    }

    pub fn capture(&mut self, id: &str, form: &BTreeMap<String, String>) -> Answer {
        let intent = self.intents.get_mut(id).ok_or((404, "resource_missing"))?;
        if intent["status"] != "requires_capture" {
            return Err((400, "payment_intent_unexpected_state"));
        }
        let held = intent["amount_capturable"].as_i64().unwrap();
        let taken = form.get("amount_to_capture").map_or(held, |text| text.parse().unwrap());
        if taken > held || taken <= 0 {
            return Err((400, "amount_too_large"));
        }
        intent["status"] = json!("succeeded");
        intent["amount_capturable"] = json!(0);
        intent["amount_received"] = json!(taken);
        let intent = intent.clone();
        let charge = self.charges.get_mut(intent["latest_charge"].as_str().unwrap()).unwrap();
        charge["captured"] = json!(true);
        charge["amount_captured"] = json!(taken);
        let charge = charge.clone();
        self.tell("charge.captured", &charge);
        self.tell("payment_intent.succeeded", &intent);
        self.effects.push(format!("capture {taken} of {id}"));
        Ok(intent)
    }

    pub fn cancel(&mut self, id: &str) -> Answer {
        let intent = self.intents.get_mut(id).ok_or((404, "resource_missing"))?;
        if intent["status"] != "requires_capture" {
            return Err((400, "payment_intent_unexpected_state"));
        }
        intent["status"] = json!("canceled");
        intent["cancellation_reason"] = json!("requested_by_customer");
        intent["amount_capturable"] = json!(0);
        let intent = intent.clone();
        self.charges.get_mut(intent["latest_charge"].as_str().unwrap()).unwrap()["refunded"] = json!(true);
        self.tell("payment_intent.canceled", &intent);
        self.effects.push(format!("cancel {id}"));
        Ok(intent)
    }

    pub fn refund(&mut self, form: &BTreeMap<String, String>) -> Answer {
        let intent = form["payment_intent"].clone();
        let charge = self.intents.get(&intent).ok_or((404, "resource_missing"))?["latest_charge"].clone();
        let charge = self.charges.get_mut(charge.as_str().unwrap()).unwrap();
        let captured = charge["amount_captured"].as_i64().unwrap();
        let before = charge["amount_refunded"].as_i64().unwrap();
        let amount = form.get("amount").map_or(captured - before, |text| text.parse().unwrap());
        if charge["captured"] != true || amount <= 0 || before + amount > captured {
            return Err((400, "charge_already_refunded"));
        }
        charge["amount_refunded"] = json!(before + amount);
        charge["refunded"] = json!(before + amount == captured);
        let charge = charge.clone();
        let id = self.id("re");
        let refund = json!({"id": id, "object": "refund", "amount": amount, "charge": charge["id"],
            "created": self.now, "currency": charge["currency"], "payment_intent": intent, "status": "succeeded"});
        self.tell("refund.created", &refund);
        self.tell("charge.refunded", &charge);
        self.effects.push(format!("refund {amount} of {intent}"));
        Ok(refund)
    }

    /// All objects of one kind. There are no subscriptions here.
    fn objects(&self, list: &[&str], form: &BTreeMap<String, String>) -> Value {
        match list {
            ["payment_intents"] => page(
                self.intents.keys().filter(|id| self.is_theirs(id)).map(|id| self.intent(id, "latest_charge").unwrap()),
                form,
            ),
            ["checkout", "sessions"] => page(
                self.sessions.iter().filter(|(id, _)| self.is_theirs(id)).map(|(_, session)| session.clone()),
                form,
            ),
            ["subscriptions"] => page(std::iter::empty(), form),
            other => panic!("the fake does not know {other:?}"),
        }
    }

    /// Newest first, from the one after `starting_after`.
    fn list(&self, form: &BTreeMap<String, String>) -> Value {
        let since: i64 = form.get("created[gte]").map_or(0, |text| text.parse().unwrap());
        let limit: usize = form["limit"].parse().unwrap();
        let is_theirs = |event: &&Value| self.is_theirs(event["id"].as_str().unwrap());
        let newest_first = self.events.iter().rev().filter(is_theirs);
        let newest_first = newest_first.filter(|event| event["created"].as_i64().unwrap() >= since);
        let mut rest: Vec<&Value> = newest_first.collect();
        if let Some(after) = form.get("starting_after") {
            let at = rest.iter().position(|event| event["id"] == **after).expect("an event of the list");
            rest.drain(..=at);
        }
        let more = rest.len() > limit;
        rest.truncate(limit);
        json!({"object": "list", "data": rest, "has_more": more, "url": "/v1/events"})
    }
}
