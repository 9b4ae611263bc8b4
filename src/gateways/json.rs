//! A lenient scanner for JSON objects. It finds the members of one object and leaves their values unparsed, so that an
//! odd value in an unused field does no harm.
//!
//! A strict parser would refuse genuine events: they may contain an escaped lone surrogate, the same key twice, a
//! number beyond any integer, or nesting deeper than serde_json's 128 levels. Such an event would be lost, since the
//! gateway would send the very same bytes again. The scanner works in one pass and without recursion.

use std::borrow::Cow;

use super::described::{as_amount, describe};
use crate::domain::event::{Malformed, storable};
use crate::domain::{Timestamp, from_unix_seconds, parse_rfc3339};

/// One member of an object: its key and its value, both as raw JSON text.
pub(super) type Member<'a> = (&'a str, &'a str);

/// The members of one object, in order. The object's own grammar is checked; within a member's value only strings and
/// brackets are.
pub(super) struct Members<'a> {
    text: &'a str,
    at: usize,
    started: bool,
}

/// The error for a text that is not one JSON object: what was expected at which byte.
#[derive(Debug)]
pub(super) struct SyntaxError {
    expected: &'static str,
    at: usize,
}

impl<'a> Members<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, started: false }
    }

    /// The next member; `None` at the end of the object, if only white space follows it.
    pub(super) fn next(&mut self) -> Result<Option<Member<'a>>, SyntaxError> {
        let first = !self.started;
        if first {
            self.expect(b'{', "an object")?;
            self.started = true;
        }
        match self.peek() {
            Some(b'}') => return self.end(),
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return Err(self.error("a comma or the object's end")),
        }
        if self.peek() != Some(b'"') {
            return Err(self.error("a key"));
        }
        let key = self.value()?;
        self.expect(b':', "a colon")?;
        Ok(Some((key, self.value()?)))
    }

    fn end(&mut self) -> Result<Option<Member<'a>>, SyntaxError> {
        self.at += 1;
        match self.peek() {
            None => {
                // Step back, so that a further call gives the end again.
                self.at -= 1;
                Ok(None)
            }
            Some(_) => Err(self.error("nothing after the object")),
        }
    }

    /// Skips white space and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let blanks = self.bytes().iter().take_while(|b| b" \t\r\n".contains(b)).count();
        self.at += blanks;
        self.bytes().first().copied()
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.error(expected)),
        }
    }

    fn value(&mut self) -> Result<&'a str, SyntaxError> {
        let length = match self.peek() {
            Some(b'"') => string_length(self.bytes()),
            Some(b'{' | b'[') => nested_length(self.bytes()),
            _ => scalar_length(self.bytes()),
        };
        // Every value ends next to an ASCII byte or at the end of the text, so this never splits a character.
        let value = length.and_then(|length| self.text.get(self.at..self.at + length));
        let value = value.ok_or_else(|| self.error("a whole value"))?;
        self.at += value.len();
        Ok(value)
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { expected, at: self.at }
    }
}

/// The elements of a JSON list, each as raw JSON text; `None` if `text` is not a complete list.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    let (mut scan, mut found) = (Members::of(text), Vec::new());
    scan.expect(b'[', "a list").ok()?;
    loop {
        match scan.peek()? {
            b']' => return Some(found),
            b',' if !found.is_empty() => scan.at += 1,
            _ if found.is_empty() => {}
            _ => return None,
        }
        found.push(scan.value().ok()?);
    }
}

/// The length of the string at the start of `bytes`, including its quotes.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The length of the object or list at the start of `bytes`. Brackets of both kinds are only counted, which takes no
/// stack; whether they match is checked by whoever reads the value.
fn nested_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += string_length(&bytes[at..])?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// The length of the number or keyword at the start of `bytes`.
fn scalar_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().take_while(|b| !b",}]{[:\" \t\r\n".contains(b)).count();
    (length > 0).then_some(length)
}

