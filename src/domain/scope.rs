//! Which variants somebody may see: all, or some and nothing of the others.

use std::collections::BTreeSet;
use std::sync::Arc;

/// How many variants a list reads one by one, each by its own index; of more it reads all rows and leaves others' out.
const ONE_BY_ONE: usize = 24;

/// The variants whose rows somebody may see. What reads rows for a page takes one, so that none is forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All there are, and what is of none.
    #[default]
    All,
    /// These, and nothing that is of another or of none.
    Only(Arc<BTreeSet<String>>),
}

/// Of which variants a list's rows are, by what somebody may see and has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Among {
    /// Of any.
    Any,
    /// Of this one.
    One(String),
    /// Of these few.
    Each(Vec<String>),
    /// Of more than can be read one by one.
    Many,
    /// Of none.
    Nothing,
}

impl Scope {
    /// Whether rows of this variant may be seen.
    pub(crate) fn allows(&self, variant: &str) -> bool {
        self.names().is_none_or(|names| names.contains(variant))
    }

    /// Whether nothing is hidden.
    pub(crate) fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// The variants, where some are hidden.
    pub(crate) fn names(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::All => None,
            Self::Only(names) => Some(names),
        }
    }

    /// The same, of this variant alone where one was chosen.
    pub(crate) fn narrowed(&self, chosen: Option<&str>) -> Self {
        match chosen {
            Some(name) => {
                let own = self.allows(name).then(|| name.to_owned());
                Self::Only(Arc::new(own.into_iter().collect()))
            }
            None => self.clone(),
        }
    }

    /// The variants among whose ids a text is looked for: the one that was chosen, those that may be seen, or all of these.
    pub(crate) fn sought(&self, chosen: Option<&str>, all: &[String]) -> Vec<String> {
        self.narrowed(chosen).names().map_or_else(|| all.to_vec(), |names| names.iter().cloned().collect())
    }

    /// Of which variants a list's rows are where this one was chosen, or none.
    pub(crate) fn among(&self, chosen: Option<&str>) -> Among {
        match (self.names(), chosen) {
            (_, Some(name)) if self.allows(name) => Among::One(name.to_owned()),
            (Some(_), Some(_)) => Among::Nothing,
            (Some(names), None) if names.is_empty() => Among::Nothing,
            (Some(names), None) if names.len() == 1 => Among::One(names.iter().cloned().collect()),
            (Some(names), None) if names.len() <= ONE_BY_ONE => Among::Each(names.iter().cloned().collect()),
            (Some(_), None) => Among::Many,
            (None, _) => Among::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(names: &[&str]) -> Scope {
        Scope::Only(Arc::new(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn an_empty_list_shows_nothing_and_no_choice_widens_one() {
        assert!(!only(&[]).allows("acme") && !only(&[]).allows("") && !only(&["acme"]).allows(""));
        assert_eq!(only(&[]).among(None), Among::Nothing);
        assert_eq!(only(&["acme"]).among(Some("beta")), Among::Nothing);
        assert_eq!(only(&["acme"]).among(None), Among::One("acme".to_owned()));
        assert_eq!(only(&["acme", "beta"]).among(Some("beta")), Among::One("beta".to_owned()));
        assert_eq!(only(&["acme", "beta"]).among(None), Among::Each(vec!["acme".to_owned(), "beta".to_owned()]));
        let many: Vec<String> = (0..=ONE_BY_ONE).map(|number| number.to_string()).collect();
        assert_eq!(only(&many.iter().map(String::as_str).collect::<Vec<_>>()).among(None), Among::Many);
        assert_eq!((Scope::All.among(None), Scope::All.allows("")), (Among::Any, true));
    }
}
