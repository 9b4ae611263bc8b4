//! All that names one person, as far as it is known.

use std::collections::BTreeSet;

use super::recognition::{Trait, is_object};

/// All that is known to name one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// In lower case.
    pub emails: BTreeSet<String>,
    /// Gateways' ids of the customer.
    pub customers: BTreeSet<String>,
    /// The host's own ids of the owner of subscriptions.
    pub owners: BTreeSet<String>,
    /// Tokens of payments and subscriptions, and gateways' ids of their objects.
    pub objects: BTreeSet<String>,
}

impl Names {
    pub(crate) fn add_email(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.emails.insert(text.trim().to_ascii_lowercase());
        }
    }

    /// By what they are recognised. An owner is the host's word, which may be a number that means something else in a
    /// gateway's event.
    pub(crate) fn traits(&self) -> BTreeSet<Trait> {
        let customers = self.customers.iter().flat_map(|text| {
            let object = is_object(text).then(|| Trait::Object(text.clone()));
            [Some(Trait::Customer(text.clone())), object].into_iter().flatten()
        });
        let objects = self.objects.iter().filter(|text| is_object(text)).cloned().map(Trait::Object);
        self.emails.iter().cloned().map(Trait::Email).chain(customers).chain(objects).collect()
    }
}
