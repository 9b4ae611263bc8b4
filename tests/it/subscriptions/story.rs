//! A subscription at Stripe, as far as its events show it: changed step by step, each step an event with what was
//! before.

use actix_payments::Subscription;
use serde_json::{Value, json};

use crate::app::App;
use crate::events::fixture;

/// When the fixtures' subscription begins, and a day.
pub const START: i64 = 1_791_800_000;
pub const DAY: i64 = 86_400;

/// A subscription with the events that were sent of it.
pub struct Story {
    id: String,
    object: Value,
    pub events: Vec<String>,
}

impl Story {
    /// A new one in this status; its `created` event is the first.
    pub fn new(number: impl std::fmt::Display, status: &str) -> Self {
        let mut object = fixture("customer.subscription.updated")["data"]["object"].take();
        let id = format!("sub_{number}");
        object["id"] = json!(id);
        object["status"] = json!(status);
        object["start_date"] = json!(START);
        object["latest_invoice"] = json!(format!("in_{number}"));
        let mut story = Self { id, object, events: Vec::new() };
        story.tell("created", START, None);
        story
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it stands at Stripe.
    pub fn object(&self) -> &Value {
        &self.object
    }

    /// Changes fields and sends `customer.subscription.updated` with what they were.
    pub fn update(&mut self, at: i64, changes: Value) -> &mut Self {
        let previous = self.put(changes);
        self.tell("updated", at, Some(previous))
    }

    /// Changes fields and sends another kind, which does not say what they were.
    pub fn send(&mut self, verb: &str, at: i64, changes: Value) -> &mut Self {
        self.put(changes);
        self.tell(verb, at, None)
    }

    fn put(&mut self, changes: Value) -> Value {
        let mut previous = json!({});
        for (name, value) in changes.as_object().unwrap() {
            let old = std::mem::replace(&mut self.object[name], value.clone());
            previous[name] = if name == "metadata" {
                json!(
                    value
                        .as_object()
                        .unwrap()
                        .keys()
                        .map(|key| (key.clone(), old[key].clone()))
                        .collect::<serde_json::Map<_, _>>()
                )
            } else {
                old
            };
        }
        previous
    }

    fn tell(&mut self, verb: &str, at: i64, previous: Option<Value>) -> &mut Self {
        let mut data = json!({"object": self.object});
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        self.event(&format!("customer.subscription.{verb}"), at, data)
    }

    fn event(&mut self, kind: &str, at: i64, data: Value) -> &mut Self {
        let id = format!("evt_{}_{}", self.id, self.events.len());
        let event = json!({"id": id, "object": "event", "api_version": "2026-10-28.endive", "created": at,
            "livemode": false, "type": kind, "data": data});
        self.events.push(event.to_string());
        self
    }

    /// An event about its invoice `number`.
    pub fn invoice(&mut self, verb: &str, at: i64, changes: Value) -> &mut Self {
        let mut object = fixture("invoice.payment_failed")["data"]["object"].take();
        object["id"] = self.object["latest_invoice"].clone();
        object["parent"]["subscription_details"]["subscription"] = json!(self.id);
        object["created"] = json!(at);
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        self.event(&format!("invoice.{verb}"), at, json!({"object": object}))
    }

    /// The checkout session that began it, for this owner.
    pub fn checkout(&mut self, at: i64, owner: &str) -> &mut Self {
        let mut object = fixture("checkout.session.completed.subscription")["data"]["object"].take();
        object["id"] = json!(format!("cs_{}", self.id));
        object["invoice"] = self.object["latest_invoice"].clone();
        object["subscription"] = json!(self.id);
        object["client_reference_id"] = json!(owner);
        self.event("checkout.session.completed", at, json!({"object": object}))
    }
}

/// The items of a subscription: one, of this price, so often, in the period that begins then.
pub fn items(price: &str, quantity: i64, start: i64) -> Value {
    let mut items = fixture("customer.subscription.updated")["data"]["object"]["items"].take();
    items["data"][0]["price"]["id"] = json!(price);
    items["data"][0]["quantity"] = json!(quantity);
    items["data"][0]["current_period_start"] = json!(start);
    items["data"][0]["current_period_end"] = json!(start + 31 * DAY);
    items
}

/// Every order of so many.
pub fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for place in 0..=shorter.len() {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            all.push(order);
        }
    }
    all
}

/// So many orders of so many, drawn at random, and the same ones each time.
pub fn some_orders(count: usize, many: usize) -> Vec<Vec<usize>> {
    let mut seed = 14_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut order = || {
        let mut order: Vec<usize> = (0..count).collect();
        (1..count).rev().for_each(|at| order.swap(at, draw(at + 1)));
        order
    };
    (0..many).map(|_| order()).collect()
}

impl App {
    pub async fn subscription(&self, gateway_ref: &str) -> Subscription {
        self.payments
            .subscription_at("stripe", gateway_ref)
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("no {gateway_ref}"))
    }

    /// Delivers the events of a story in their order.
    pub async fn hear(&self, story: &Story) {
        let events: Vec<&str> = story.events.iter().map(String::as_str).collect();
        self.deliver(&events).await;
    }

    /// Tells a story many times, each time of another subscription and in another order, and answers how each stands
    /// then. Half of them is processed event by event, half in one batch.
    pub async fn hear_in_all_orders(&self, tell: impl Fn(usize) -> Story) -> Vec<Subscription> {
        let orders = orders(tell(0).events.len());
        let step = orders.len().div_ceil(24);
        let mut found = Vec::new();
        for (number, order) in orders.iter().enumerate().step_by(step) {
            let story = tell(number);
            for at in order {
                assert_eq!(self.stripe(&story.events[*at]).await.status, 200);
                if number % 2 == 0 {
                    self.drain().await;
                }
            }
            found.push(story);
        }
        self.drain().await;
        let mut all = Vec::new();
        for story in found {
            all.push(self.subscription(story.id()).await);
        }
        all
    }

    /// The steps of a subscription: from, to and why.
    pub fn steps_of(&self, subscription: &Subscription) -> Vec<String> {
        self.texts(&format!(
            "SELECT t.from_status || ' → ' || t.to_status || ': ' || t.cause AS t FROM pay_subscription_transitions t \
             JOIN pay_subscriptions s ON s.id = t.subscription_id WHERE s.token = '{}' ORDER BY t.id",
            subscription.token
        ))
    }
}
