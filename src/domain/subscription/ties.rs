//! Which of several snapshots of one moment is the last. Gateways whose times have whole seconds send several within
//! one; a snapshot that names the values before it comes right after the one that has these values, and one that shows
//! less progress comes before one that shows more.

use super::snapshot::SubscriptionSnapshot;

/// Snapshots with the same content.
struct Group<'a>(Vec<&'a SubscriptionSnapshot>);

impl<'a> Group<'a> {
    /// Whether `other` is known to come after this one.
    fn is_before(&self, other: &Self) -> bool {
        let any = |is: &dyn Fn(&SubscriptionSnapshot, &SubscriptionSnapshot) -> bool| {
            other.0.iter().any(|later| self.0.iter().any(|earlier| is(earlier, later)))
        };
        let is_first = |group: &Self| group.0.iter().any(|one| one.is_first);
        let is_short_of = matches!((self.progress(), other.progress()), (Some(less), Some(more)) if less < more);
        any(&is_right_before) || (is_first(self) && !is_first(other)) || is_short_of
    }

    /// The most that one of them shows: the same content may come back with more.
    fn progress(&self) -> Option<&'a String> {
        self.0.iter().filter_map(|one| one.progress.as_ref()).max()
    }

    fn greatest(&self) -> Option<&'a SubscriptionSnapshot> {
        self.0.iter().copied().max_by(|a, b| a.likelihood().cmp(&b.likelihood()))
    }
}

/// Whether all that differs between the two is what the later one names, with the values of the earlier one.
fn is_right_before(earlier: &SubscriptionSnapshot, later: &SubscriptionSnapshot) -> bool {
    if later.previous.is_empty() {
        return false;
    }
    let mut values = later.values.clone();
    values.extend(later.previous.clone());
    values == earlier.values
}

/// The last of these snapshots, which are of one moment, and whether that is certain. `None` if there are none. The
/// order in which they are given makes no difference.
pub(super) fn last<'a>(
    snapshots: impl IntoIterator<Item = &'a SubscriptionSnapshot>,
) -> Option<(&'a SubscriptionSnapshot, bool)> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for snapshot in snapshots {
        match groups.iter_mut().find(|group| group.0[0].content == snapshot.content) {
            Some(group) => group.0.push(snapshot),
            None => groups.push(Group(vec![snapshot])),
        }
    }
    let is_followed = |one: &Group<'_>| groups.iter().any(|other| !std::ptr::eq(one, other) && one.is_before(other));
    let lasts: Vec<&Group<'_>> = groups.iter().filter(|group| !is_followed(group)).collect();
    let is_certain = lasts.len() == 1 && !has_circle(&groups);
    let candidates: Vec<&Group<'_>> = if lasts.is_empty() { groups.iter().collect() } else { lasts };
    let greatest = candidates.into_iter().filter_map(Group::greatest);
    greatest.max_by(|a, b| a.likelihood().cmp(&b.likelihood())).map(|last| (last, is_certain))
}

/// Whether one comes before itself by way of others, as where a value changed forth and back within the moment.
fn has_circle(groups: &[Group<'_>]) -> bool {
    let mut left: Vec<&Group<'_>> = groups.iter().collect();
    loop {
        let has_earlier =
            |group: &Group<'_>| left.iter().any(|other| !std::ptr::eq(*other, group) && other.is_before(group));
        let later: Vec<&Group<'_>> = left.iter().copied().filter(|group| has_earlier(group)).collect();
        match later.len() {
            0 => return false,
            count if count == left.len() => return true,
            _ => left = later,
        }
    }
}
