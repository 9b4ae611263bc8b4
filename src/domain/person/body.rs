//! An event's body without what is personal in it: JSON, XML or a form, text by text. It is read as leniently as the
//! gateways read it, and what stays is left byte for byte, so that it still says the same of payments.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::leaf::{Leaf, plain_name};
use super::recognition::Trait;

/// The body of an erased person's event without what is personal: ids, amounts, times, states and the like stay; names,
/// addresses and free text are removed. For authors of gateways: an event must be interpreted the same from what is
/// left.
///
/// ```
/// use actix_payments::domain::person::reduced;
///
/// let body = br#"{"id":"ch_1","amount":500,"billing_details":{"name":"Mia"},"receipt_email":"mia@shop.example"}"#;
/// assert_eq!(reduced(body), br#"{"id":"ch_1","amount":500,"billing_details":{"name":null},"receipt_email":null}"#);
/// ```
pub fn reduced(body: &[u8]) -> Vec<u8> {
    rewritten(body, &mut |leaf| !leaf.is_personal())
}

/// Whether nothing of the body would go.
pub(crate) fn is_reduced(body: &[u8]) -> bool {
    let mut is_reduced = true;
    rewritten(body, &mut |leaf| {
        is_reduced &= !leaf.is_personal();
        true
    });
    is_reduced
}

/// Whether the body names somebody whom `is_known` knows.
pub(crate) fn recognised(body: &[u8], is_known: impl Fn(&Trait) -> bool) -> bool {
    let (mut seen, mut found) = (BTreeSet::new(), false);
    rewritten(body, &mut |leaf| {
        // Most ids stand in a body more than once.
        found = found || leaf.traits().into_iter().any(|it| !seen.contains(&it) && (is_known(&it) || !seen.insert(it)));
        true
    });
    found
}

/// The texts of a body that are personal, and each word of names.
pub(crate) fn personal_texts(body: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    rewritten(body, &mut |leaf| {
        if leaf.is_text && leaf.is_personal() {
            found.insert(leaf.text.to_owned());
            if leaf.is_name() {
                found.extend(leaf.text.split([' ', ',']).map(str::to_owned));
            }
        }
        true
    });
    found
}

/// The gateways' ids of customers in a body: texts that are like no others, in the fields that gateways have for them.
/// A number or a note may be somebody else's as well.
pub(crate) fn customers(body: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    rewritten(body, &mut |leaf| {
        if leaf.is_customers_id() {
            found.insert(leaf.text.to_owned());
        }
        true
    });
    found
}

/// The body with those of its texts that `keeps` says yes to.
fn rewritten(body: &[u8], keeps: &mut dyn FnMut(&Leaf<'_>) -> bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let kept = match text.trim_start().bytes().next() {
        None => return body.to_vec(),
        Some(b'{' | b'[') => json(&text, keeps),
        Some(b'<') => xml(&text, keeps),
        _ if text.contains('=') && !text.contains(char::is_whitespace) => form(&text, keeps),
        _ => {
            let leaf = Leaf { path: &[], text: &text, is_text: true };
            if keeps(&leaf) { text.to_string() } else { String::new() }
        }
    };
    kept.into_bytes()
}

/// Where a value stands in JSON.
struct Nest {
    /// The names that lead to it; a list has none of its own.
    path: Vec<String>,
    /// For each object or list that is open, how long the path was before it, and whether it is an object.
    open: Vec<(usize, bool)>,
    /// Whether a key comes next.
    before_key: bool,
}

