//! How does a person have a payment captured, canceled, refunded or asked about? The page says exactly what will be
//! asked of the gateway and what it means; what was confirmed is done once, however often the form is sent.

use actix_web::HttpResponse;

use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::list::Field;
use crate::admin::views::operation::{Operation, Step};
use crate::admin::views::parts::{Badge, Link};
use crate::admin::views::payment::Figure;
use crate::admin::views::words::grouped;
use crate::domain::fact::Fact;
use crate::domain::money::{Decimal, Money};
use crate::domain::note;
use crate::domain::operation::OperationState;
use crate::gateways::Verb;
use crate::engine::Payment;
use crate::engine::request::idempotency_key;
use crate::operations::{OperatorsOrder, Outcome};
use crate::reports::Permissions;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments/{token}/{verb}", |visit| Box::pin(show(visit))),
    Route::act("payments/{token}/{verb}", |visit| Box::pin(order(visit))),
];

const NO_PAYMENT: Failure = Failure::NotFound("There is no payment with this token.");

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (verb, frame) = (verb(&visit)?, visit.frame());
    if !visit.may_act() {
        return Err(Failure::Refused("Your access is read-only.".to_owned()));
    }
    let found = visit.engine().permissions(visit.part("token")).await?.ok_or(NO_PAYMENT)?;
    let most = allowed(&found, verb)?;
    let fields = Fields::of(&visit.req);
    let chosen = most.map(|most| (most, fields.get("amount").map(|text| amount(&text, most))));
    let (what, step) = match chosen {
        Some((most, None)) => (None, choose(&found, verb, &fields, most.decimal(), most, None)),
        Some((most, Some(Err(why)))) => {
            let given = fields.get("amount").unwrap_or_default();
            (None, choose(&found, verb, &fields, given, most, Some(why)))
        }
        Some((most, Some(Ok(amount)))) => (Some(amount), confirm(&found, verb, &fields, Some((amount, most)))?),
        None => (None, confirm(&found, verb, &fields, None)?),
    };
    let payment = &found.payment;
    let page = Operation {
        page: frame.page(&format!("{} a payment", title(verb)), "payments"),
        back: Link::new("The payment", visit.staying(&format!("payments/{}", payment.token))),
        question: question(verb, what, &found),
        badges: badges(payment),
        whose: [payment.reference.as_deref(), payment.customer.as_deref()].into_iter().flatten().map(str::to_owned).collect(),
        figures: Figure::all(payment, &found.verbs),
        warnings: warnings(&found, verb),
        action: address(&visit, payment, verb),
        within: fields.remembered(),
        step,
    };
    Ok(frame.render(&page))
}

/// Where the payment stands, with all that speaks for a second look before money moves.
fn badges(payment: &Payment) -> Vec<Badge> {
    let flags = [payment.needs_review().then(Badge::needs_review), payment.disputed.then(Badge::disputed)];
    [Some(payment.status.into())].into_iter().chain(flags).chain([Badge::mode(payment.livemode)]).flatten().collect()
}

/// What speaks against it: the customer's bank may take back the same money.
fn warnings(found: &Permissions, verb: Verb) -> Vec<String> {
    let sentence = |dispute: &Fact| {
        let money = dispute.amount.zip(dispute.currency);
        let of = money.map(|(minor, currency)| format!(" of {}", Money::new(minor, currency)));
        let of = of.unwrap_or_default();
        let id = &dispute.gateway_ref;
        format!("Dispute {id}{of} is open. If it is lost after a refund, the customer gets the money twice.")
    };
    found.disputes.iter().filter(|_| verb == Verb::Refund).map(sentence).collect()
}

