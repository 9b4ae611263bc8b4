//! Where a comparison goes on: through the gateway's lists, then our payments, then our subscriptions.

/// A place in a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the gateway's lists of objects: at their beginning, or where the page before said.
    Objects(Option<String>),
    /// Behind the payment with this id.
    Payments(i64),
    /// Behind the subscription with this id.
    Subscriptions(i64),
}

impl Place {
    /// The text that is stored.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Objects(None) => "objects".to_owned(),
            Self::Objects(Some(cursor)) => format!("objects {cursor}"),
            Self::Payments(id) => format!("payments {id}"),
            Self::Subscriptions(id) => format!("subscriptions {id}"),
        }
    }

    /// The place of a stored text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (list, rest) = text.split_once(' ').map_or((text, None), |(list, rest)| (list, Some(rest)));
        match (list, rest) {
            ("objects", cursor) => Some(Self::Objects(cursor.map(str::to_owned))),
            ("payments", Some(id)) => id.parse().ok().map(Self::Payments),
            ("subscriptions", Some(id)) => id.parse().ok().map(Self::Subscriptions),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_place_is_the_place_that_was_stored() {
        let cursor = Some("checkout/sessions cs_1".to_owned());
        for place in [Place::Objects(None), Place::Objects(cursor), Place::Payments(7), Place::Subscriptions(0)] {
            assert_eq!(Place::parse(&place.text()), Some(place));
        }
        assert_eq!(Place::parse("payments x"), None);
    }
}
