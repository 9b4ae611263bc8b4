//! The host that older databases belong to: its variants, its table and its handlers, on the day when much went wrong
//! and on the day after.

use std::future::{Future, pending};
use std::pin::Pin;

use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, AnyRef, Builder, Event, HandlerError, Transition, Unmatched, Variant};

use crate::scenes::{Notes, execute};

/// The signing secret of the variant `kiosk`, whose events wait for their payment however long.
pub const KIOSK: &str = "whsec_test_kiosk";
/// The signing secret of the variant `dummy`.
pub const DUMMY: &str = "a signing secret of the tests";

/// How the handlers fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// They fail as `trouble` says.
    Bad,
    /// They do their work.
    Good,
}

type Ending = Result<(), HandlerError>;

/// What a handler says on a bad day of the payment with this reference, or of an event of this kind; `None` when its
/// process ends before it can say anything.
fn trouble(handler: &str, about: &str) -> Option<Ending> {
    let retry = |why: &str| Some(Err(HandlerError::retry(why)));
    let discard = |why: &str| Some(Err(HandlerError::Discard(why.to_owned())));
    match (handler, about) {
        ("book", "unbooked") => retry("the books are closed"),
        ("mail", "torn" | "torn-again") => discard("no such address"),
        ("ship", "printing" | "torn" | "torn-again") => retry("no paper"),
        ("ship", "given-up" | "requeued" | "requeued-too") => discard("nobody drives there"),
        ("ship", "interrupted") => None,
        ("account", "payout.failed") => retry("the bank is closed"),
        _ => Some(Ok(())),
    }
}

/// Notes the run of a handler, and ends it as the day has it.
fn run(notes: &Notes, day: Day, handler: &str, about: &str) -> Pin<Box<dyn Future<Output = Ending>>> {
    notes.add(format!("{handler} {about}"));
    let ending = if day == Day::Bad { trouble(handler, about) } else { Some(Ok(())) };
    Box::pin(async move {
        match ending {
            Some(ending) => ending,
            None => pending().await,
        }
    })
}

fn on_step(
    notes: &Notes,
    day: Day,
    handler: &'static str,
) -> impl Fn(Transition) -> Pin<Box<dyn Future<Output = Ending>>> + Send + Sync + 'static {
    let notes = notes.clone();
    move |step: Transition| run(&notes, day, handler, step.payment.reference.as_deref().unwrap_or("nobody's"))
}

/// Writes every step into the host's own table.
fn book(conn: AnyRef<'_>, step: &Transition, day: Day) -> Ending {
    execute(conn, &format!("INSERT INTO shop_steps (token, word) VALUES ('{}', '{}')", step.payment.token, step.to))?;
    match step.payment.reference.as_deref().filter(|_| day == Day::Bad) {
        Some(reference) => trouble("book", reference).unwrap_or(Ok(())),
        None => Ok(()),
    }
}

/// The host's own table.
pub const TABLE: &str = "CREATE TABLE shop_steps (token TEXT NOT NULL, word TEXT NOT NULL)";

/// Adds the variants, `stripe` through this gateway, and the handlers, which note their runs.
pub fn host(builder: Builder<AnyConnection>, stripe: Stripe, notes: &Notes, day: Day) -> Builder<AnyConnection> {
    let noted = notes.clone();
    builder
        .variant("stripe", stripe)
        .variant("kiosk", Variant::new(Stripe::new(KIOSK)).unmatched(Unmatched::Park))
        .variant("dummy", Dummy::new(DUMMY))
        .handler_in_transaction("book", move |conn, step| book(conn, step, day))
        .handler("mail", on_step(notes, day, "mail"))
        .handler("ship", on_step(notes, day, "ship"))
        .on_event("payout.*", "account", move |event: Event| run(&noted, day, "account", &event.kind))
}