/// The text of a string value; `None` if it is not a string or not valid Unicode (a lone surrogate).
pub(super) fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The time of a value: a number is Unix seconds, a text is RFC 3339 (as in the events of Stripe's v2 API).
pub(super) fn time(raw: &str) -> Option<Timestamp> {
    match text(raw) {
        Some(text) => parse_rfc3339(&text),
        None => from_unix_seconds(raw.parse().ok()?),
    }
}

/// An object with its members. If a key occurs twice its last value counts, as in JavaScript.
///
/// The methods for a field treat an absent field and `null` alike, and name the object and the field in their errors.
pub(super) struct Object<'a> {
    what: &'static str,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    /// Parses the object in `text`. `what` names it in errors: "a charge".
    pub(super) fn read(text: &'a str, what: &'static str) -> Result<Self, Malformed> {
        let mut members = Members::of(text);
        let mut found = Vec::new();
        while let Some((key, value)) = members.next().map_err(|error| error.malformed(what))? {
            // A key that is not valid Unicode is none that anybody looks up.
            if let Some(key) = self::text(key) {
                found.push((key, value));
            }
        }
        Ok(Self { what, members: found })
    }

    /// The raw JSON text of `name`; `None` if it is absent or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw).filter(|raw| *raw != "null")
    }

    /// The raw JSON text of `name`, which may be `null`; `None` if it is absent.
    pub(super) fn given(&self, name: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw)
    }

    fn wrong(&self, name: &str, expected: &str) -> Malformed {
        let given = self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw);
        Malformed(format!("expected `{name}` of {} to be {expected}, got {}", self.what, describe(given)))
    }

    /// The text of `name`, if there is one. Another type is an error.
    pub(super) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Malformed> {
        self.raw(name).map(|raw| text(raw).ok_or_else(|| self.wrong(name, "text"))).transpose()
    }

    /// The text of `name`, which is required.
    pub(super) fn need_text(&self, name: &str) -> Result<Cow<'a, str>, Malformed> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "text"))
    }

    /// The integer of `name`, if there is one. Another type is an error.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Malformed> {
        self.raw(name).map(|raw| raw.parse().map_err(|_| self.no_number(name))).transpose()
    }

    /// The integer of `name`, which is required.
    pub(super) fn need_integer(&self, name: &str) -> Result<i64, Malformed> {
        self.integer(name)?.ok_or_else(|| self.no_number(name))
    }

    /// The error for a field that is no whole number.
    fn no_number(&self, name: &str) -> Malformed {
        let given = self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw);
        Malformed(format!("`{name}` of {} is {}, not a whole number", self.what, as_amount(given)))
    }

    /// The boolean of `name`; false if it is absent. Another type is an error.
    pub(super) fn bool_or_false(&self, name: &str) -> Result<bool, Malformed> {
        match self.raw(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// The boolean of `name`, if there is one. Another type is an error.
    pub(super) fn bool(&self, name: &str) -> Result<Option<bool>, Malformed> {
        self.raw(name).map(|raw| raw.parse().map_err(|_| self.wrong(name, "true or false"))).transpose()
    }

    /// The object of `name`, if there is one, called `what` in errors. Another type is an error.
    pub(super) fn object(&self, name: &str, what: &'static str) -> Result<Option<Object<'a>>, Malformed> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) if raw.starts_with('{') => Object::read(raw, what).map(Some),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// The object of `name`, which is required.
    pub(super) fn need_object(&self, name: &str, what: &'static str) -> Result<Object<'a>, Malformed> {
        self.object(name, what)?.ok_or_else(|| self.wrong(name, "an object"))
    }

    /// The objects in the list of `name`, each called `what` in errors. Empty if it is absent.
    pub(super) fn objects(&self, name: &str, what: &'static str) -> Result<Vec<Object<'a>>, Malformed> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let elements = elements(raw).ok_or_else(|| self.wrong(name, "a list"))?;
        elements.into_iter().map(|element| Object::read(element, what)).collect()
    }

    /// The id of `name`, which is required.
    pub(super) fn need_id(&self, name: &str) -> Result<String, Malformed> {
        let id = self.need_text(name)?;
        if storable(&id) {
            Ok(id.into_owned())
        } else {
            Err(self.wrong(name, "an id of 1 to 255 printable characters"))
        }
    }

    /// The id of another object: the value of `name`, or the `id` of the object there if it is expanded. `None` for
    /// anything else.
    pub(super) fn link(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let id = if raw.starts_with('{') {
            Object::read(raw, "an expanded object").ok()?.text("id").ok()??
        } else {
            text(raw)?
        };
        storable(&id).then(|| id.into_owned())
    }
}

/// An optional text of the object; `None` if it is absent, of another type or not [`storable`].
pub(super) fn short(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).ok()?.filter(|text| storable(text)).map(Cow::into_owned)
}

impl SyntaxError {
    fn malformed(&self, what: &str) -> Malformed {
        Malformed(format!("expected {what} as JSON, but {} is missing at byte {}", self.expected, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Vec<&str>, SyntaxError> {
        let mut members = Members::of(text);
        let mut keys = Vec::new();
        while let Some((key, _)) = members.next()? {
            keys.push(key);
        }
        Ok(keys)
    }

    #[test]
    fn odd_values_are_skipped() {
        let text = r#" {"a":NaN, "b":[{"}":"\"]"}],"c":"\ud800" ,"c":-1e999,"é":{}} "#;
        assert_eq!(keys(text).ok(), Some(vec![r#""a""#, r#""b""#, r#""c""#, r#""c""#, r#""é""#]));
    }

    #[test]
    fn anything_but_an_object_is_refused() {
        for text in ["", "[]", "{", "{,}", r#"{"a":1,}"#, r#"{"a":}"#, r#"{"a" 1}"#, r#"{"a":1}x"#, r#"{"a":"}"#] {
            assert!(keys(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_that_occurs_twice_has_its_last_value() {
        let object = Object::read(r#"{"a":1,"\u0061":2}"#, "a test").ok();
        assert_eq!(object.and_then(|o| o.integer("a").ok().flatten()), Some(2));
    }
}
