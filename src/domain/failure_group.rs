//! What failures have in common: the sentence on what became of an event, without what differs from one event to the
//! next.

/// The codes of failures; an event that an operator gave up has another.
const CODES: [&str; 4] = ["failed", "handler_failed", "handler_discarded", "malformed"];
/// The longest group, in characters.
const LONGEST: usize = 200;
/// How the sentence of a handler's failure begins and goes on.
const HANDLER: (&str, &str) = ("handler ", " failed: ");

/// The group of an event that ended with this code and sentence; `None` where it did not fail.
pub(crate) fn failure_group(code: &str, outcome: &str) -> Option<String> {
    if !CODES.contains(&code) {
        return None;
    }
    let cause = match outcome.strip_prefix("discarded") {
        Some(rest) => rest.split_once(": ").map_or(rest, |(_, cause)| cause),
        None => outcome,
    };
    let cause = cause.rsplit_once("; attempt ").map_or(cause, |(cause, _)| cause);
    let (fixed, varied) = match handler_of(cause) {
        Some(handler) => cause.split_at(HANDLER.0.len() + handler.len() + HANDLER.1.len()),
        None => ("", cause),
    };
    let words: Vec<String> = varied.split_whitespace().map(without_what_differs).collect();
    Some(format!("{fixed}{}", words.join(" ")).chars().take(LONGEST).collect())
}

/// The handler that failed, of a group or of the sentence that it is made of.
pub(crate) fn handler_of(cause: &str) -> Option<&str> {
    cause.strip_prefix(HANDLER.0)?.split_once(HANDLER.1).map(|(handler, _)| handler)
}

/// How all groups of a handler begin.
pub(crate) fn groups_of(handler: &str) -> String {
    format!("{}{handler}{}", HANDLER.0, HANDLER.1)
}

/// A word in which each number, and each part of letters and numbers as ids are, is an ellipsis.
fn without_what_differs(word: &str) -> String {
    let mut out = String::new();
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if part.chars().any(|c| c.is_ascii_digit()) {
            if !out.ends_with('…') {
                out.push('…');
            }
        } else {
            out.push_str(part);
        }
        let next = after.chars().next();
        out.extend(next);
        rest = next.map_or("", |c| &after[c.len_utf8()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(outcome: &str) -> String {
        failure_group("handler_failed", outcome).expect("a failure")
    }

    #[test]
    fn numbers_ids_and_attempts_do_not_tell_failures_apart() {
        let first = "handler send-receipt failed: SMTP time-out after 30 s for order ord_77 (a1f3); attempt 7 of 12";
        let last =
            "discarded after 12 attempts: handler send-receipt failed: SMTP time-out after 31 s for order ord_9 (b2)";
        assert_eq!(group(first), "handler send-receipt failed: SMTP time-out after … s for order … (…)");
        assert_eq!(group(first), group(last));
        assert_eq!(
            (handler_of(&group(last)), groups_of("send-receipt")),
            (Some("send-receipt"), "handler send-receipt failed: ".to_owned())
        );
    }

    #[test]
    fn another_handler_or_message_is_another_group() {
        assert_ne!(group("handler v2 failed: no route"), group("handler v3 failed: no route"));
        assert_ne!(group("handler a failed: no route"), group("handler a failed: refused"));
        assert_eq!(
            failure_group("malformed", "discarded: could not be read: expected an id, got 12").as_deref(),
            Some("could not be read: expected an id, got …")
        );
    }

    #[test]
    fn what_did_not_fail_is_in_no_group() {
        assert_eq!(failure_group("applied", "paid"), None);
        assert_eq!(failure_group("discarded", "discarded by admin"), None);
        assert!(group(&"é".repeat(5000)).chars().count() <= 200);
    }
}
