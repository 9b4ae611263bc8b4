//! Which Stripe events do tests send? The fixtures with a few values changed, so that they stay realistic.

use serde_json::Value;

/// A fixture of `tests/fixtures/events/stripe`.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/events/stripe/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// A fixture with values at JSON pointers replaced, for example `("/data/object/amount", 5.into())`.
pub fn changed(name: &str, changes: &[(&str, Value)]) -> String {
    let mut event = fixture(name);
    for (pointer, value) in changes {
        *event.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = value.clone();
    }
    event.to_string()
}

/// A `checkout.session.*` fixture for the payment with this token.
pub fn checkout(name: &str, token: &str) -> String {
    changed(name, &[("/data/object/client_reference_id", token.into())])
}
