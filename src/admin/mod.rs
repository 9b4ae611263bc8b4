//! What do operators see and do over HTTP? Server-rendered pages behind the host's access policy.

mod access;

use std::rc::Rc;

use actix_web::{Scope, web};

pub use access::{Access, BasicAuth, Policy, basic_auth};

use crate::payments::Payments;

/// The admin pages.
pub(crate) fn scope(payments: Payments, policy: Rc<dyn Policy>) -> Scope {
    let _ = (payments, policy);
    web::scope("/admin")
}