fn json(text: &str, keeps: &mut dyn FnMut(&Leaf<'_>) -> bool) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    let mut nest = Nest { path: Vec::new(), open: Vec::new(), before_key: false };
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = match rest.as_bytes()[0] {
            b'"' => string_length(rest),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => nest.pass(rest.as_bytes()[0]),
            byte if byte.is_ascii_whitespace() => 1,
            _ => rest.find([',', '}', ']', '{', '[', ':', '"', ' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
        };
        let piece = &rest[..length];
        let first = piece.as_bytes()[0];
        if first == b'"' && nest.before_key {
            nest.path.push(plain_name(&unquoted(piece)));
            // A name may be a word of the host's own.
            out.push_str(if piece.contains('@') { "\"\"" } else { piece });
        } else if first.is_ascii_whitespace() || b"{}[],:".contains(&first) {
            out.push_str(piece);
        } else {
            let is_text = first == b'"';
            let value = if is_text { unquoted(piece) } else { Cow::Borrowed(piece) };
            let leaf = Leaf { path: &nest.path, text: &value, is_text };
            out.push_str(if keeps(&leaf) { piece } else { "null" });
        }
        at += length;
    }
    out
}

impl Nest {
    /// Goes past a sign; answers its length.
    fn pass(&mut self, sign: u8) -> usize {
        match sign {
            b'{' | b'[' => {
                self.open.push((self.path.len(), sign == b'{'));
                self.before_key = sign == b'{';
            }
            b'}' | b']' => {
                let length = self.open.pop().map_or(0, |(length, _)| length);
                self.path.truncate(length);
                self.before_key = false;
            }
            b',' => {
                let (length, is_object) = self.open.last().copied().unwrap_or((0, false));
                self.path.truncate(length);
                self.before_key = is_object;
            }
            _ => self.before_key = false,
        }
        1
    }
}

/// The length of the string at the beginning, with its quotes; of one without an end, all there is.
fn string_length(text: &str) -> usize {
    let (bytes, mut at) = (text.as_bytes(), 1);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// What a string says; one that is not valid Unicode as it is written.
fn unquoted(raw: &str) -> Cow<'_, str> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
}

fn xml(text: &str, keeps: &mut dyn FnMut(&Leaf<'_>) -> bool) -> String {
    let (mut out, mut path) = (String::with_capacity(text.len()), Vec::<String>::new());
    let mut rest = text;
    while !rest.is_empty() {
        let is_tag = rest.starts_with('<') && !rest.starts_with("<![CDATA[");
        let end = if is_tag {
            rest.find('>').map_or(rest.len(), |at| at + 1)
        } else if rest.starts_with('<') {
            rest.find("]]>").map_or(rest.len(), |at| at + 3)
        } else {
            rest.find('<').unwrap_or(rest.len())
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        if is_tag {
            out.push_str(piece);
            pass(piece, &mut path);
            continue;
        }
        let said = piece.trim_start_matches("<![CDATA[").trim_end_matches("]]>");
        let said = unescaped(said.trim());
        if said.is_empty() || keeps(&Leaf { path: &path, text: &said, is_text: true }) {
            out.push_str(piece);
        }
    }
    out
}

/// Goes past a tag.
fn pass(tag: &str, path: &mut Vec<String>) {
    if tag.starts_with("</") {
        path.pop();
    } else if !tag.starts_with("<?") && !tag.starts_with("<!") && !tag.ends_with("/>") {
        let name = tag[1..].split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
        path.push(plain_name(name));
    }
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#64;", "@"), ("&#x40;", "@")];
    let text = known.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain));
    Cow::Owned(text.replace("&amp;", "&"))
}

fn form(text: &str, keeps: &mut dyn FnMut(&Leaf<'_>) -> bool) -> String {
    let pairs = text.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (path, said) = ([plain_name(&decoded(name))], decoded(value));
        let is_kept = said.is_empty() || keeps(&Leaf { path: &path, text: &said, is_text: true });
        if is_kept { pair.to_owned() } else { format!("{name}=") }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// What a form's value says.
fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &str) -> String {
        String::from_utf8_lossy(&reduced(body.as_bytes())).into_owned()
    }

    #[test]
    fn json_that_a_strict_parser_refuses_is_reduced_like_any_other() {
        let body =
            r#" {"a":NaN,"id":"x_1","id":"x_2","name":"\ud800","n":[{"email":"a@b.c"},1e999],"k\u0061":{"}":"]"}} "#;
        let expected =
            r#" {"a":NaN,"id":"x_1","id":"x_2","name":null,"n":[{"email":null},1e999],"k\u0061":{"}":"]"}} "#;
        assert_eq!(kept(body), expected);
        assert_eq!(kept(r#"{"name":"Mia"#), r#"{"name":null"#);
        assert!(is_reduced(expected.as_bytes()) && !is_reduced(body.as_bytes()));
    }

    #[test]
    fn a_host_s_own_ids_stay_and_its_words_go() {
        let body =
            r#"{"metadata":{"order":"10042","owner":"user-7","who":"Mia","token":"pay_0123456789abcdefghjkmnpqrs"}}"#;
        assert_eq!(kept(body), body.replace("\"Mia\"", "null"));
        let team = r#"{"metadata":{"owner":"acme"}}"#;
        assert_eq!(kept(team), team, "whoever is active is found by it");
    }

    #[test]
    fn xml_and_forms_lose_what_is_personal() {
        let xml = "<n><kind>x</kind><customer><id>c7</id><email>mia&#64;b.example</email></customer>\
                   <t><![CDATA[Mia K]]></t></n>";
        assert_eq!(kept(xml), "<n><kind>x</kind><customer><id>c7</id><email></email></customer><t></t></n>");
        assert_eq!(kept("id=tr_7&email=mia%40b.example&name=Mia"), "id=tr_7&email=&name=");
        assert_eq!((kept("Mia K"), kept("")), (String::new(), String::new()));
    }

    #[test]
    fn somebody_is_recognised_however_the_address_is_written() {
        let is_mia = |it: &Trait| *it == Trait::Email("mia@b.example".to_owned());
        for body in [
            r#"{"a":{"text":"from <Mia@B.example>, yesterday"}}"#,
            r#"{"a":"mia\u0040b.example"}"#,
            "<a>mia&#64;b.example</a>",
            "a=mia%40b.example",
        ] {
            assert!(recognised(body.as_bytes(), is_mia), "{body}");
        }
        assert!(!recognised(br#"{"a":"jamia@b.example","b":"mia@b.example.org"}"#, is_mia));
        let is_seven = |it: &Trait| *it == Trait::Customer("7".to_owned());
        assert!(recognised(br#"{"customer_id":7,"amount":9}"#, is_seven));
        assert!(recognised(b"<n><customer><id>7</id></customer></n>", is_seven));
        assert!(!recognised(br#"{"customer_id":9,"amount":7,"quantity":"7"}"#, is_seven));
    }

    #[test]
    fn customers_are_taken_by_their_ids_alone() {
        let body = r#"{"customer":"cus_MiaK7","customer_name":"Mia7 K","customer_email":"mia7@b.example",
            "customer_creation":"always","customer_id":"ctm_7MiaK7","order":{"customer":{"id":"CT88HH1","amount":123456}}}"#;
        let found: Vec<String> = customers(body.as_bytes()).into_iter().collect();
        assert_eq!(found, ["CT88HH1", "ctm_7MiaK7", "cus_MiaK7"]);
        // What two customers may have in common, and what another gateway's customer may be called.
        let shared = r#"{"note_to_payer":"RMA-2026","customer_tax_id":"DE123456789","customer_ip_address":"2001:db8::7",
            "customer_details":{"ip":"2001:db8::7"},"customer_purchase_ip":"2001:db8::7","customer_id":120034}"#;
        assert!(customers(shared.as_bytes()).is_empty());
    }

    #[test]
    fn a_state_of_two_words_stays() {
        let body = r#"{"status":"Past Due","customer_status":"Mia K, Torstr. 1"}"#;
        assert_eq!(kept(body), r#"{"status":"Past Due","customer_status":null}"#);
    }
}
