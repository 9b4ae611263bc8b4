//! Does every payment end as its company says, whatever is lost, repeated, shuffled and asked for twice? A small company
//! keeps books of its own, and at the end they are compared with ours. A file a company.

mod adyen;
mod lemon_squeezy;
mod mercado_pago;
mod paddle;
mod polar;
mod razorpay;
mod square;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use actix_payments::domain::payment::Status;
use actix_payments::gateways::{CaptureMethod, Gateway, Verb};
use actix_payments::{NewPayment, Next, Refund};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::{Company, events, post, variant};
use crate::app::{App, Kind, NOW};
use crate::scenes::money;
use crate::stripe::listener::{Heard, Listener, Say};

/// A company as its storm needs it. Its objects are named by the number of their payment.
pub trait Fake: Send + 'static {
    type Of: Company;
    const CURRENCY: &'static str;
    const HOLDS: Holds;

    /// The gateway with the API at this address.
    fn gateway(address: &str) -> <Self::Of as Company>::Gateway;

    /// The idempotency key of a request, where the company knows one.
    fn key(heard: &Heard, sent: &Value) -> Option<String>;

    /// Answers a request, or refuses it with a status.
    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16>;

    /// The bodies of the events about a change.
    fn events(books: &Books, at: usize, what: What) -> Vec<Value>;
}

/// Where money can be held to be captured later.
#[derive(PartialEq, Eq)]
pub enum Holds {
    Nowhere,
    InCheckout,
    /// In payments that the host's own code makes.
    Outside,
}

/// What changed of a payment.
#[derive(Clone, Copy)]
pub enum What {
    Paid,
    Held,
    Captured,
    Canceled,
    /// By the refund with this number.
    Refunded(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Open,
    Held,
    Captured,
    Canceled,
}

pub struct Entry {
    pub token: String,
    pub amount: i64,
    pub stage: Stage,
    pub is_manual: bool,
    pub refunds: Vec<Back>,
    /// How often it changed, and when it did last.
    pub version: i64,
    pub changed: String,
}

/// A refund; `mark` is what a request put on it, and `None` where somebody made it at the company itself.
pub struct Back {
    pub minor: i64,
    pub mark: Option<String>,
    pub made: String,
    pub made_at: i64,
}

impl Entry {
    pub fn captured(&self) -> i64 {
        if self.stage == Stage::Captured { self.amount } else { 0 }
    }

    pub fn refunded(&self) -> i64 {
        self.refunds.iter().map(|back| back.minor).sum()
    }
}

/// An event that the company sends.
struct Sent {
    at: usize,
    id: String,
    body: Value,
    is_taken: bool,
}

/// A company's own money, and what it sends about it.
#[derive(Default)]
pub struct Books {
    pub entries: Vec<Entry>,
    pub now: i64,
    keys: BTreeMap<String, Result<Value, u16>>,
    changes: Vec<(usize, What)>,
    sent: Vec<Sent>,
    dice: Dice,
    is_calm: bool,
}

impl Books {
    pub fn time(&self) -> String {
        OffsetDateTime::from_unix_timestamp(self.now).unwrap().format(&Rfc3339).unwrap()
    }

    /// The entry with this number in a path or an id, counted from 1.
    pub fn number(&self, text: &str) -> Result<usize, u16> {
        let digits = text.trim_matches(|char: char| !char.is_ascii_digit());
        let digits = digits.split(|char: char| !char.is_ascii_digit()).next().unwrap_or_default();
        digits.parse::<usize>().ok().filter(|at| (1..=self.entries.len()).contains(at)).map(|at| at - 1).ok_or(404)
    }

    pub fn open(&mut self, token: &str, amount: i64, is_manual: bool) -> usize {
        let changed = self.time();
        let (stage, refunds, version, token) = (Stage::Open, Vec::new(), 1, token.to_owned());
        self.entries.push(Entry { token, amount, stage, is_manual, refunds, version, changed });
        self.entries.len() - 1
    }

    fn change(&mut self, at: usize, what: What) {
        let changed = self.time();
        self.entries[at].version += 1;
        self.entries[at].changed = changed;
        self.changes.push((at, what));
    }

    pub fn pay(&mut self, at: usize) -> Result<(), u16> {
        let (stage, what) =
            if self.entries[at].is_manual { (Stage::Held, What::Held) } else { (Stage::Captured, What::Paid) };
        self.turn(at, &[Stage::Open], stage, what)
    }

