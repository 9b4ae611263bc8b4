//! Does the source keep the house rules? What a review would say again and again is said here once, with file and line.

use std::collections::BTreeSet;

mod circles;
mod documents;
mod expanding;
mod imports;
mod sentences;
mod source;

use circles::circles;
use imports::imports;
use source::{Token, Word, files, roots, test_files, tokens, without_tests};

/// Who may import whom: the rooms from the bottom to the top. A room may always use itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("error", &[]),
    ("telemetry", &["domain"]),
    ("gateways", &["domain", "error"]),
    ("store", &["domain", "error", "telemetry"]),
    ("engine", &["domain", "error", "telemetry", "gateways", "store"]),
    ("pipeline", &["domain", "error", "telemetry", "gateways", "store", "engine"]),
    ("operations", &["domain", "error", "telemetry", "gateways", "store", "engine", "pipeline"]),
    ("reports", &["domain", "error", "gateways", "store", "engine", "pipeline"]),
    ("alarms", &["domain", "error", "engine", "pipeline", "reports", "store"]),
    ("acts", &["domain", "error", "gateways", "store", "engine", "pipeline", "reports"]),
    ("payments", &["domain", "error", "gateways", "store", "engine", "pipeline", "operations", "reports"]),
    ("worker", &["domain", "error", "engine", "pipeline", "operations", "payments"]),
    ("web", &["domain", "error", "gateways", "engine", "payments"]),
    (
        "admin",
        &[
            "domain",
            "error",
            "gateways",
            "store",
            "engine",
            "pipeline",
            "operations",
            "reports",
            "acts",
            "payments",
            "web",
        ],
    ),
    ("mount", &["domain", "error", "engine", "payments", "web", "admin"]),
    ("cli", &["domain", "error", "store", "engine", "operations", "reports", "acts", "payments", "admin"]),
    (
        "lib",
        &[
            "cli",
            "telemetry",
            "domain",
            "error",
            "gateways",
            "store",
            "engine",
            "pipeline",
            "operations",
            "reports",
            "acts",
            "alarms",
            "payments",
            "worker",
            "web",
            "admin",
            "mount",
        ],
    ),
    ("testing", &["domain", "error", "gateways", "store", "engine", "payments", "worker"]),
];

/// A source file read for the rules.
struct File {
    path: String,
    text: String,
    tokens: Vec<Token>,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), tokens: tokens(text) }
    }

    /// `src/web/webhook.rs` is in `web`, and `src/mount.rs` is all of `mount`.
    fn room(&self) -> &str {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inside.split('/').next().unwrap()
    }

    /// How many modules below the root.
    fn depth(&self) -> usize {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if inside == "lib" { 0 } else { inside.split('/').count() }
    }

    /// How the paths begin of the files that only tests compile: `src/admin/preview.` and `src/admin/preview/`.
    fn modules_for_tests(&self) -> Vec<String> {
        let folder = self.path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/lib");
        let modules = test_files(&self.tokens).into_iter();
        modules.flat_map(|name| [format!("{folder}/{name}."), format!("{folder}/{name}/")]).collect()
    }

    fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// The places where one of `names` stands as a name of the code.
    fn naming<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
        let found = self.tokens.iter().filter(|token| token.name().is_some_and(|name| names.contains(&name)));
        found.map(|token| self.at(token.line, token.name().unwrap()))
    }
}

fn sources() -> Vec<File> {
    let sources: Vec<_> = files("src").iter().map(|(path, text)| File::new(path, text)).collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

#[track_caller]
fn assert_none(rule: &str, violations: Vec<String>) {
    assert!(violations.is_empty(), "{rule}\n  {}", violations.join("\n  "));
}

fn trespasses(file: &File) -> Vec<String> {
    let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| *room == file.room()) else {
        return vec![file.at(1, "belongs to no room")];
    };
    let taken = roots(&file.tokens, file.depth()).into_iter();
    let forbidden = taken.filter(|(_, name)| name != room && !allowed.contains(&name.as_str()));
    forbidden.map(|(line, name)| file.at(line, format!("{room} imports {name}"))).collect()
}

#[test]
fn rooms_import_only_what_lies_below() {
    let found = sources().iter().flat_map(trespasses).collect();
    assert_none("see ROOMS for who may import whom; take a name from its room, not from the root", found);
}

