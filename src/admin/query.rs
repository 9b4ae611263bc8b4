//! Which view does an address ask for? The query holds the whole view of a list, so that every view is a link.

use actix_web::HttpRequest;
use actix_web::web::Query;

use super::views::list::{Choice, Field, Filter, Paging, Select, Tab, Tabs};
use super::views::parts::Link;
use super::views::words;
use crate::reports::{COUNT_CAP, Counted, Order, Page, Place};

/// The fields of a list's address or of a form, without those that are empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

/// The field that says at which moment the row of a place stood, in microseconds since 1970.
pub(super) const SEEN: &str = "seen_at";
/// Where in the list; never part of another view's link.
pub(super) const PLACE: [&str; 6] = ["before", "upto", "after", "since", "newer_than", SEEN];

/// The field of a row's page that holds the view of the list.
const WITHIN: &str = "in";
/// The field of a row's page that names that list, where it is not the one of the page's own section.
const OF: &str = "of";

/// The list that a row's page was opened from.
pub(super) struct OpenedFrom {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    /// Its view.
    pub(super) view: Fields,
}

impl Fields {
    /// Those of the request. An address that can't be read is one without fields.
    pub(super) fn of(req: &HttpRequest) -> Self {
        Self::parse(req.query_string())
    }

    /// Those of a query or of a form, which are written alike.
    pub(super) fn parse(text: &str) -> Self {
        let query = Query::<Vec<(String, String)>>::from_query(text);
        let fields = query.map(Query::into_inner).unwrap_or_default();
        Self(fields.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// The value of a field, without white space at its ends.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim().to_owned())
    }

    /// All values of a field that may come more than once, as ticked boxes do.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim())
    }

    /// The address of the same view from its newest rows, with one field changed.
    pub(super) fn with(&self, list: &str, name: &str, value: Option<&str>) -> String {
        let kept = self.0.iter().filter(|(n, _)| n != name && !PLACE.contains(&n.as_str()));
        let mut fields: Vec<(&str, &str)> = kept.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend(value.map(|value| (name, value)));
        let query: Vec<String> = fields.into_iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        if query.is_empty() { list.to_owned() } else { format!("{list}?{}", query.join("&")) }
    }

    /// The address of the same view from its newest rows, with several fields changed.
    pub(super) fn with_all(&self, list: &str, changed: &[(&str, Option<&str>)]) -> String {
        let change = |fields: Self, (name, value): &(&str, Option<&str>)| {
            Self::parse(fields.with("", name, *value).trim_start_matches('?'))
        };
        changed.iter().fold(self.clone(), change).with(list, "", None)
    }

    /// The address of a row's page, which remembers the view of the list that it was opened from.
    pub(super) fn leading(&self, href: &str) -> String {
        self.view().map_or_else(|| href.to_owned(), |view| joined(href, WITHIN, &view))
    }

    /// The view of the list, as a page of its rows remembers it.
    fn view(&self) -> Option<String> {
        self.with("", "", None).strip_prefix('?').map(str::to_owned)
    }

    /// The same where the list at `path` is not the one of the page's own section.
    pub(super) fn leading_from(&self, path: &str, href: &str) -> String {
        joined(&self.leading(href), OF, path)
    }

    /// The fields by which a row's page remembers the list that it was opened from, as name and value.
    pub(super) fn remembered(&self) -> Vec<(&'static str, String)> {
        let of = self.get(OF).map(|of| (OF, of));
        self.within().view().map(|view| (WITHIN, view)).into_iter().chain(of).collect()
    }

    /// The address of another page of the same row, which remembers the same list.
    pub(super) fn staying(&self, href: &str) -> String {
        self.remembered().into_iter().fold(href.to_owned(), |href, (name, value)| joined(&href, name, &value))
    }

    /// The view of the list that a row's page was opened from.
    fn within(&self) -> Self {
        let mut view = self.get(WITHIN).map(|view| Self::parse(&view)).unwrap_or_default();
        view.0.retain(|(name, _)| !PLACE.contains(&name.as_str()));
        view
    }

    /// Of these lists, as path and name, the one that a row's page was opened from; `own` is that of its section.
    pub(super) fn opened_from(
        &self,
        own: (&'static str, &'static str),
        others: &[(&'static str, &'static str)],
    ) -> OpenedFrom {
        let named = self.get(OF).and_then(|of| others.iter().find(|(path, _)| *path == of));
        let (path, name) = named.copied().unwrap_or(own);
        OpenedFrom { path, name, view: self.within() }
    }

