//! The lists of the admin pages.

mod counted;
mod events;
mod lists;
mod moments;
mod payments;
mod readable;
mod scoped;
mod subscription_streams;
mod subscriptions;
mod view;
mod words;

pub(crate) use counted::{COUNT_CAP, Counted};
pub(crate) use events::page as events_in;
pub(crate) use lists::{event_rows, payment_beside, payment_rows, payments_of_customer};
pub(crate) use payments::{of_payer as payments_of_payer, page as payments_in};
pub(crate) use readable::readable;
pub(crate) use scoped::{found_of, own_events, own_payments, own_subscriptions};
pub(crate) use subscriptions::newest as newest_subscriptions;
pub(crate) use subscriptions::{SubscriptionPage, SubscriptionView, counted as subscriptions_counted};
pub(crate) use view::{
    DEPTH, EventList, EventView, Order, Page, PaymentList, PaymentView, Place, ROWS, SEARCH_CAP, Unreadable, page_of,
    part_of,
};
pub(crate) use words::{by_amount, by_words};