#[test]
fn a_trespass_is_seen_however_it_is_written() {
    let text = r###"//! A sentence that says crate::store.
        use crate::{admin::Page, domain::{money::Money, web}, worker as w};
        /* use crate::admin; /* crate::mount */ */
        fn f<'a>(c: char) -> &'a str { if c == '"' { crate::mount::f() }; r#"crate::testing "::" "# }
        fn g() { super::super::admin::g(); super::helper(); "\"crate::testing"; }
        mod tests { use super::super::*; use super::super::super::worker; }
        use crate::Payments; use crate::*; pub(in crate::web) struct S; pub(crate) struct T;
    "###;
    let found = trespasses(&File::new("src/web/page.rs", text));
    let expected = [(2, "admin"), (2, "worker"), (4, "mount"), (5, "admin"), (6, "worker"), (7, "Payments"), (7, "*")];
    assert_eq!(found, expected.map(|(line, name)| format!("src/web/page.rs:{line}: web imports {name}")));
    assert_eq!(trespasses(&File::new("src/odd/mod.rs", "")), ["src/odd/mod.rs:1: belongs to no room"]);
    assert_eq!(trespasses(&File::new("src/store/mod.rs", "use super::gateways;")).len(), 1);
    assert!(trespasses(&File::new("src/error.rs", "mod tests { use super::*; }")).is_empty());
    assert!(trespasses(&File::new("src/store.rs", "table! { use super::Instant; }")).is_empty());
}

/// The folders that may have circles for now.
const TANGLED: &[&str] = &[];

fn circles_of(files: &[File]) -> Vec<String> {
    let tests: Vec<_> = files.iter().flat_map(File::modules_for_tests).collect();
    let compiled = files.iter().filter(|file| !tests.iter().any(|test| file.path.starts_with(test.as_str())));
    let mut found = imports(&compiled.map(|file| (file.path.as_str(), &file.tokens[..])).collect::<Vec<_>>());
    let is_tangled = |path: &str| TANGLED.iter().any(|folder| path.starts_with(folder));
    found.retain(|(from, to), _| !is_tangled(from) && !is_tangled(to));
    circles(&found)
}

#[test]
fn no_two_files_or_folders_import_each_other() {
    assert_none("move what both need to a file that both may import", circles_of(&sources()));
}

#[test]
fn a_circle_is_seen_however_it_is_tied() {
    let found = |files: &[(&str, &str)]| {
        let root = [("src/lib.rs", "pub use a::A; pub use {b::B, c::C as D}; mod a; mod b; mod c; mod x;")];
        let files = root.iter().chain(files).map(|(path, text)| File::new(path, text));
        circles_of(&files.collect::<Vec<_>>()).join("; ").replace("src/", "").replace("\n   ", ",")
    };
    let both = "a.rs imports B from b.rs, b.rs imports A from a.rs";
    assert_eq!(found(&[("src/a.rs", "use super::b::{B};"), ("src/b.rs", "pub struct B(crate::a::A);")]), both);
    assert_eq!(found(&[("src/a.rs", "use crate::b; fn f() { b::B }"), ("src/b.rs", "use crate::a::A as X;")]), both);
    let three = [("src/a.rs", "use crate::B;"), ("src/b.rs", "use super::D;"), ("src/c.rs", "use crate::{x, A};")];
    assert_eq!(found(&three), "a.rs imports B from b.rs, b.rs imports C from c.rs, c.rs imports A from a.rs");
    assert_eq!(found(&three[..2]), "");
    let text = "#[cfg(test)] mod tests { use crate::b::B; } // crate::b::B\nmod b { use super::super::c::C; }";
    assert_eq!(found(&[("src/a.rs", text), ("src/b.rs", "use crate::a::A;"), ("src/c.rs", "use crate::b2::B;")]), "");

    // The root of a folder has to use what it passes on, to take all names, or to list its pages by a macro.
    let leaf = ("src/x/a.rs", "use super::S;");
    let tie = |name: &str| format!("x/a.rs imports S from x/mod.rs, x/mod.rs imports {name} from x/a.rs");
    assert_eq!(found(&[leaf, ("src/x/mod.rs", "mod a; pub use a::A; pub struct S;")]), "");
    assert_eq!(found(&[leaf, ("src/x/mod.rs", "mod a; pub use a::A; pub struct S(A);")]), tie("A"));
    assert_eq!(found(&[leaf, ("src/x/mod.rs", "mod a; use a::*; pub struct S;")]), tie("*"));
    assert_eq!(found(&[leaf, ("src/x/mod.rs", "macro_rules! m { ($p:ident) => { $p::P } }")]), tie("P"));

    let roots = [("src/x/mod.rs", ""), ("src/x/f/mod.rs", ""), ("src/x/g/mod.rs", "pub use c::C; mod c; mod d;")];
    let ones = [("src/x/f/a.rs", "use crate::x::g::C;"), ("src/x/g/c.rs", "")];
    let others = [("src/x/f/b.rs", ""), ("src/x/g/d.rs", "use super::super::f::b::B;")];
    assert_eq!(found(&[roots.as_slice(), &ones].concat()), "");
    let folders = found(&[roots.as_slice(), &ones, &others].concat());
    assert_eq!(folders, "x/f imports C from x/g, x/g imports B from x/f");

    // Who is included by others may use them, but not come back to them through others.
    let includer = ("src/x/one.rs", "#[path = \"many.rs\"]\nmod copies; use copies::M;");
    let others = [("src/x/mod.rs", ""), includer, ("src/x/y.rs", "use super::one::O;")];
    assert_eq!(found(&[others.as_slice(), &[("src/x/many.rs", "use super::O;")]].concat()), "");
    let ties = "x/many.rs imports Y from x/y.rs, x/one.rs imports M from x/many.rs, x/y.rs imports O from x/one.rs";
    assert_eq!(found(&[others.as_slice(), &[("src/x/many.rs", "use super::super::y::Y;")]].concat()), ties);
}

fn impure(file: &File) -> Vec<String> {
    let foreign = ["diesel", "tokio", "rand", "getrandom", "SystemTime", "now_utc", "async", "await"];
    let mut found: Vec<_> = file.naming(&foreign).collect();
    for (i, token) in file.tokens.iter().enumerate() {
        let is_clock = token.is("Instant") && file.tokens.get(i + 3).is_some_and(|next| next.is("now"));
        let is_actix = token.name().is_some_and(|name| name.starts_with("actix"));
        if is_clock || is_actix {
            found.push(file.at(token.line, token.name().unwrap()));
        }
    }
    found
}

#[test]
fn the_domain_is_pure() {
    let found = sources().iter().filter(|file| file.room() == "domain").flat_map(impure).collect();
    assert_none("the domain knows no async, no actix, no diesel, no clock and no randomness", found);
    let bad =
        File::new("src/domain/bad.rs", "use actix_web::web;\nlet now = Instant::now(); // tokio\nrand::random();");
    assert_eq!(impure(&bad).len(), 3);
}

#[test]
fn diesel_stays_in_the_store() {
    let outside = sources().into_iter().filter(|file| !["store", "lib"].contains(&file.room()));
    let found = outside.flat_map(|file| file.naming(&["diesel"]).collect::<Vec<_>>()).collect();
    assert_none("diesel stays in src/store", found);
}

#[test]
fn outgoing_http_stays_in_the_gateways() {
    let outside = sources().into_iter().filter(|file| file.room() != "gateways");
    let found = outside.flat_map(|file| file.naming(&["ureq"]).collect::<Vec<_>>()).collect();
    assert_none("outgoing HTTP stays in src/gateways", found);
}

/// The places where code (comments and tests apart) says one of `gateways`, in a name or in a literal.
fn gateways_named(file: &File, gateways: &[String]) -> Vec<String> {
    let code = without_tests(&file.tokens).into_iter().filter_map(|token| match token.word {
        Word::Name(said) | Word::Literal(said) => Some((token.line, said)),
        Word::Mark(_) => None,
    });
    let names = |said: &str| gateways.iter().any(|gateway| said.to_lowercase().contains(gateway));
    code.filter(|(_, said)| names(said)).map(|(line, said)| file.at(line, said)).collect()
}

#[test]
fn no_gateways_name_decides_anything() {
    // The dummy is left out: it is no company, and its checkout page needs a stylesheet from `web`.
    let folders = files("src/gateways").into_iter().filter_map(|(path, _)| {
        let inside = path.trim_start_matches("src/gateways/").to_owned();
        inside.split_once('/').map(|(folder, _)| folder.to_owned())
    });
    let gateways: BTreeSet<_> = folders.filter(|folder| folder != "dummy").collect();
    let gateways: Vec<_> = gateways.into_iter().collect();
    assert!(gateways.contains(&"stripe".to_owned()));
    let sources = sources();
    let tests: Vec<String> = sources.iter().flat_map(File::modules_for_tests).collect();
    let is_test = |file: &File| tests.iter().any(|test| file.path.starts_with(test.as_str()));
    let outside =
        sources.iter().filter(|file| !["gateways", "testing", "lib"].contains(&file.room()) && !is_test(file));
    let found = outside.flat_map(|file| gateways_named(file, &gateways)).collect();
    assert_none("only a gateway's own folder says its name", found);

    let text = "// Stripe\nmatch v { \"stripe\" => 1 }\nuse StripeX;\n#[cfg(test)]\nmod tests { const S: &str = \"stripe\"; }\nx";
    assert_eq!(gateways_named(&File::new("src/web/bad.rs", text), &gateways).len(), 2);
    let parent = File::new("src/admin/mod.rs", "mod a;\n#[cfg(test)]\nmod preview;\n#[cfg(test)] mod tests {}");
    assert_eq!(parent.modules_for_tests(), ["src/admin/preview.", "src/admin/preview/"]);
}

#[test]
fn files_are_short_named_well_and_open_with_a_sentence() {
    let found = sources().iter().flat_map(shape).collect();
    assert_none("each file opens with one sentence, is named after its work, and stays under 350 lines", found);
    assert_eq!(shape(&File::new("src/web/utils.rs", &"\n".repeat(400))).len(), 3);
}

fn shape(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    let shunned = ["utils", "util", "common", "helpers", "helper", "types"];
    let mut found = Vec::new();
    if !file.text.starts_with("//! ") {
        found.push(file.at(1, "does not open with //!"));
    }
    if lines > 350 {
        found.push(file.at(lines, "is too long"));
    }
    if file.path.split(['/', '.']).any(|part| shunned.contains(&part)) {
        found.push(file.at(1, "is named after nothing"));
    }
    found
}

/// What a strict content security policy would refuse, or what would escape escaping.
fn unsafe_html(path: &str, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let line = |place: usize| text[..place].matches('\n').count() + 1;
    let mut found = Vec::new();
    let mut forbid = |place: usize, what: &str| found.push(format!("{path}:{}: {what}", line(place)));
    for (place, _) in text.match_indices('|') {
        if text[place + 1..].trim_start().starts_with("safe") {
            forbid(place, "|safe");
        }
    }
    for (place, _) in text.match_indices("<script") {
        let content = text[place..].split_once('>').map_or("", |(_, rest)| rest).split("</script").next();
        if content.is_some_and(|content| !content.trim().is_empty()) {
            forbid(place, "inline script");
        }
    }
    for (place, _) in text.match_indices("<style") {
        forbid(place, "inline style");
    }
    for (place, _) in text.match_indices('=') {
        let name = text[..place].rsplit(|c: char| !c.is_ascii_lowercase()).next().unwrap();
        let is_attribute = text[..place - name.len()].ends_with(char::is_whitespace);
        let is_quoted = text[place + 1..].starts_with(['"', '\'', '{']);
        if is_attribute && is_quoted && (name == "style" || (name.starts_with("on") && name.len() > 2)) {
            forbid(place, name);
        }
    }
    found
}

#[test]
fn templates_have_no_inline_style_or_script_and_trust_no_text() {
    let found = files("templates").iter().flat_map(|(path, text)| unsafe_html(path, text)).collect();
    assert_none("templates live under a strict content security policy", found);

    let bad = "<p style=\"x\">{{ a|safe }}{{ b | safe }}\n<b onclick='f()'><script>f()</script><style></style>";
    assert_eq!(unsafe_html("bad", bad).len(), 6);
    let good =
        "<script src=\"a.js\" defer></script><p class=\"style\">a = b, on = c</p>{% if on == style %}{% endif %}";
    assert_eq!(unsafe_html("good", good), Vec::<String>::new());
}

#[test]
fn every_migration_is_compiled_in_for_both_databases() {
    let (_, list) = files("src/store").into_iter().find(|(path, _)| path == "src/store/migrations.rs").unwrap();
    let folders = |database: &str| -> BTreeSet<String> {
        let steps = files(&format!("migrations/{database}")).into_iter();
        steps.map(|(path, _)| path.split('/').nth(2).unwrap().to_owned()).collect()
    };
    assert_eq!(folders("sqlite"), folders("postgres"), "both databases take the same steps");
    assert!(!folders("sqlite").is_empty());
    assert_eq!(compiled_in(&list), folders("sqlite"), "src/store/migrations.rs");
}

/// The names in `migrations!($folder: "first", "second")`.
fn compiled_in(list: &str) -> BTreeSet<String> {
    let tokens = tokens(list);
    let is_call = |at: usize| tokens[at].is("migrations") && tokens.get(at + 1).is_some_and(|next| next.is("!"));
    let names = |at: usize| -> BTreeSet<String> {
        let inside = tokens[at + 3..].iter().take_while(|token| !token.is(")"));
        inside
            .filter_map(|token| if let Word::Literal(name) = &token.word { Some(name.clone()) } else { None })
            .collect()
    };
    (0..tokens.len()).filter(|at| is_call(*at)).map(names).find(|names| !names.is_empty()).expect("a list")
}
