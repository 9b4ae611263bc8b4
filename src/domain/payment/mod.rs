//! What follows from a payment's terms and its ledger: its status, how much of it moved, and what a person should
//! review. A pure function; nothing else decides a status.
//!
//! ```
//! use actix_payments::domain::Timestamp;
//! use actix_payments::domain::fact::{Aspect, Fact, State};
//! use actix_payments::domain::ledger::Ledger;
//! use actix_payments::domain::money::Currency;
//! use actix_payments::domain::payment::{MovementKind, Status, Terms, captures, derive, movements};
//!
//! let fact = |aspect, id, minor| {
//!     Fact::new(aspect, id, State::Succeeded, Timestamp::UNIX_EPOCH, "evt_1").with_amount(minor, Currency::EUR)
//! };
//! let refund = fact(Aspect::Refund, "re_1", 10_00).with_parent(Some("ch_1"));
//! let ledger = Ledger::from_facts([fact(Aspect::Capture, "ch_1", 49_99), refund]);
//!
//! let state = derive(Terms::Adopted, &ledger);
//! assert_eq!((state.status, state.remaining()), (Status::PartiallyRefunded, 39_99));
//! assert_eq!(captures(&ledger, Currency::EUR)[0].remaining, 39_99);
//! let moved: Vec<_> = movements(&ledger, Currency::EUR).iter().map(|it| (it.kind, it.amount)).collect();
//! assert_eq!(moved, [(MovementKind::Capture, 49_99), (MovementKind::Refund, -10_00)]);
//! ```

mod captures;
mod case;
mod concern;
pub(super) mod concerns;
mod disputes;
mod families;
mod invoices;
mod movements;
mod refunds;
mod reviews;
pub(super) mod rules;
mod state;

pub(crate) use captures::capture_of;
pub use captures::{Captured, captures};
pub(crate) use concerns::register_words;
pub(crate) use invoices::{invoiced, is_invoiced};
pub use movements::{Movement, MovementKind, movements};
pub(crate) use reviews::{accepted, dismissed};
pub use rules::derive;
pub(crate) use rules::open_concerns;
pub use state::{PaymentState, Status, Terms};
