//! What all pages of one mount share.

use std::rc::Rc;

use super::settings::Admin;
use crate::payments::Payments;

/// The sections of the navigation in their order: a name, and the path below `/admin`.
pub(super) type Sections = Rc<[(&'static str, &'static str)]>;

/// What every request of a mount's pages finds.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) payments: Payments,
    pub(super) admin: Rc<Admin>,
    pub(super) sections: Sections,
    /// Those of them that are open to whoever may see some variants only.
    pub(super) limited_sections: Sections,
    /// Whether the webhook endpoints are mounted beside these pages.
    pub(super) webhooks: bool,
}
