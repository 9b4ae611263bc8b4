//! Do files or folders import each other, be it through others? Names each circle with what ties it.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Imports;

/// The circles among files, and those among what lies in one folder, where a folder counts as a whole.
pub(super) fn circles(imports: &Imports) -> Vec<String> {
    let among_files = tied(imports).into_iter().map(|circle| said(imports, &circle));
    let folders: BTreeSet<&str> = imports.keys().flat_map(|(from, _)| folders(from)).collect();
    let among_folders = folders.into_iter().flat_map(|folder| {
        let inside = inside(imports, folder);
        let with_a_folder = |circle: &BTreeSet<String>| circle.iter().any(|place| !place.ends_with(".rs"));
        let found = tied(&inside).into_iter().filter(with_a_folder);
        found.map(|circle| said(&inside, &circle)).collect::<Vec<_>>()
    });
    among_files.chain(among_folders).collect()
}

/// The folders that a file lies in.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The imports among the files and folders that lie in `folder`. Its `mod.rs` is the folder itself and left out.
fn inside(imports: &Imports, folder: &str) -> Imports {
    let place = |path: &str| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/').filter(|rest| *rest != "mod.rs")?;
        Some(format!("{folder}/{}", rest.split('/').next()?))
    };
    let mut found = Imports::new();
    for ((from, to), names) in imports {
        if let (Some(from), Some(to)) = (place(from), place(to))
            && from != to
        {
            found.entry((from, to)).or_default().extend(names.iter().cloned());
        }
    }
    found
}

/// The largest sets of places that all come back to each other.
fn tied(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let mut next = BTreeMap::<&str, Vec<&str>>::new();
    for (from, to) in imports.keys() {
        next.entry(from).or_default().push(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|from| (*from, reached(&next, from))).collect();
    let comes_back = |from: &str, to: &str| reached.get(to).is_some_and(|others| others.contains(from));
    let circle = |(from, others): (&&str, &BTreeSet<&str>)| {
        others.iter().filter(|to| comes_back(from, to)).map(|to| (*to).to_owned()).collect::<BTreeSet<_>>()
    };
    reached.iter().map(circle).filter(|circle| !circle.is_empty()).collect()
}

/// Where the imports of `from` lead in the end.
fn reached<'a>(next: &BTreeMap<&'a str, Vec<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(place) = open.pop() {
        open.extend(next.get(place).into_iter().flatten().filter(|to| reached.insert(**to)));
    }
    reached
}

/// A circle in words: who imports what from whom.
fn said(imports: &Imports, circle: &BTreeSet<String>) -> String {
    let ties = imports.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    let tie = |((from, to), names): (&(String, String), &BTreeSet<String>)| {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        format!("{from} imports {} from {to}", names.join(", "))
    };
    ties.map(tie).collect::<Vec<_>>().join("\n    ")
}
