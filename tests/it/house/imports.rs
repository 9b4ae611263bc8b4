//! Which file imports what from which? The crate's modules, the paths that they write, and where each path ends.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Token, Word, without_tests};

/// Pairs of files, the one that imports and the one that holds what it imports, with the names of that.
pub(super) type Imports = BTreeMap<(String, String), BTreeSet<String>>;

/// The imports among `files`, each a path and what stands there.
///
/// What a `mod.rs` or `lib.rs` re-exports from below its own folder is held by the file that defines it, and the
/// re-export alone is no import. A module is imported by whoever uses a name of it. A file that others include by
/// `#[path]` is compiled once for each of them; what it takes from those who include it is left out.
pub(super) fn imports(files: &[(&str, &[Token])]) -> Imports {
    let modules = Modules::of(files);
    let mut found = Imports::new();
    for (at, module) in modules.0.iter().enumerate() {
        let only_passes_on = |one: &&Use| modules.passes_on(at, one, 0) && !module.names.contains(&one.alias);
        let used = module.uses.iter().filter(|one| !only_passes_on(one)).map(|one| &one.path);
        for (holder, name) in used.chain(&module.paths).filter_map(|path| modules.end(at, path, 0)) {
            let holder = &modules.0[holder].file;
            if let Some(name) = name.filter(|_| *holder != module.file && !modules.is_included_by(at, holder)) {
                found.entry((module.file.clone(), holder.clone())).or_default().insert(name);
            }
        }
    }
    found
}

/// A file, or a part of one between the braces of a `mod`.
#[derive(Default)]
struct Module {
    file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// The files that include this one by `#[path]`; the first of them is its parent.
    includers: Vec<String>,
    uses: Vec<Use>,
    /// The paths outside of `use` declarations.
    paths: Vec<Vec<String>>,
    /// What the code calls by one name, without a path.
    names: BTreeSet<String>,
}

/// One name of a `use` declaration; `*` for all.
struct Use {
    path: Vec<String>,
    alias: String,
    is_public: bool,
}

/// The module where a path ends, and which name of it the path is about; without one it is about the module itself.
type End = (usize, Option<String>);

struct Modules(Vec<Module>);

impl Modules {
    fn of(files: &[(&str, &[Token])]) -> Self {
        let place =
            |path: &str| path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/lib").to_owned();
        let places: BTreeMap<_, _> = files.iter().enumerate().map(|(at, (path, _))| (place(path), at)).collect();
        let files = files.iter().enumerate();
        let mut all = Self(
            files.clone().map(|(_, (path, _))| Module { file: (*path).to_owned(), ..Module::default() }).collect(),
        );
        for (place, at) in &places {
            let parent = place.rsplit_once('/').and_then(|(parent, name)| Some((*places.get(parent)?, name)));
            if let Some((parent, name)) = parent {
                all.adopt(parent, name, *at);
            }
        }
        for (at, (path, tokens)) in files.clone() {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for (target, name) in included(tokens) {
                let Some(target) = places.get(&place(&format!("{folder}/{target}"))).copied() else { continue };
                if all.0[target].includers.is_empty() {
                    all.adopt(at, name, target);
                }
                all.0[at].children.insert(name.to_owned(), target);
                all.0[target].includers.push((*path).to_owned());
            }
        }
        for (at, (_, tokens)) in files {
            all.read(at, &without_tests(tokens));
        }
        all
    }

    fn adopt(&mut self, parent: usize, name: &str, child: usize) {
        self.0[parent].children.insert(name.to_owned(), child);
        self.0[child].parent = Some(parent);
    }

