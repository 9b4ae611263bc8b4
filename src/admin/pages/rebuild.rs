//! Is a payment what its events say, and how is it made so? The difference is shown before it is applied.

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::compare::{Cell, Compare, Row};
use crate::admin::views::parts::{Act, Amount, Badge, Link};
use crate::admin::views::rebuild::{Rebuild, RegisterRow, RegisterSide};
use crate::domain::fact::Fact;
use crate::domain::money::Money;
use crate::domain::payment::{PaymentState, register_words};
use crate::reports::Rebuilt;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments/{token}/rebuild", |visit| Box::pin(show(visit))),
    Route::act("payments/{token}/rebuild", |visit| Box::pin(order(visit))),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let found = visit.payments.rebuild(&visit.part("token").into()).await?;
    let Rebuilt { stored, rebuilt, same, .. } = &found;
    let name = stored.reference.as_deref().unwrap_or(&stored.token);
    let (tone, icon, answer) = match (same, &found.refusal) {
        (_, Some(why)) => ("warn", "alert", format!("It can't be rebuilt: {why}.")),
        (true, None) => ("good", "check", "What is stored is what its events say.".to_owned()),
        (false, None) if found.only_fees => {
            let why = "The money is right. Only fees differ in the books, which an older release did not read, or put \
                       on another day; a rebuild puts them right.";
            ("warn", "alert", why.to_owned())
        }
        (false, None) => ("warn", "alert", "What is stored is not what its events say.".to_owned()),
    };
    let before = PaymentState {
        status: stored.status,
        amount: stored.amount,
        captured: stored.captured.minor,
        refunded: stored.refunded.minor,
        lost: stored.lost.minor,
        disputed: stored.disputed,
        concerns: stored.concerns.clone(),
    };
    let page = Rebuild {
        page: frame.page(&format!("Rebuild {name}"), "payments"),
        back: Link::new("The payment", visit.staying(&format!("payments/{}", stored.token))),
        name: name.to_owned(),
        tone,
        icon,
        answer,
        compare: Compare {
            caption: "The payment as it is stored and as its events make it",
            sides: ["Stored", "From its events"],
            rows: states(&before, rebuilt),
        },
        registers: found.registers.iter().filter_map(|sides| register(&frame, sides)).collect(),
        acts: if visit.may_act() { vec![act(&frame, &found)] } else { Vec::new() },
    };
    Ok(frame.render(&page))
}

async fn order(visit: Visit) -> Result<HttpResponse, Failure> {
    let event = visit.engine().order_rebuild(visit.part("token"), visit.actor()).await?;
    Ok(respond::see(&visit.frame().href(&format!("events/{event}?done=rebuild"))))
}

fn act(frame: &Frame, found: &Rebuilt) -> Act {
    let same = found.same.then(|| "Nothing differs.".to_owned());
    Act {
        label: "Rebuild".to_owned(),
        icon: "retry",
        action: frame.href(&format!("payments/{}/rebuild", found.stored.token)),
        fields: Vec::new(),
        why_not: found.refusal.as_ref().map(|why| format!("Not possible: {why}.")).or(same),
    }
}

/// Two states of a payment, row by row.
pub(super) fn states(one: &PaymentState, other: &PaymentState) -> Vec<Row> {
    let both = [one, other];
    let row = |label: &'static str, differs, sides| Row { label: label.into(), sides, differs };
    let money = |of: fn(&PaymentState) -> i64| {
        both.map(|state| Cell::Amount(Amount::new(Money::new(of(state), state.amount.currency))))
    };
    let no = || Cell::Text("no".to_owned());
    let review = |state: &PaymentState| if state.needs_review() { Cell::Text(state.concerns.join("; ")) } else { no() };
    let disputed = |state: &PaymentState| if state.disputed { Cell::Badge(Badge::disputed()) } else { no() };
    vec![
        row("Status", one.status != other.status, both.map(|state| Cell::Badge(state.status.into()))),
        row("Total", one.amount != other.amount, money(|state| state.amount.minor)),
        row("Captured", one.captured != other.captured, money(|state| state.captured)),
        row("Refunded", one.refunded != other.refunded, money(|state| state.refunded)),
        row("Lost to disputes", one.lost != other.lost, money(|state| state.lost)),
        row("Remaining", one.remaining() != other.remaining(), money(PaymentState::remaining)),
        row("Disputed", one.disputed != other.disputed, both.map(disputed)),
        row("Needs review", one.concerns != other.concerns, both.map(review)),
    ]
}

fn register(frame: &Frame, sides: &(Option<Fact>, Option<Fact>)) -> Option<RegisterRow> {
    let (stored, rebuilt) = sides;
    let one = stored.as_ref().or(rebuilt.as_ref())?;
    let what = match (stored, rebuilt) {
        (None, _) => Badge::new("missing", "bad", "plus"),
        (_, None) => Badge::new("extra", "warn", "minus"),
        _ => Badge::new("different", "warn", "to"),
    };
    let side = |fact: &Fact| RegisterSide {
        state: fact.into(),
        amount: Amount::of(fact),
        event: Link::new(&fact.event_id, frame.found("events", &fact.event_id)),
    };
    let (aspect, object) = register_words(one);
    Some(RegisterRow {
        aspect,
        object: object.map(str::to_owned),
        what,
        sides: [stored.as_ref().map(side), rebuilt.as_ref().map(side)],
    })
}
