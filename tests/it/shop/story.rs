//! What does Stripe tell of one order? The fixtures of one checkout, with that order's own ids.

use crate::events::fixture;

/// The ids that the fixtures of one checkout share, without what comes before the underscore.
const SHARED: [(&str, &str); 3] = [
    ("cs_test", "4dsTKfxw5o2Z3N2LamQEPMcvylc5EvxRUMdxV9LXV6mWxE56WWCZz1Q8ON"),
    ("pi", "3kNxQ46LHsTkP6q921vWNUTz"),
    ("ch", "3DY6gWGm0jbrDO67VSJZyX9G"),
];

/// An event as Stripe would send it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) body: String,
}

/// The event of a fixture, about the payment with this token.
pub(super) fn told(name: &str, token: &str) -> Told {
    let mut event = fixture(name);
    let id = format!("{}_{token}", event["id"].as_str().unwrap());
    event["id"] = id.clone().into();
    if let Some(reference) = event.pointer_mut("/data/object/client_reference_id") {
        *reference = token.into();
    }
    let mut body = event.to_string();
    for (object, shared) in SHARED {
        body = body.replace(&format!("{object}_{shared}"), &format!("{object}_{token}"));
    }
    Told { id, body }
}

/// The event that pays.
pub(super) fn completed(token: &str) -> Told {
    told("checkout.session.completed", token)
}