    pub fn capture(&mut self, at: usize) -> Result<(), u16> {
        self.turn(at, &[Stage::Held], Stage::Captured, What::Captured)
    }

    pub fn cancel(&mut self, at: usize, from: &[Stage]) -> Result<(), u16> {
        self.turn(at, from, Stage::Canceled, What::Canceled)
    }

    fn turn(&mut self, at: usize, from: &[Stage], to: Stage, what: What) -> Result<(), u16> {
        if !from.contains(&self.entries[at].stage) {
            return Err(400);
        }
        self.entries[at].stage = to;
        self.change(at, what);
        Ok(())
    }

    /// Gives this much back, or all that is left; answers the refund's number.
    pub fn refund(&mut self, at: usize, minor: Option<i64>, mark: Option<String>) -> Result<usize, u16> {
        let left = self.entries[at].captured() - self.entries[at].refunded();
        let minor = minor.unwrap_or(left);
        if minor <= 0 || minor > left {
            return Err(400);
        }
        let (made, made_at) = (self.time(), self.now);
        self.entries[at].refunds.push(Back { minor, mark, made, made_at });
        let number = self.entries[at].refunds.len() - 1;
        self.change(at, What::Refunded(number));
        Ok(number)
    }

    /// The events so far, oldest first.
    pub fn reported(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.sent.iter().map(|sent| &sent.body)
    }

    /// Sends the events about what changed.
    fn tell<F: Fake>(&mut self) {
        for (at, what) in std::mem::take(&mut self.changes) {
            for body in F::events(self, at, what) {
                self.sent.push(Sent { at, id: format!("evt_{}", self.sent.len()), body, is_taken: false });
            }
        }
    }

    fn serve<F: Fake>(&mut self, heard: &Heard) -> Say {
        self.now += 1;
        let fault = if self.is_calm { 9 } else { self.dice.below(6) };
        if fault == 0 {
            return Say::Nothing;
        }
        let date = OffsetDateTime::from_unix_timestamp(self.now).unwrap().format(&Rfc2822).unwrap();
        let date = vec![("date", date.replace("+0000", "GMT"))];
        if fault == 1 {
            return Say::Answer(500, date, "{}".to_owned());
        }
        let sent: Value = serde_json::from_str(&heard.body).unwrap_or_default();
        let key = F::key(heard, &sent);
        let kept = key.as_ref().and_then(|key| self.keys.get(key).cloned());
        let answer = kept.unwrap_or_else(|| F::answer(self, heard, &sent));
        if let Some(key) = key {
            self.keys.insert(key, answer.clone());
        }
        self.tell::<F>();
        match answer {
            _ if fault == 2 => Say::Nothing,
            Ok(body) => Say::Answer(200, date, body.to_string()),
            Err(status) => Say::Answer(status, date, "{}".to_owned()),
        }
    }
}

/// A fixture's event, to be changed.
pub fn fixture<C: Company>(name: &str) -> Value {
    serde_json::from_str(&events::<C>()[name]).unwrap()
}

/// The parts of a path.
pub fn parts(heard: &Heard) -> Vec<&str> {
    heard.path.split('?').next().unwrap().split('/').filter(|part| !part.is_empty()).collect()
}

/// Numbers that look random and are the same for the same seed.
#[derive(Default, Clone)]
struct Dice(u64);

impl Dice {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % count
    }
}

/// How much is done in a storm.
const STEPS: usize = 60;

struct Storm<F: Fake> {
    app: App,
    books: Arc<Mutex<Books>>,
    dice: Dice,
    tokens: Vec<String>,
    _company: std::marker::PhantomData<F>,
}

/// A storm on each of a few seeds.
pub async fn storms<F: Fake>(kind: Kind) {
    let (mut moved, mut back) = (0, 0);
    for seed in 1..=(if kind == Kind::Sqlite { 3 } else { 2 }) {
        let of_storm = storm::<F>(kind, seed).await;
        moved += of_storm.0;
        back += of_storm.1;
    }
    assert!(moved > 0 && back > 0, "{} moved {moved} and {back} back", F::Of::NAME);
}

