//! One text in an event's body, with the names that lead to it: whether it is personal, and whom it may name. Each
//! company calls things differently, so the rules are of names and of looks, and what is in doubt is personal.

use super::recognition::{LONGEST, Trait, is_object};

/// A text or number in a body.
pub(super) struct Leaf<'a> {
    /// The names that lead to it, outermost first, as [`plain_name`] makes them.
    pub path: &'a [String],
    pub text: &'a str,
    /// Whether it is a text rather than a number or a keyword.
    pub is_text: bool,
}

/// What is below one of these says who or where somebody is.
const PERSONAL_BELOW: [&str; 7] =
    ["address", "billingdetails", "shippingdetails", "customerdetails", "shopper", "browserinfo", "phone"];
/// Names that say who somebody is, alone and, from four letters on, followed by anything.
const PERSONAL: [&str; 32] = [
    "accountholder",
    "bank",
    "bic",
    "bin",
    "birth",
    "browser",
    "buyer",
    "card",
    "comment",
    "company",
    "consumer",
    "contact",
    "dateofbirth",
    "description",
    "dob",
    "expdate",
    "expiration",
    "expiry",
    "expmonth",
    "expyear",
    "fingerprint",
    "gender",
    "holder",
    "iban",
    "iin",
    "ip",
    "last4",
    "memo",
    "message",
    "note",
    "postal",
    "useragent",
];
/// Parts of names that say the same, wherever they stand.
const PERSONAL_PART: [&str; 9] =
    ["email", "phone", "mobile", "address", "cardholder", "vatnumber", "taxid", "lastfour", "zipcode"];
/// The longest word or words for a state: `Past Due`.
const LONGEST_STATE: usize = 32;
/// What is named here is not a person.
const THINGS: [&str; 12] =
    ["event", "product", "price", "plan", "variant", "item", "items", "lines", "type", "store", "merchant", "discount"];
/// What hosts attach: their own ids stay, all else goes.
const ATTACHED: [&str; 7] = ["metadata", "customdata", "custom", "notes", "tags", "customfields", "passthrough"];

/// A name in lower case, without what companies put between its words.
pub(super) fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a text is a token of ours, which names nobody.
fn is_token(text: &str) -> bool {
    let word = text.strip_prefix("pay_").or_else(|| text.strip_prefix("psub_"));
    word.is_some_and(|word| word.len() == 26 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Leaf<'_> {
    fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The name that leads to its own.
    fn above(&self) -> &str {
        self.path.iter().rev().nth(1).map_or("", String::as_str)
    }

    /// Whether it is called a name.
    pub(super) fn is_name(&self) -> bool {
        self.name().ends_with("name") || self.name().contains("holder")
    }

    /// Whether it may say something of a person that is no id, no amount, no time and no state.
    pub(super) fn is_personal(&self) -> bool {
        if self.text.is_empty() || is_token(self.text) || (!self.is_text && self.text == "null") {
            return false;
        }
        let is_below = |names: &[&str]| {
            let above = &self.path[..self.path.len().saturating_sub(1)];
            above.iter().any(|name| names.iter().any(|it| name.contains(it)))
        };
        if is_below(&PERSONAL_BELOW) || self.has_personal_name() {
            return true;
        }
        if !self.is_text {
            return false;
        }
        let attached = self.path.iter().any(|name| name.starts_with("metadata") || ATTACHED.contains(&name.as_str()));
        if attached
            && self.name() != "owner"
            && !self.text.bytes().any(|byte| byte.is_ascii_digit() || b"_-".contains(&byte))
        {
            return true;
        }
        self.looks_personal()
    }

    fn has_personal_name(&self) -> bool {
        let name = self.name();
        let of_a_thing = || THINGS.iter().any(|it| name.starts_with(it) || self.above().starts_with(it));
        if name.ends_with("name") && !of_a_thing() {
            return true;
        }
        if PERSONAL_PART.iter().any(|part| name.contains(part)) {
            return true;
        }
        // An id, a state or a time stays, whatever it is of: `card_id`, `expires_at`.
        let is_kept = ["id", "ref", "type", "status", "state", "at", "time", "amount", "currency", "code", "reason"];
        let is_word = self.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.+".contains(&byte));
        if is_kept.iter().any(|end| name.ends_with(end)) && is_word {
            return false;
        }
        PERSONAL.iter().any(|it| name == *it || (it.len() > 3 && name.starts_with(it)))
    }

    fn looks_personal(&self) -> bool {
        let text = self.text;
        let is_time = text.bytes().all(|byte| byte.is_ascii_digit() || b"-:./ TZ+UC".contains(&byte));
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b".,-".contains(&byte));
        if is_number || (is_time && text.len() >= 8 && !text.starts_with('+')) {
            return false;
        }
        let is_state =
            text.len() <= LONGEST_STATE && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
        if self.name().ends_with("status") && is_state {
            return false;
        }
        let is_link = text.contains("://") && self.name() != "href";
        let is_odd = !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.len() > LONGEST;
        is_link || is_odd || text.contains('@') || text.starts_with('+')
    }

    /// Whom it may name.
    pub(super) fn traits(&self) -> Vec<Trait> {
        let mut found: Vec<Trait> = emails(self.text).into_iter().map(Trait::Email).collect();
        if self.is_customer() {
            found.push(Trait::Customer(self.text.to_owned()));
        }
        if self.is_text && is_object(self.text) {
            found.push(Trait::Object(self.text.to_owned()));
        }
        found
    }
}

/// What gateways call a customer by.
const CUSTOMER: [&str; 3] = ["customer", "payer", "shopperreference"];

impl Leaf<'_> {
    /// Whether it is what a gateway calls a customer by, or may be.
    fn is_customer(&self) -> bool {
        let is_of_one = |name: &str| CUSTOMER.iter().any(|it| name.contains(it)) && !name.contains("details");
        is_of_one(self.name()) || (self.name().ends_with("id") && is_of_one(self.above()))
    }

    /// Whether it is a gateway's id of a customer and nothing else.
    pub(super) fn is_customers_id(&self) -> bool {
        let is_one = |name: &str| CUSTOMER.contains(&name.strip_suffix("id").unwrap_or(name));
        let is_theirs = is_one(self.name()) || (self.name() == "id" && is_one(self.above()));
        is_theirs && is_object(self.text)
    }
}

/// The email addresses in a text, in lower case.
fn emails(text: &str) -> Vec<String> {
    if !text.contains('@') {
        return Vec::new();
    }
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\"\\".contains(c);
    let words = text.split(ends).map(|word| word.trim_matches('.'));
    let is_address =
        |word: &&str| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    words.filter(is_address).map(str::to_ascii_lowercase).collect()
}