    /// Reads what the module at `at` says, and the modules between braces in it.
    fn read(&mut self, at: usize, tokens: &[Token]) {
        let says = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token.is(text));
        let is_path = |place: usize| says(place, ":") && says(place + 1, ":");
        let (mut open, mut depth, mut i) = (vec![(at, 0)], 0, 0);
        while let Some(token) = tokens.get(i) {
            let here = open[open.len() - 1].0;
            let follows = |text: &str| i > 0 && says(i - 1, text);
            // diesel makes a module of a `table!`.
            let is_inner = i >= 2 && token.is("{") && (says(i - 2, "mod") || (says(i - 2, "table") && follows("!")));
            if is_inner {
                let inner = Module { file: self.0[at].file.clone(), ..Module::default() };
                self.0.push(inner);
                self.adopt(here, tokens[i - 1].name().unwrap_or("table!"), self.0.len() - 1);
                open.push((self.0.len() - 1, depth));
            }
            depth += usize::from(token.is("{"));
            if token.is("}") {
                depth = depth.saturating_sub(1);
                open.pop_if(|(inner, before)| *inner != at && *before == depth);
            } else if token.is("pub") && says(i + 1, "(") {
                i += tokens[i..].iter().take_while(|token| !token.is(")")).count();
            } else if token.is("use") && !says(i + 1, "<") {
                let is_public = follows("pub") || (follows(")") && i > 1);
                let mut names = Vec::new();
                i = used(tokens, i + 1, Vec::new(), &mut names);
                let names = names.into_iter().map(|(path, alias)| Use { path, alias, is_public });
                self.0[here].uses.extend(names);
            } else if let Some(name) = token.name().filter(|_| !follows(".") && !follows("fn")) {
                let mut path = vec![name.to_owned()];
                let of_a_macro = follows("$") && name != "crate";
                while is_path(i + 1) && tokens.get(i + 3).is_some_and(|next| next.name().is_some()) {
                    i += 3;
                    path.extend(tokens[i].name().map(str::to_owned));
                }
                if path.len() > 1 && of_a_macro {
                    // `$page::ROUTES` may be said of every child.
                    let children: Vec<_> = self.0[here].children.keys().cloned().collect();
                    let paths = children.into_iter().map(|child| [&[child], &path[1..]].concat());
                    self.0[here].paths.extend(paths);
                } else if path.len() > 1 {
                    self.0[here].paths.push(path);
                } else if says(i + 1, "(") || name.starts_with(char::is_uppercase) {
                    self.0[here].names.insert(name.to_owned());
                }
            }
            i += 1;
        }
    }

    /// Is this a re-export by a `mod.rs` or `lib.rs` of what is held below its folder?
    fn passes_on(&self, at: usize, one: &Use, turns: usize) -> bool {
        let file = &self.0[at].file;
        let folder = file.strip_suffix("mod.rs").or_else(|| file.strip_suffix("lib.rs"));
        let holder = || self.end(at, &one.path, turns + 1).map(|(holder, _)| &self.0[holder].file);
        let is_below = |folder| holder().is_some_and(|holder| holder != file && holder.starts_with(folder));
        one.is_public && one.alias != "*" && folder.is_some_and(is_below)
    }

    /// Is the module `at`, or one around it, included by `file`?
    fn is_included_by(&self, at: usize, file: &str) -> bool {
        let around = std::iter::successors(Some(at), |at| self.0[*at].parent);
        around.into_iter().any(|at| self.0[at].includers.iter().any(|includer| includer == file))
    }

    /// Where a path ends that the module `at` writes; nowhere if it leads to another crate. `turns` counts the names
    /// that stand for other paths, which could go round.
    fn end(&self, at: usize, path: &[String], turns: usize) -> Option<End> {
        let (first, rest) = path.split_first().filter(|_| turns < 8)?;
        let mut end = match first.as_str() {
            "crate" => (self.0.iter().position(|module| module.file == "src/lib.rs")?, None),
            "self" => (at, None),
            "super" => (self.0[at].parent?, None),
            name => self.known(at, name, rest.is_empty(), turns, |_| true)?,
        };
        for (i, name) in rest.iter().enumerate() {
            // What follows a name that is no module's is held where that is.
            let (module, None) = end else { break };
            let passed_on = |one: &Use| self.passes_on(module, one, turns);
            end = match name.as_str() {
                "super" => (self.0[module].parent?, None),
                name => {
                    let known = self.known(module, name, i + 1 == rest.len(), turns, passed_on);
                    known.unwrap_or_else(|| (module, Some(name.to_owned())))
                }
            };
        }
        Some(end)
    }

    /// What the module `at` calls `name`: a name that it uses and that `counts`, or a child. A function may be called
    /// like the child that holds it; where a path goes on, the child is meant.
    fn known(&self, at: usize, name: &str, is_last: bool, turns: usize, counts: impl Fn(&Use) -> bool) -> Option<End> {
        let module = &self.0[at];
        let child = module.children.get(name).map(|child| (*child, None));
        let used = || {
            let mut used = module.uses.iter().filter(|one| one.alias == name && counts(one));
            used.find_map(|one| self.end(at, &one.path, turns + 1))
        };
        if is_last { used().or(child) } else { child.or_else(used) }
    }
}

/// The names of a `use` declaration from `place` on, each with its path, and the place behind them.
fn used(tokens: &[Token], place: usize, mut path: Vec<String>, found: &mut Vec<(Vec<String>, String)>) -> usize {
    let says = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token.is(text));
    let mut i = place;
    while let Some(token) = tokens.get(i) {
        i += 1;
        if token.is("{") {
            while i < tokens.len() && !says(i, "}") {
                i = used(tokens, i, path.clone(), found);
                i += usize::from(says(i, ","));
            }
            return i + 1;
        }
        path.extend(token.name().or(token.is("*").then_some("*")).map(str::to_owned));
        if !says(i, ":") && !token.is(":") {
            break;
        }
    }
    path.pop_if(|last| last == "self");
    let alias = if says(i, "as") { tokens.get(i + 1).and_then(Token::name) } else { path.last().map(String::as_str) };
    let alias = alias.unwrap_or("_").to_owned();
    found.push((path, alias));
    if says(i, "as") { i + 2 } else { i }
}

/// The modules that a file includes by `#[path = "…"] mod …;`: where, and as what.
fn included(tokens: &[Token]) -> Vec<(&str, &str)> {
    let starts = (0..tokens.len()).filter(|at| tokens[*at].is("path") && *at >= 2 && tokens[*at - 1].is("["));
    starts
        .filter_map(|at| match tokens.get(at + 2..at + 6)? {
            [Token { word: Word::Literal(target), .. }, _, module, name] if module.is("mod") => {
                Some((target.as_str(), name.name()?))
            }
            _ => None,
        })
        .collect()
}
