//! Where in a JSON text is a field? Finds the members of one object and leaves what they hold unparsed, so that
//! an odd value in a field that nobody asked for stops nothing. What the fields mean is their readers' answer.
//!
//! A strict parser is no use here: a genuine event may hold an escaped lone surrogate, the same key twice, a
//! number beyond any integer or nesting deeper than serde_json's 128 levels. Refusing it would lose the event,
//! since the gateway would send the very same bytes again. This scanner works without recursion, in one pass.

use std::borrow::Cow;

use crate::domain::event::{Malformed, storable};
use crate::domain::{Timestamp, moment_at, moment_of};

/// One member of an object: its key and its value, both as they stand in the text.
pub(super) type Member<'a> = (&'a str, &'a str);

/// The members of one object, in order. The object's own grammar is checked; inside of a member's value only
/// strings and brackets are followed.
pub(super) struct Members<'a> {
    text: &'a str,
    at: usize,
    begun: bool,
}

/// The text is not one JSON object: what was expected, and at which byte.
#[derive(Debug)]
pub(super) struct Broken {
    expected: &'static str,
    at: usize,
}

impl<'a> Members<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, begun: false }
    }

    /// The next member; `None` at the object's end, when nothing but white space follows it.
    pub(super) fn next(&mut self) -> Result<Option<Member<'a>>, Broken> {
        let first = !self.begun;
        if first {
            self.expect(b'{', "an object")?;
            self.begun = true;
        }
        match self.peek() {
            Some(b'}') => return self.end(),
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return Err(self.broken("a comma or the object's end")),
        }
        if self.peek() != Some(b'"') {
            return Err(self.broken("a key"));
        }
        let key = self.value()?;
        self.expect(b':', "a colon")?;
        Ok(Some((key, self.value()?)))
    }

    fn end(&mut self) -> Result<Option<Member<'a>>, Broken> {
        self.at += 1;
        match self.peek() {
            None => {
                // Asking again must give the end again.
                self.at -= 1;
                Ok(None)
            }
            Some(_) => Err(self.broken("nothing after the object")),
        }
    }

    /// The next byte that is no white space; the position moves there.
    fn peek(&mut self) -> Option<u8> {
        let blanks = self.bytes().iter().take_while(|b| b" \t\r\n".contains(b)).count();
        self.at += blanks;
        self.bytes().first().copied()
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Broken> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.broken(expected)),
        }
    }

    fn value(&mut self) -> Result<&'a str, Broken> {
        let length = match self.peek() {
            Some(b'"') => string_length(self.bytes()),
            Some(b'{' | b'[') => nested_length(self.bytes()),
            _ => scalar_length(self.bytes()),
        };
        // Every length ends beside an ASCII byte or at the end, so it never splits a character.
        let value = length.and_then(|length| self.text.get(self.at..self.at + length));
        let value = value.ok_or_else(|| self.broken("a whole value"))?;
        self.at += value.len();
        Ok(value)
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn broken(&self, expected: &'static str) -> Broken {
        Broken { expected, at: self.at }
    }
}

/// The elements of the list that `text` is, each as it stands; `None` when it is none, or not whole.
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

/// How long the string at the start of `bytes` is, quotes included.
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

/// How long the object or list at the start of `bytes` is. It only counts brackets, whichever they are: whether
/// they pair up matters to whoever reads the value, and a counter can't overflow the stack.
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

/// How long the number or word at the start of `bytes` is: up to what can't belong to it.
fn scalar_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().take_while(|b| !b",}]{[:\" \t\r\n".contains(b)).count();
    (length > 0).then_some(length)
}

/// The text of a string value; `None` when it is no string or holds no Unicode (a lone surrogate).
pub(super) fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The moment of a value: a number is Unix seconds, a text is RFC 3339, as in the events of Stripe's second API.
pub(super) fn moment(raw: &str) -> Option<Timestamp> {
    match text(raw) {
        Some(text) => moment_of(&text),
        None => moment_at(raw.parse().ok()?),
    }
}

/// What a value is, in words for a person; never the value itself, which is the customer's.
fn describe(raw: Option<&str>) -> &'static str {
    match raw.and_then(|raw| raw.bytes().next()) {
        None => "nothing",
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        Some(b'0'..=b'9' | b'-') => "a number",
        Some(_) => "no JSON value",
    }
}