/// Does what was confirmed, and leads back to the payment, whose timeline says what came of it.
async fn order(visit: Visit) -> Result<HttpResponse, Failure> {
    let verb = verb(&visit)?;
    let found = visit.engine().permissions(visit.part("token")).await?.ok_or(NO_PAYMENT)?;
    let why = "It was not confirmed, so nothing was done. Open the payment and try again.";
    let unconfirmed = || Failure::Refused(why.to_owned());
    let key = visit.form.get("key").filter(|key| is_key(key)).ok_or_else(unconfirmed)?;
    // Whether it may be done is asked again where it is done; here only what is meant.
    let amount = match (verb, visit.form.get("amount")) {
        (Verb::Refund | Verb::Capture, None) => return Err(unconfirmed()),
        (Verb::Refund | Verb::Capture, Some(text)) => Some(money(&text, found.payment.amount).map_err(Failure::Refused)?),
        _ => None,
    };
    let reason = visit.form.get("reason").filter(|reason| found.refund_reasons.contains(&reason.as_str()));
    let order = OperatorsOrder { verb, amount, reason, note: visit.form.get("note"), key, actor: visit.actor() };
    let done = match visit.engine().order(&found.payment.token, order).await {
        Ok(Outcome::Done) => verb.as_str(),
        Ok(Outcome::Underway) => OperationState::Underway.as_str(),
        Err(error) => return Err(visit.failed_at(&found.payment.variant, error)),
    };
    Ok(respond::see(&visit.staying(&format!("payments/{}?done={done}", found.payment.token))))
}

fn verb(visit: &Visit) -> Result<Verb, Failure> {
    Verb::parse(visit.part("verb")).ok_or(Failure::NotFound("There is nothing here."))
}

/// The most that can be asked for; a refusal where nothing can.
fn allowed(found: &Permissions, verb: Verb) -> Result<Option<Money>, Failure> {
    let ask = found.verbs.iter().find(|ask| ask.verb == verb).ok_or(NO_PAYMENT)?;
    ask.may.clone().map_err(Failure::Refused)
}

/// Where a verb is asked for.
pub(super) fn address(visit: &Visit, payment: &Payment, verb: Verb) -> String {
    visit.staying(&format!("payments/{}/{}", payment.token, verb.as_str()))
}

/// The verb as a button says it, and its icon.
pub(super) fn title(verb: Verb) -> &'static str {
    match verb {
        Verb::Capture => "Capture",
        Verb::Cancel => "Cancel",
        Verb::Refund => "Refund",
        Verb::Refresh => "Refresh",
        Verb::Complete => "Complete",
    }
}

pub(super) fn icon(verb: Verb) -> &'static str {
    match verb {
        Verb::Capture => "check",
        Verb::Cancel => "slash",
        Verb::Refund => "back",
        Verb::Refresh => "retry",
        Verb::Complete => "check",
    }
}

fn question(verb: Verb, amount: Option<Money>, found: &Permissions) -> String {
    match (verb, amount) {
        (Verb::Refund | Verb::Capture, Some(amount)) => {
            // A payment that was paid twice has several captures, and a refund is of one.
            let of = found.verbs.iter().find(|ask| ask.verb == verb).and_then(|ask| ask.of.as_ref());
            format!("{} {}{}?", title(verb), amount, of.map(|id| format!(" of {id}")).unwrap_or_default())
        }
        (Verb::Refund, None) => "Refund how much?".to_owned(),
        (Verb::Capture, None) => "Capture how much?".to_owned(),
        (Verb::Cancel, _) => format!("Cancel this payment of {}?", found.payment.amount),
        (Verb::Complete, _) => format!("Complete this payment of {}?", found.payment.amount),
        (Verb::Refresh, _) => format!("Ask {} how this payment stands?", found.gateway),
    }
}

fn choose(found: &Permissions, verb: Verb, fields: &Fields, given: String, most: Money, error: Option<String>) -> Step {
    let amount = Field {
        name: "amount".to_owned(),
        label: format!("Amount in {}, at most {}", most.currency, grouped(&most.decimal())),
        kind: "text",
        value: given,
        hint: most.decimal(),
        error,
        focused: true,
        ..Field::default()
    };
    let reasons: Vec<(&str, String)> = found.refund_reasons.iter().map(|word| (*word, spaced(word))).collect();
    let reason = (verb == Verb::Refund && !reasons.is_empty()).then(|| {
        let choices = reasons.iter().map(|(word, text)| (*word, text.as_str()));
        fields.select("reason", "Reason", "None given", choices)
    });
    Step::Choose { amount, reason }
}

