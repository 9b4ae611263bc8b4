//! What do others' programs say? Stripe's own SDKs sign and verify, its command line triggers events at a fake of
//! Stripe that others wrote, and a real browser shows the pages. Each is a process beside the test; `scripts/test`
//! installs them.

// Each test needs a few of these.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The folder with the installed libraries: `TEST_TOOLS`, or where `scripts/test` puts them by default.
fn installed() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools");
    let folder = std::env::var_os("TEST_TOOLS").map_or_else(default, PathBuf::from);
    assert!(folder.is_dir(), "no test tools in {}: run scripts/test, which installs them", folder.display());
    folder
}

/// A program of `tests/tools` that answers each line with one line, and ends when its stdin does.
struct Conversation {
    name: &'static str,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Conversation {
    fn start(program: impl AsRef<Path>, script: &'static str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(script);
        let mut child = Command::new(program.as_ref())
            .arg(path)
            .env("TEST_TOOLS", installed())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} for {script}: {error}; run scripts/test", program.as_ref().display()));
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { name: script, child, questions, answers }
    }

    fn ask(&mut self, question: &Value) -> String {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").and_then(|()| questions.flush()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "{} ended instead of answering {question}", self.name);
        answer.truncate(answer.trim_end().len());
        answer
    }
}

impl Drop for Conversation {
    /// Closes its stdin, at which it tidies up and ends.
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// One of Stripe's own SDKs.
pub(crate) struct Signer(Conversation);

impl Signer {
    pub(crate) fn node() -> Self {
        Self(Conversation::start("node", "sign_stripe.mjs"))
    }

    pub(crate) fn python() -> Self {
        Self(Conversation::start(installed().join("venv/bin/python"), "sign_stripe.py"))
    }

    /// The `Stripe-Signature` header for `body`, at `timestamp` in Unix seconds.
    pub(crate) fn sign(&mut self, secret: &str, timestamp: i64, body: &str) -> String {
        let answer = self.0.ask(&json!({"secret": secret, "timestamp": timestamp, "body": body}));
        assert!(answer.starts_with("t="), "{} said {answer}", self.0.name);
        answer
    }

    /// Does the SDK take `header` for `body`, whatever its age? If not, why?
    pub(crate) fn verify(&mut self, secret: &str, header: &str, body: &str) -> Result<(), String> {
        let answer = self.0.ask(&json!({"secret": secret, "header": header, "body": body}));
        match answer.strip_prefix("refused: ") {
            Some(why) => Err(why.to_owned()),
            None if answer == "accepted" => Ok(()),
            None => panic!("{} said {answer}", self.0.name),
        }
    }
}

/// A Stripe that others wrote: localstripe. It knows nothing yet and ends with this.
pub(crate) struct Counterpart {
    _process: Conversation,
    /// Where it serves Stripe's API.
    pub(crate) address: String,
}

impl Counterpart {
    /// An API key that it takes, and Stripe's command line too.
    pub(crate) const API_KEY: &str = "sk_test_counterpart";

    pub(crate) fn start() -> Self {
        let mut process = Conversation::start(installed().join("venv/bin/python"), "counterpart.py");
        let address = process.ask(&json!("where?"));
        assert!(address.starts_with("http://127.0.0.1:"), "counterpart.py said {address}");
        Self { _process: process, address }
    }

    /// `stripe trigger KIND…` of Stripe's own command line, against this instead of Stripe; answers whether it calls
    /// that a success, and all that it said.
    pub(crate) fn trigger(&self, kind: &str, changes: &[&str]) -> (bool, String) {
        self.run(&[&["trigger", kind][..], changes].concat())
    }

    /// `stripe fixtures FILE` with this scenario; answers as [`trigger`](Self::trigger) does.
    pub(crate) fn fixtures(&self, scenario: &Value) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenario.json");
        std::fs::write(&file, scenario.to_string()).unwrap();
        self.run(&["fixtures", file.to_str().unwrap()])
    }

    fn run(&self, words: &[&str]) -> (bool, String) {
        let shim = installed().join("node_modules/@stripe/cli/bin/shim.js");
        // It writes its configuration into the home folder.
        let home = tempfile::tempdir().unwrap();
        let output = Command::new("node")
            .arg(shim)
            .args(words)
            .args(["--api-base", &self.address, "--api-key", Self::API_KEY])
            .env("HOME", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("STRIPE_API_KEY")
            .env("STRIPE_CLI_TELEMETRY_OPTOUT", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("node for Stripe's command line: {error}; run scripts/test"));
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), said.concat())
    }
}

/// How a page is looked at. Cookies and console are kept from page to page while this stays the same.
#[derive(Clone)]
pub(crate) struct View<'a> {
    pub(crate) javascript: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    /// The browser's time zone.
    pub(crate) zone: &'a str,
    /// Name and password for HTTP basic authentication.
    pub(crate) auth: Option<(&'a str, &'a str)>,
}

impl Default for View<'_> {
    fn default() -> Self {
        Self { javascript: true, width: 1280, height: 900, dark: false, zone: "UTC", auth: None }
    }
}