    /// The way to the neighbouring pages.
    pub(super) fn paging<T>(&self, list: &str, what: &str, page: &Page<T>, order: Order) -> Paging {
        let link = |place: Option<Place>| {
            place.map(|Place { id, back, with }| {
                let name = PLACE[2 * usize::from(back) + usize::from(with)];
                self.with(list, name, Some(&id.to_string()))
            })
        };
        let by_age = order == Order::default();
        Paging {
            shown: match page.rows.len() {
                1 => format!("Showing 1 {what}"),
                // Counting how many there are in all would be slow.
                count if page.back.is_none() && page.further.is_some() => format!("Showing {what}s 1–{count}"),
                count => format!("Showing {count} {what}s"),
            },
            csv: Some(self.with(&format!("{list}.csv"), "", None)),
            back_word: if by_age { "Newer" } else { "Previous" },
            further_word: if by_age { "Older" } else { "Next" },
            back: link(page.back),
            further: link(page.further),
        }
    }

    /// How many rows the list has in all, as its tab says it: where nothing but the tab filters it.
    pub(super) fn in_all<'a>(&self, tabs: &'a Tabs, by: &str) -> Option<&'a str> {
        let is_place = |name: &str| PLACE.contains(&name) || name == "sort";
        let is_plain = self.0.iter().all(|(name, _)| name == by || is_place(name));
        tabs.tabs.iter().find(|tab| tab.current && is_plain)?.count.as_deref()
    }

    /// A tab that sets `name` to `value`.
    pub(super) fn tab(&self, list: &str, name: &str, value: Option<&str>, text: &str, count: Counted) -> Tab {
        Tab {
            link: Link::new(text, self.with(list, name, value)),
            count: counted(count),
            urgent: false,
            current: self.get(name).as_deref() == value,
        }
    }

    /// A list to choose from, as value and text; the first is for none of them.
    pub(super) fn select<'a>(
        &self,
        name: &str,
        label: &str,
        none: &'a str,
        choices: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Select {
        let chosen = self.get(name).unwrap_or_default();
        let choice = |(value, text): (&str, &str)| Choice {
            value: value.to_owned(),
            text: text.to_owned(),
            selected: chosen == value,
        };
        let choices = [("", none)].into_iter().chain(choices).map(choice).collect();
        Select { name: name.to_owned(), label: label.to_owned(), choices }
    }

    /// The form with a choice of variants before its other lists. Where a function configures variants at run time, there
    /// may be thousands, so a name is typed.
    pub(super) fn by_variant(&self, variants: &[String], is_typed: bool, mut form: Filter) -> Filter {
        if is_typed {
            form.fields.push(Field {
                name: "variant".to_owned(),
                kind: "text",
                label: "Variant".to_owned(),
                value: self.get("variant").unwrap_or_default(),
                hint: "Any variant".to_owned(),
                offers: variants.to_vec(),
                ..Field::default()
            });
            return form;
        }
        let choices = variants.iter().map(|name| (name.as_str(), name.as_str()));
        form.selects.insert(0, self.select("variant", "Variant", "Any variant", choices));
        form
    }
}

/// A number as a tab says it: `12`, `100+`, and `12+` where there may be more; none where none was found so far.
fn counted(Counted { count, is_more }: Counted) -> Option<String> {
    let [count, cap] = [count, COUNT_CAP].map(|number| u64::try_from(number).unwrap_or_default());
    let limit = if is_more { count.min(cap) } else { cap };
    (count > 0 || !is_more).then(|| words::count(count, limit))
}

/// An address with one field more.
fn joined(href: &str, name: &str, value: &str) -> String {
    let joint = if href.contains('?') { '&' } else { '?' };
    format!("{href}{joint}{name}={}", encode(value))
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::Fields;

    #[test]
    fn a_link_keeps_the_view_and_changes_one_field() {
        let req = TestRequest::with_uri("/x?status=paid&q=a%26b&before=7&variant=").to_http_request();
        let fields = Fields::of(&req);
        assert_eq!(fields.with("/l", "status", Some("failed")), "/l?q=a%26b&status=failed");
        let row = fields.leading("/l/1");
        assert_eq!(row, "/l/1?in=status%3Dpaid%26q%3Da%2526b");
        let opened = |row: &str| {
            let fields = Fields::of(&TestRequest::with_uri(row).to_http_request());
            let from = fields.opened_from(("own", "Own"), &[("other", "Other")]);
            from.view.with(from.path, "", None)
        };
        assert_eq!(opened(&row), "own?status=paid&q=a%26b");
        assert_eq!(opened(&fields.leading_from("other", "/l/1")), "other?status=paid&q=a%26b");
        assert_eq!(opened(&Fields::default().leading_from("other", "/l/1")), "other");
        assert_eq!(opened("/l/1?of=elsewhere"), "own");
        let moved = Fields::of(&TestRequest::with_uri(&fields.leading_from("other", "/l/1")).to_http_request());
        assert_eq!(opened(&moved.staying("/l/1/note?done=note")), "other?status=paid&q=a%26b");
        assert_eq!(Fields::default().leading("/l/1"), "/l/1");
        assert!(fields.leading("/l/1?done=refund").starts_with("/l/1?done=refund&in=status%3D"));
        assert_eq!(fields.with("/l", "status", None), "/l?q=a%26b");
        assert_eq!(fields.with("/l", "before", Some("3")), "/l?status=paid&q=a%26b&before=3");
    }
}