/// One object with its members at hand. A key that stands there twice has its last value, as in JavaScript.
pub(super) struct Object<'a> {
    what: &'static str,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    /// Reads the object that `text` is; `what` names it in errors ("a charge").
    pub(super) fn read(text: &'a str, what: &'static str) -> Result<Self, Malformed> {
        let mut members = Members::of(text);
        let mut found = Vec::new();
        while let Some((key, value)) = members.next().map_err(|broken| broken.of(what))? {
            // A key that is no Unicode can't be one that is asked for.
            if let Some(key) = self::text(key) {
                found.push((key, value));
            }
        }
        Ok(Self { what, members: found })
    }

    /// The value of `name` as it stands in the text; `None` when it is absent or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw).filter(|raw| *raw != "null")
    }

    fn wrong(&self, name: &str, expected: &str) -> Malformed {
        let given = self.members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw);
        Malformed(format!("expected `{name}` of {} to be {expected}, got {}", self.what, describe(given)))
    }

    /// The text of `name`; absent and null are `None`, anything else is an error.
    pub(super) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Malformed> {
        self.raw(name).map(|raw| text(raw).ok_or_else(|| self.wrong(name, "text"))).transpose()
    }

    /// The text of `name`, which must be there.
    pub(super) fn need_text(&self, name: &str) -> Result<Cow<'a, str>, Malformed> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "text"))
    }

    /// The whole number of `name`; absent and null are `None`, anything else is an error.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Malformed> {
        self.raw(name).map(|raw| raw.parse().map_err(|_| self.wrong(name, "a whole number of 64 bits"))).transpose()
    }

    /// The whole number of `name`, which must be there.
    pub(super) fn need_integer(&self, name: &str) -> Result<i64, Malformed> {
        self.integer(name)?.ok_or_else(|| self.wrong(name, "a whole number of 64 bits"))
    }

    /// Whether `name` is true; absent and null are false, anything else is an error.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Malformed> {
        match self.raw(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// Whether `name` is true; absent and null are `None`, anything else is an error.
    pub(super) fn truth(&self, name: &str) -> Result<Option<bool>, Malformed> {
        self.raw(name).map(|raw| raw.parse().map_err(|_| self.wrong(name, "true or false"))).transpose()
    }

    /// The object of `name`, called `what` in errors; absent and null are `None`, anything else is an error.
    pub(super) fn object(&self, name: &str, what: &'static str) -> Result<Option<Object<'a>>, Malformed> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) if raw.starts_with('{') => Object::read(raw, what).map(Some),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// The object of `name`, which must be there.
    pub(super) fn need_object(&self, name: &str, what: &'static str) -> Result<Object<'a>, Malformed> {
        self.object(name, what)?.ok_or_else(|| self.wrong(name, "an object"))
    }

    /// The objects in the list of `name`, each called `what` in errors; absent and null are none.
    #[cfg(feature = "paypal")]
    pub(super) fn objects(&self, name: &str, what: &'static str) -> Result<Vec<Object<'a>>, Malformed> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let elements = elements(raw).ok_or_else(|| self.wrong(name, "a list"))?;
        elements.into_iter().map(|element| Object::read(element, what)).collect()
    }

    /// The id of `name`, which must be there.
    pub(super) fn need_id(&self, name: &str) -> Result<String, Malformed> {
        let id = self.need_text(name)?;
        if storable(&id) {
            Ok(id.into_owned())
        } else {
            Err(self.wrong(name, "an id of 1 to 255 printable characters"))
        }
    }

    /// The id of another object: `name` holds it, or holds that object expanded. What is neither is `None`, since
    /// an event may come without it.
    pub(super) fn link(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let id = match raw.starts_with('{') {
            true => Object::read(raw, "an expanded object").ok()?.text("id").ok()??,
            false => text(raw)?,
        };
        storable(&id).then(|| id.into_owned())
    }
}

/// A text of the object that is welcome but not needed: what is missing, or can't be stored, is `None`.
pub(super) fn short(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).ok()?.filter(|text| storable(text)).map(Cow::into_owned)
}

impl Broken {
    fn of(&self, what: &str) -> Malformed {
        Malformed(format!("expected {what} as JSON, but {} is missing at byte {}", self.expected, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Vec<&str>, Broken> {
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
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "{", "{,}", r#"{"a":1,}"#, r#"{"a":}"#, r#"{"a" 1}"#, r#"{"a":1}x"#, r#"{"a":"}"#] {
            assert!(keys(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_that_comes_twice_has_its_last_value() {
        let object = Object::read(r#"{"a":1,"\u0061":2}"#, "a test").ok();
        assert_eq!(object.and_then(|o| o.integer("a").ok().flatten()), Some(2));
    }
}