/// The installed Chromium, with nothing kept from before. Tests take turns with it: several browsers on a small
/// machine only wait for each other. Whatever it can't do within twenty seconds panics and says why.
pub(crate) struct Browser(MutexGuard<'static, Conversation>);

impl Browser {
    pub(crate) fn start() -> Self {
        static ONE: LazyLock<Mutex<Conversation>> =
            LazyLock::new(|| Mutex::new(Conversation::start("node", "browser.mjs")));
        let mut browser = Self(ONE.lock().unwrap_or_else(PoisonError::into_inner));
        browser.ask(json!({"cmd": "fresh"}));
        browser
    }

    fn ask(&mut self, question: Value) -> Value {
        let answer: Value = serde_json::from_str(&self.0.ask(&question)).unwrap();
        assert!(answer["error"].is_null(), "the browser, asked for {question}: {}", answer["error"]);
        answer
    }

    fn ask_text(&mut self, field: &str, question: Value) -> String {
        self.ask(question)[field].as_str().unwrap().to_owned()
    }

    /// Opens a page and answers its HTTP status.
    pub(crate) fn open(&mut self, url: &str, view: &View) -> u64 {
        let question = json!({
            "cmd": "open",
            "url": url,
            "javascript": view.javascript,
            "width": view.width,
            "height": view.height,
            "scheme": if view.dark { "dark" } else { "light" },
            "zone": view.zone,
            "auth": view.auth.map(|(user, password)| json!({"user": user, "password": password})),
        });
        self.ask(question)["status"].as_u64().unwrap()
    }

    /// Clicks the first match of a CSS selector, and answers the address it led to.
    pub(crate) fn click(&mut self, selector: &str) -> String {
        self.ask_text("url", json!({"cmd": "click", "selector": selector}))
    }

    /// Clicks the link, button or text that says `text`, and answers the address it led to.
    pub(crate) fn click_text(&mut self, text: &str) -> String {
        self.ask_text("url", json!({"cmd": "click", "text": text}))
    }

    /// Fills a field, or chooses from a select by value or label.
    pub(crate) fn fill(&mut self, selector: &str, value: &str) {
        self.ask(json!({"cmd": "fill", "selector": selector, "value": value}));
    }

    /// Presses the first button of a form, and answers the address it led to.
    pub(crate) fn submit(&mut self, form: &str) -> String {
        self.ask_text("url", json!({"cmd": "submit", "selector": form}))
    }

    /// Clicks the link that says `text`, and answers name and content of the file that it saves.
    pub(crate) fn download(&mut self, text: &str) -> (String, String) {
        let file = self.ask(json!({"cmd": "download", "text": text}));
        (file["name"].as_str().unwrap().to_owned(), file["text"].as_str().unwrap().to_owned())
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        self.ask(json!({"cmd": "press", "key": key}));
    }

    /// Presses Enter in a field, and answers the address it led to.
    pub(crate) fn enter(&mut self, selector: &str) -> String {
        self.ask_text("url", json!({"cmd": "enter", "selector": selector}))
    }

    /// How many clicks, fields filled and keys pressed it took since a page was opened by its address.
    pub(crate) fn steps(&mut self) -> u64 {
        self.ask(json!({"cmd": "steps"}))["steps"].as_u64().unwrap()
    }

    /// What a JavaScript expression gives in the page.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        self.ask(json!({"cmd": "run", "script": script}))["value"].take()
    }

    /// The text of the first match, as displayed, each white space one space.
    pub(crate) fn text(&mut self, selector: &str) -> String {
        let text = self.ask_text("text", json!({"cmd": "text", "selector": selector}));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The first match as it stands in the document, its own tag included.
    pub(crate) fn html(&mut self, selector: &str) -> String {
        self.ask_text("html", json!({"cmd": "html", "selector": selector}))
    }

    pub(crate) fn url(&mut self) -> String {
        self.ask_text("url", json!({"cmd": "url"}))
    }

    pub(crate) fn count(&mut self, selector: &str) -> u64 {
        self.ask(json!({"cmd": "count", "selector": selector}))["count"].as_u64().unwrap()
    }

    /// Every error and every violation of the content security policy since the view last changed.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let answer = self.ask(json!({"cmd": "console"}));
        let lists = [&answer["errors"], &answer["csp"]];
        lists
            .into_iter()
            .flat_map(|list| list.as_array().unwrap())
            .map(|said| said.as_str().unwrap().to_owned())
            .collect()
    }

    /// If the page scrolls sideways: how wide it is, and the element that makes it so.
    pub(crate) fn overflow(&mut self) -> Option<String> {
        let answer = self.ask(json!({"cmd": "overflow"}));
        let (width, window, widest) = (&answer["width"], &answer["window"], &answer["widest"]);
        answer["overflow"].as_bool().unwrap().then(|| format!("{width} px in a window of {window} px, by {widest}"))
    }

    /// What axe-core finds wrong for people who can't see or can't use a mouse, one line each.
    pub(crate) fn accessibility(&mut self) -> Vec<String> {
        let answer = self.ask(json!({"cmd": "axe"}));
        let violations = answer["violations"].as_array().unwrap();
        violations.iter().map(|found| format!("{}: {} {}", found["id"], found["help"], found["nodes"])).collect()
    }

    /// Shows the page as it is printed, or as on a `screen` again.
    pub(crate) fn media(&mut self, media: &str) {
        self.ask(json!({"cmd": "media", "media": media}));
    }

    /// Keeps a picture of the whole page.
    pub(crate) fn screenshot(&mut self, path: &Path) {
        self.ask(json!({"cmd": "screenshot", "path": path}));
    }
}

#[test]
fn stripes_libraries_accept_each_others_signatures() {
    let (mut node, mut python) = (Signer::node(), Signer::python());
    for body in [r#"{"id":"evt_1"}"#, "{\n  \"name\": \"Zoë 😀\"\n}"] {
        let header = node.sign("whsec_1", 1_791_800_000, body);
        assert_eq!(header, python.sign("whsec_1", 1_791_800_000, body));
        assert_eq!(python.verify("whsec_1", &header, body), Ok(()));
        assert_eq!(node.verify("whsec_1", &header, body), Ok(()));
        assert!(python.verify("whsec_2", &header, body).is_err());
        assert!(node.verify("whsec_2", &header, body).is_err());
    }
}
