//! The lists of the admin pages.

mod events;
mod lists;
mod moments;
mod payments;
mod readable;
mod subscriptions;
mod view;
mod words;

pub(crate) use events::page as events_in;
pub(crate) use lists::{event_rows, payment_rows, payments_of_customer};
pub(crate) use payments::{of_payer as payments_of_payer, page as payments_in};
pub(crate) use readable::readable;
pub(crate) use subscriptions::{SubscriptionPage, SubscriptionView};
pub(crate) use view::{
    COUNT_CAP, DEPTH, EventList, EventView, Order, Page, PaymentList, PaymentView, Place, ROWS, SEARCH_CAP, Unreadable,
    page_of,
};
pub(crate) use words::{by_amount, by_words};
