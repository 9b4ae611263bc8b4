//! Describes values of JSON in errors, which are stored and logged: a value may be the customer's personal data.

/// The type of a value.
pub(super) fn describe(raw: Option<&str>) -> &'static str {
    match raw.and_then(|raw| raw.bytes().next()) {
        None => "nothing",
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(b'0'..=b'9' | b'-') => "a number",
        Some(_) => "something that is not JSON",
    }
}

/// The same for a field that should have an amount. What looks like one is shown: it says what is wrong, and is
/// nobody's personal data.
pub(super) fn as_amount(raw: Option<&str>) -> String {
    let is_amount = |raw: &&str| {
        let inner = raw.trim_matches('"');
        let digits = inner.trim_end_matches(|c: char| c == ' ' || c.is_ascii_uppercase());
        let is_code = inner.len() - digits.len() <= 4;
        (1..=20).contains(&digits.len()) && is_code && digits.bytes().all(|b| b.is_ascii_digit() || b".,-".contains(&b))
    };
    match raw.filter(is_amount) {
        Some(text) if text.starts_with('"') => format!("the text {text}"),
        Some(number) => format!("the number {number}"),
        None => describe(raw).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::as_amount;

    #[test]
    fn only_what_looks_like_an_amount_is_shown() {
        let shown =
            [r#""49.99""#, r#""49,99 EUR""#, "49.99", r#""mia@shop.example""#, r#""MIA""#, "{}", r#""+49 30 1""#];
        let described: Vec<String> = shown.iter().map(|raw| as_amount(Some(raw))).collect();
        let expected =
            ["the text \"49.99\"", "the text \"49,99 EUR\"", "the number 49.99", "text", "text", "an object", "text"];
        assert_eq!(described, expected);
        assert_eq!(as_amount(None), "nothing");
    }
}
