//! Lists of objects as Stripe gives them: newest first, of a span, from the one after `starting_after`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A page of these objects.
pub fn page(objects: impl Iterator<Item = Value>, form: &BTreeMap<String, String>) -> Value {
    let bound = |name: &str| form[name].parse::<i64>().unwrap();
    let span = bound("created[gte]")..=bound("created[lte]");
    let number = |id: &Value| id.as_str().unwrap().rsplit('_').next().unwrap().parse::<u64>().unwrap();
    let mut rest: Vec<Value> = objects.filter(|it| span.contains(&it["created"].as_i64().unwrap())).collect();
    rest.sort_by_key(|it| std::cmp::Reverse((it["created"].as_i64(), number(&it["id"]))));
    if let Some(after) = form.get("starting_after") {
        let at = rest.iter().position(|it| it["id"] == **after).expect("an object of the list");
        rest.drain(..=at);
    }
    // Fewer than are asked for, so that lists have several pages.
    let limit = form["limit"].parse::<usize>().unwrap() / 10;
    let more = rest.len() > limit;
    rest.truncate(limit);
    json!({"object": "list", "data": rest, "has_more": more})
}