/// Answers what moved and what of it went back.
async fn storm<F: Fake>(kind: Kind, seed: u64) -> (i64, i64) {
    let books = Books { now: NOW, dice: Dice::of(seed + 1000), ..Books::default() };
    let books = Arc::new(Mutex::new(books));
    let serving = books.clone();
    let listener = Listener::answering(move |heard| serving.lock().unwrap().serve::<F>(heard));
    let name = variant::<F::Of>(0);
    let app = App::bare(kind, |builder| builder.variant(name, F::gateway(&listener.address))).await;
    let _ = app.payments.mount("/payments");
    let (dice, tokens) = (Dice::of(seed), Vec::new());
    let mut storm = Storm::<F> { app, books, dice, tokens, _company: std::marker::PhantomData };
    for step in 0..STEPS {
        storm.act().await;
        storm.deliver(3).await;
        if step % 4 == 0 {
            storm.app.pass(1);
            storm.app.drain().await;
        }
    }
    storm.calm_down().await;
    storm.ends_alike(&format!("{} with seed {seed}", F::Of::NAME)).await
}

impl<F: Fake> Storm<F> {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Somebody does something: the host, the customer, or who sits at the company's own dashboard.
    async fn act(&mut self) {
        let picked = self.dice.below(self.tokens.len().max(1));
        let (act, minor) = (self.dice.below(18), 100 + 100 * i64::try_from(self.dice.below(30)).unwrap());
        if act < 4 || self.tokens.is_empty() {
            return self.create(minor + 2000).await;
        }
        let token = self.tokens[picked].clone();
        let payments = &self.app.payments;
        // What is refused is refused; what comes of the rest, the books say at the end.
        let _ = match act {
            4..=7 => return self.at_the_company(&token, Books::pay),
            8 => return self.at_the_company(&token, |books, at| books.refund(at, Some(minor), None).map(drop)),
            9 => payments.capture(&token.as_str().into(), None).await,
            10 => payments.cancel(&token.as_str().into()).await,
            11..=14 => {
                payments
                    .refund(&token.as_str().into(), Refund::part(money(minor, F::CURRENCY)).key(format!("{minor}")))
                    .await
            }
            15 | 16 => payments.refund(&token.as_str().into(), Refund::all()).await,
            _ => payments.refresh(&token.as_str().into()).await,
        };
    }

    async fn create(&mut self, minor: i64) {
        let is_manual = F::HOLDS != Holds::Nowhere && self.dice.below(2) == 0;
        let order = NewPayment::new(variant::<F::Of>(0), money(minor, F::CURRENCY));
        let order = order.return_url("https://shop.example/thanks");
        if is_manual && F::HOLDS == Holds::Outside {
            let token = self.app.payments.create(order.without_checkout()).await.unwrap().payment.token;
            self.books().open(&token, minor, true);
            return self.tokens.push(token.to_string());
        }
        let order = if is_manual { order.capture(CaptureMethod::Manual) } else { order };
        // Where the company did not answer, no customer is led to it.
        if let Ok(created) = self.app.payments.create(order).await {
            assert!(matches!(created.next, Next::Redirect(_)), "{:?}", created.next);
            self.tokens.push(created.payment.token.to_string());
        }
    }

    fn at_the_company(&self, token: &str, change: impl Fn(&mut Books, usize) -> Result<(), u16>) {
        let mut books = self.books();
        books.now += 1;
        // A checkout whose answer was lost is one of two with a token.
        if let Some(at) = books.entries.iter().rposition(|entry| entry.token == token) {
            let _ = change(&mut books, at);
            books.tell::<F>();
        }
    }

