//! stub

#[allow(dead_code)]
pub(crate) mod page;