fn confirm(found: &Permissions, verb: Verb, fields: &Fields, amount: Option<(Money, Money)>) -> Result<Step, Failure> {
    let mut sent = vec![("key", idempotency_key()?)];
    sent.extend(amount.map(|(amount, _)| ("amount", amount.decimal())));
    let reason = fields.get("reason").filter(|reason| found.refund_reasons.contains(&reason.as_str()));
    sent.extend(reason.filter(|_| verb == Verb::Refund).map(|reason| ("reason", reason)));
    let mut meaning = meaning(found, verb, amount);
    let reason = sent.iter().find(|(name, _)| *name == "reason");
    meaning.extend(reason.map(|(_, word)| format!("Reason: {}.", spaced(word))));
    let what = amount.map(|(amount, _)| format!(" {}", amount)).unwrap_or_default();
    let object = if amount.is_none() && matches!(verb, Verb::Cancel | Verb::Complete) { " the payment" } else { "" };
    let is_decision = verb == Verb::Refund && found.payment.awaits_decision();
    Ok(Step::Confirm {
        meaning,
        note: is_decision.then_some(note::LONGEST),
        fields: sent,
        button: format!("{}{what}{object}", title(verb)),
        icon: icon(verb),
    })
}

fn meaning(found: &Permissions, verb: Verb, amount: Option<(Money, Money)>) -> Vec<String> {
    let gateway = found.gateway;
    let rest = amount.map(|(amount, most)| Money::new(most.minor - amount.minor, most.currency));
    let rest = rest.filter(|rest| rest.minor > 0).map(|rest| rest.to_string());
    let what = amount.map(|(amount, _)| amount.to_string()).unwrap_or_default();
    let first = match verb {
        Verb::Refund => format!("{gateway} returns {what} to the customer. That can't be taken back."),
        Verb::Capture => format!("{gateway} takes {what} of what the customer authorized."),
        Verb::Cancel => format!("{gateway} closes the checkout, or releases what is authorized. That can't be taken back."),
        Verb::Complete => {
            format!("{gateway} takes, or authorizes, what the customer agreed to. Where nobody agreed, nothing changes.")
        }
        Verb::Refresh => format!("That changes nothing at {gateway}. What it answers is processed like every event."),
    };
    let second = match (verb, rest) {
        (Verb::Refund, Some(rest)) => Some(format!("{rest} of the payment remain and can be refunded later.")),
        (Verb::Refund, None) => Some("After that, nothing of the payment remains.".to_owned()),
        (Verb::Capture, Some(rest)) => Some(format!("The other {rest} are released and can't be captured later.")),
        (Verb::Refresh, _) => found.left_out.map(|what| format!("{gateway} is not asked for {what}.")),
        _ => None,
    };
    [Some(first), second].into_iter().flatten().collect()
}

/// The amount that an operator gave; else what is wrong with it.
fn amount(text: &str, most: Money) -> Result<Money, String> {
    let given = money(text, most)?;
    match given.minor {
        1.. if given.minor <= most.minor => Ok(given),
        1.. => Err(format!("expected at most {}, got {}", most, given)),
        _ => Err(format!("expected an amount above 0, got {}", given)),
    }
}

/// A decimal as money of the same currency as `like`.
fn money(text: &str, like: Money) -> Result<Money, String> {
    let wrong = || format!("expected an amount such as {}, got {text:?}", like.decimal());
    let decimal = Decimal::parse(text).map_err(|_| wrong())?;
    let (least, most) = (decimal.at_least(like.currency), decimal.at_most(like.currency));
    if least == most { Ok(Money::new(least, like.currency)) } else { Err(wrong()) }
}

/// Whether a page of ours gave this key out.
pub(super) fn is_key(key: &str) -> bool {
    key.strip_prefix("op_").is_some_and(|word| word.len() == 26 && word.bytes().all(|b| b.is_ascii_alphanumeric()))
}