    /// Delivers some of what was sent, in any order: now and then twice, and some of it gets lost.
    async fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let all = self.books().sent.len();
            if all > 0 {
                let (at, luck) = (self.dice.below(all), self.dice.below(8));
                if luck > 0 {
                    self.post(at).await;
                }
                if luck == 1 {
                    self.post(at).await;
                }
            }
        }
    }

    async fn post(&self, at: usize) {
        let (id, body) = {
            let mut books = self.books();
            books.sent[at].is_taken = true;
            (books.sent[at].id.clone(), books.sent[at].body.to_string())
        };
        post::<F::Of>(&self.app, &variant::<F::Of>(0), &id, &body).await;
    }

    /// All answers come again. What no event has told is asked for, and the company sends again what it can't be asked for.
    async fn calm_down(&mut self) {
        self.books().is_calm = true;
        let name = variant::<F::Of>(0);
        let gateway = F::gateway("http://127.0.0.1:1");
        let (lists, can_be_asked) =
            (gateway.supports_list().is_ok(), Gateway::supports(&gateway, Verb::Refresh).is_ok());
        if lists {
            self.app.payments.reconcile(&name).await.unwrap();
            self.app.drain().await;
        }
        for token in self.tokens.clone() {
            if self.app.payments.refresh(&token.as_str().into()).await.is_err() {
                self.send_again(&token).await;
            }
        }
        // Whatever has no known end is tried until it has one, or given up after a day.
        for _ in 0..24 {
            self.app.pass(3600);
            self.app.drain().await;
            if !can_be_asked {
                for token in self.tokens.clone() {
                    self.send_again(&token).await;
                }
            }
        }
        for token in self.tokens.clone() {
            let _ = self.app.payments.refresh(&token.as_str().into()).await;
        }
        self.app.drain().await;
    }

    async fn send_again(&self, token: &str) {
        let of_it: Vec<usize> = {
            let books = self.books();
            let is_open = |sent: &Sent| !sent.is_taken && books.entries[sent.at].token == token;
            (0..books.sent.len()).filter(|at| is_open(&books.sent[*at])).collect()
        };
        for at in of_it.into_iter().rev() {
            self.post(at).await;
        }
        self.app.drain().await;
    }

    /// Asserts that all stands here as in the company's books, and that no money went twice.
    async fn ends_alike(&self, storm: &str) -> (i64, i64) {
        let underway = "SELECT count(*) FROM pay_operations WHERE state = 'underway'";
        assert_eq!(self.app.number(underway), 0, "{storm}");
        let known: BTreeSet<_> = self.tokens.iter().collect();
        let (mut moved, mut back) = (0, 0);
        for token in known {
            let payment = self.app.payments.payment(&token.into()).await.unwrap().unwrap();
            let (captured, refunded, stages, asked) = {
                let books = self.books();
                let of_it: Vec<_> = books.entries.iter().filter(|entry| entry.token == *token).collect();
                let asked: Vec<i64> = of_it
                    .iter()
                    .flat_map(|of| &of.refunds)
                    .filter(|back| back.mark.is_some())
                    .map(|back| back.minor)
                    .collect();
                let sum = |of: fn(&Entry) -> i64| of_it.iter().map(|entry| of(entry)).sum::<i64>();
                (sum(Entry::captured), sum(Entry::refunded), of_it.iter().map(|of| of.stage).collect::<Vec<_>>(), asked)
            };
            let stands = (payment.captured.minor, payment.refunded.minor);
            assert_eq!(stands, (captured, refunded), "{storm}: {token} is {stages:?}: {payment:?}");
            assert_eq!(payment.status.was_paid(), captured > 0, "{storm}: {payment:?}");
            let is_held = payment.status == Status::Authorized;
            assert_eq!(is_held, stages.contains(&Stage::Held), "{storm}: {token} is {stages:?}: {payment:?}");
            let page = self.app.get(&format!("/payments/admin/payments/{token}")).await.text();
            assert!(page.contains(&payment.status.as_str().replace('_', " ")), "{storm}: {page}");
            assert!(refunded == 0 || page.contains(&money(refunded, F::CURRENCY).to_string()), "{storm}: {page}");
            assert_eq!(payment.concerns, Vec::<String>::new(), "{storm}: {token}");
            assert!(self.app.payments.rebuild(&token.into()).await.unwrap().same, "{storm}: {token}");
            self.each_was_asked_for_once(token, asked, storm);
            moved += captured;
            back += refunded;
        }
        (moved, back)
    }

    /// Asserts that the refunds that the company made for us are those that operations asked for, each once.
    fn each_was_asked_for_once(&self, token: &str, mut made: Vec<i64>, storm: &str) {
        let of = |state: &str| {
            let sql = format!(
                "SELECT CAST(o.amount AS TEXT) AS t FROM pay_operations o JOIN pay_payments p ON p.id = o.payment_id \
                 WHERE o.verb = 'refund' AND o.state = '{state}' AND p.token = '{token}'"
            );
            self.app.texts(&sql).into_iter().map(|minor| minor.parse::<i64>().unwrap()).collect::<Vec<_>>()
        };
        for minor in of("done") {
            let at = made.iter().position(|made| *made == minor);
            made.remove(at.unwrap_or_else(|| panic!("{storm}: {token} has no refund of {minor}: {made:?}")));
        }
        let mut given_up = of("unknown");
        for minor in made {
            let at = given_up.iter().position(|given_up| *given_up == minor);
            given_up.remove(at.unwrap_or_else(|| panic!("{storm}: {token} has a second refund of {minor}")));
        }
    }
}

/// An amount of money as text, which some companies write it as.
pub fn text(minor: i64) -> Value {
    json!(minor.to_string())
}
