//! The page for those who are kept out: what is missing, and nothing of what is inside.

use askama::Template;

use crate::web::statics;

/// A page without navigation.
#[derive(Debug, Template)]
#[template(path = "closed.html")]
pub(crate) struct Closed {
    /// Addresses of the style sheet and of the icon.
    css: String,
    icon: String,
    /// What is the matter.
    title: String,
    /// What to do.
    text: String,
}

impl Closed {
    /// For the pages of a mount.
    pub(crate) fn new(mount: &str, title: &str, text: &str) -> Self {
        let [css, icon] = ["admin.css", "icon.svg"].map(|name| statics::address(mount, name));
        Self { css, icon, title: title.to_owned(), text: text.to_owned() }
    }
}
