//! What stands around every page? The frame: title, navigation, who is looking, and what was just done.

use super::parts::Link;

/// The frame of a page. Every address in it is final: nothing in a template builds one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// What the browser's tab says, without the brand.
    pub(crate) title: String,
    /// The name of the whole and the address of the first page.
    pub(crate) brand: Link,
    /// The style sheet's address.
    pub(crate) css: String,
    /// The host's own style sheet.
    pub(crate) extra_css: Option<String>,
    /// The script's address.
    pub(crate) script: String,
    /// The tab icon's address.
    pub(crate) icon: String,
    /// The sections, in order.
    pub(crate) nav: Vec<NavItem>,
    /// Where the search box leads, and what is in it.
    pub(crate) search: Link,
    /// The way back to the host's own pages.
    pub(crate) home: Option<Link>,
    /// Who is looking.
    pub(crate) actor: String,
    /// What limits the actor, in a word or two: `read-only`. `None`: nothing does.
    pub(crate) access: Option<String>,
    /// What the page was read from, where that may not be all that was written.
    pub(crate) read_from: Option<String>,
    /// What came of the act that led here.
    pub(crate) flash: Option<Flash>,
}

/// One section in the navigation.
#[derive(Debug, Clone, Default)]
pub(crate) struct NavItem {
    /// Its name and address.
    pub(crate) link: Link,
    /// Whether the page is in this section.
    pub(crate) current: bool,
}

/// A sentence about an act that was just done, or was refused.
#[derive(Debug, Clone)]
pub(crate) struct Flash {
    /// `good`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// The sentence.
    pub(crate) text: String,
}

impl Flash {
    /// It was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { tone: "good", icon: "check", text: text.into() }
    }
}
