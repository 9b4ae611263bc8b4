//! Lists with rows that can't be read: a word that no release of ours wrote must not hide all the others.

use super::view::Unreadable;
use crate::error::Error;
use crate::store::Tx;

/// The rows with these ids, in this order, and those that can't be read: only where there is one is each read by
/// itself.
pub(crate) fn readable<Id: Copy + PartialEq + Into<i64>, T>(
    tx: &mut dyn Tx,
    ids: &[Id],
    id_of: impl Fn(&T) -> Id,
    read: impl Fn(&mut dyn Tx, &[Id]) -> Result<Vec<T>, Error>,
) -> Result<(Vec<T>, Vec<Unreadable>), Error> {
    let mut rows = match read(tx, ids) {
        Err(error) if error.why_unreadable().is_some() => return one_by_one(tx, ids, read),
        rows => rows?,
    };
    rows.sort_by_cached_key(|row| ids.iter().position(|id| *id == id_of(row)));
    Ok((rows, Vec::new()))
}

fn one_by_one<Id: Copy + Into<i64>, T>(
    tx: &mut dyn Tx,
    ids: &[Id],
    read: impl Fn(&mut dyn Tx, &[Id]) -> Result<Vec<T>, Error>,
) -> Result<(Vec<T>, Vec<Unreadable>), Error> {
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().enumerate() {
        match read(tx, &[*id]) {
            Ok(row) => rows.extend(row),
            Err(error) => match error.why_unreadable() {
                Some(why) => unreadable.push(Unreadable { id: (*id).into(), at, why }),
                None => return Err(error),
            },
        }
    }
    Ok((rows, unreadable))
}
