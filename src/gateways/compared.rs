//! What two bodies of one event are compared by, where a gateway changes the rest from one delivery to the next.

use std::borrow::Cow;

use super::json::Object;

/// These members of the object that a body is, without the white space between words: what two bodies are compared by.
/// All of a body that is no object.
pub(super) fn members<'a>(body: &'a [u8], names: &[&str]) -> Cow<'a, [u8]> {
    let read = || {
        let object = Object::read(std::str::from_utf8(body).ok()?, "a body").ok()?;
        Some(
            names
                .iter()
                .flat_map(|name| [b"\n".to_vec(), compact(object.raw(name).unwrap_or_default())])
                .collect::<Vec<_>>(),
        )
    };
    read().map_or(Cow::Borrowed(body), |members| Cow::Owned(members.concat()))
}

/// JSON without the white space between words.
fn compact(text: &str) -> Vec<u8> {
    let (mut is_text, mut is_escaped) = (false, false);
    let is_kept = |byte: &u8| {
        let kept = is_text || !byte.is_ascii_whitespace();
        (is_text, is_escaped) = match byte {
            b'"' if !is_escaped => (!is_text, false),
            b'\\' if is_text => (true, !is_escaped),
            _ => (is_text, false),
        };
        kept
    };
    text.bytes().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_other_members_are_no_difference() {
        let one = br#"{"data": {"a": "x \" y\\", "b": [1,  2]}, "pending": 2}"#;
        let other = b"{\"pending\":0,\n  \"data\":{\"a\":\"x \\\" y\\\\\",\"b\":[1,2]}}";
        assert_eq!(members(one, &["data"]), members(other, &["data"]));
        let text = br#"{"data": {"a": "x  \" y\\", "b": [1, 2]}}"#;
        assert_ne!(members(one, &["data"]), members(text, &["data"]), "within a text it counts");
        assert_eq!(members(b"no object", &["data"]), Cow::Borrowed(b"no object"));
    }
}
