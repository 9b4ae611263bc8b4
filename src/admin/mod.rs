//! What do operators see of payments and events? So far the views: what a page says, as final strings. Asking
//! the store, and deciding who may look, come in beside them.

pub(crate) mod views;

#[cfg(test)]
mod preview;
