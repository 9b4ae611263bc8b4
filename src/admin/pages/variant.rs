//! Is one variant set up, which secret is in use, what was refused and why, and does the way in work?

use std::net::IpAddr;

use actix_web::HttpResponse;

use super::variants::health;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::sentence;
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Act, Badge, Code, Link};
use crate::admin::views::variants::{RefusedRow, SecretRow, Test, Variant};
use crate::admin::views::words;
use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::domain::event::EventState;
use crate::reports::{Checkup, REFUSED_DAYS, SECRETS_OF};
use crate::store::fetches::OpenFetches;
use crate::store::rows::EventRow;
use crate::web::{links, respond};

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("variants/{variant}", |visit| Box::pin(show(visit))),
    Route::act("variants/{variant}/test", |visit| Box::pin(test(visit))),
    Route::act("variants/{variant}/reconcile", |visit| Box::pin(reconcile(visit))),
];

/// How long a secret must not have matched before it can go: gateways sign with both for a day or so.
const ROLL: time::Duration = time::Duration::days(2);

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (fields, frame) = (Fields::of(&visit.req), visit.frame());
    let name = visit.part("variant");
    let found = visit.engine().checkup(name, fields.get("test")).await?;
    let checkup = found.ok_or(Failure::NotFound("There is no variant of this name."))?;
    let address = visit.address_of(name);
    let setup = &checkup.setup;
    let mut around = frame.page(&format!("Variant {name}"), "variants");
    around.flash = checkup.reconciled.as_ref().filter(|_| fields.get("done").as_deref() == Some("reconcile")).map(
        |(_, note)| {
            let note = visit.shown(name, note);
            Flash::done(format!("Compared with the list of {}: {note}.", checkup.gateway))
        },
    );
    let page = Variant {
        page: around,
        back: Link::new("Variants", frame.href("variants")),
        name: name.to_owned(),
        gateway: checkup.gateway.to_owned(),
        health: health(&checkup.standing),
        acts: if visit.may_act() { vec![test_act(&visit, &frame, &checkup), reconcile_act(&frame, name, &checkup)] } else { Vec::new() },
        test: fields.get("answer").map(|answer| outcome(&visit, &fields, &answer, checkup.test.as_ref())),
        address_note: address_note(&address),
        steps: setup.steps.iter().map(|step| step.replace("{address}", &address)).collect(),
        address: Code::new(address, "address"),
        kinds: setup.kinds.clone(),
        all_kinds: setup.kinds.join("\n"),
        secrets: secrets(&frame, &checkup, visit.engine().now()),
        api_key: setup
            .api_key
            .map(|is_set| if is_set { set_or_not(true) } else { Badge::new("not set", "neutral", "minus") }),
        fetching: checkup.open_fetches.map(|open| (fetching(&checkup, open), frame.moment(open.since))),
        last_event: checkup.standing.last_event.as_ref().map(|event| {
            let link = Link::new(&event.kind, frame.href(&format!("events/{}", event.id)));
            (link, event.state.into(), frame.moment(event.received_at))
        }),
        reconciled: checkup.reconciled.as_ref().map(|(at, note)| (visit.shown(name, note), frame.moment(*at))),
        refused: checkup.standing.refused.iter().map(|one| refused(&frame, one)).collect(),
        refused_note: format!("in the last {REFUSED_DAYS} days"),
        docs: setup.docs.iter().map(|(title, href)| Link::new(*title, *href)).collect(),
    };
    Ok(frame.render(&page))
}

/// Sends a test event, and leads back to where what became of it is shown. The answer travels as a number and a code:
/// no address puts words of its own on a page.
async fn test(visit: Visit) -> Result<HttpResponse, Failure> {
    let (name, frame) = (visit.part("variant"), visit.frame());
    if !visit.has_webhooks() {
        return Err(Failure::Refused(ELSEWHERE.to_owned()));
    }
    let endpoint = links::endpoint(&visit.req, 4, name);
    let tested = visit.engine().test_variant(name, &endpoint, visit.actor()).await?;
    let answer = match tested.answer {
        Ok(answered) => {
            let reason = answered.reason.map(|code| format!("&reason={code}")).unwrap_or_default();
            format!("{}{reason}", answered.status)
        }
        Err(why) => {
            log::warn!("payments: a test event did not reach its endpoint: variant={name} {why}");
            "none".to_owned()
        }
    };
    Ok(respond::see(&frame.href(&format!("variants/{name}?test={}&answer={answer}", tested.id))))
}

/// Fetches what was missed; the page that this leads back to says what that was.
async fn reconcile(visit: Visit) -> Result<HttpResponse, Failure> {
    let name = visit.part("variant");
    let done = visit.engine().reconcile_by(name, visit.actor()).await;
    done.map_err(|error| visit.failed_at(name, error))?;
    Ok(respond::see(&visit.frame().href(&format!("variants/{name}?done=reconcile"))))
}

fn reconcile_act(frame: &Frame, name: &str, checkup: &Checkup) -> Act {
    Act {
        label: "Fetch missed events".to_owned(),
        icon: "merge",
        action: frame.href(&format!("variants/{name}/reconcile")),
        fields: Vec::new(),
        why_not: checkup.can_list.as_ref().err().map(|why| sentence(why)),
    }
}

const ELSEWHERE: &str = "The webhook endpoints are not mounted beside these pages; open the admin pages of the mount \
                         that has them.";

fn test_act(visit: &Visit, frame: &Frame, checkup: &Checkup) -> Act {
    let why_not = match (visit.has_webhooks(), checkup.can_test) {
        (false, _) => Some(ELSEWHERE),
        (_, false) => Some("Only the company itself can sign an event; send one from its own settings."),
        _ => None,
    };
    Act {
        label: "Send a signed test event".to_owned(),
        icon: "flask",
        action: frame.href(&format!("variants/{}/test", visit.part("variant"))),
        fields: Vec::new(),
        why_not: why_not.map(str::to_owned),
    }
}

/// What became of the test event, from the endpoint's answer to the worker's.
fn outcome(visit: &Visit, fields: &Fields, answer: &str, event: Option<&EventRow>) -> Test {
    let told = |tone, icon, title: &str, text: String| Test { tone, icon, title: title.to_owned(), text, event: None };
    if let Some(event) = event {
        return arrived(visit, event);
    }
    let reason = fields.get("reason").and_then(|code| Rejection::parse(&code));
    match (answer.parse::<u16>(), reason) {
        (Ok(200), _) => told("warn", "alert", "Accepted, but not in this inbox", NOT_HERE.to_owned()),
        (Ok(status), Some(reason)) => {
            let text = format!("Likely {}. What to do: {}.", reason.likely_cause(), reason.next_step());
            told("bad", "stop", &format!("Refused with {status} ({reason})"), text)
        }
        (Ok(404), _) => told("bad", "stop", "Nothing is there (404)", NOT_FOUND.to_owned()),
        (Ok(status @ (300..=399 | 401 | 403)), _) => {
            told("bad", "lock", &format!("Held up by the app ({status})"), HELD_UP.to_owned())
        }
        (Ok(status), _) => told("bad", "stop", &format!("Answered with {status}"), ODD.to_owned()),
        (Err(_), _) => told("bad", "cross", "No answer", NO_ANSWER.to_owned()),
    }
}

const NOT_HERE: &str = "The endpoint answered 200, yet the event is not among those of this database. Another app, or one \
                        with another database, answers at this process's address.";
const NOT_FOUND: &str = "No endpoint of this app answers there: something in front of the mount changes paths, or the \
                         routes are registered in another order. Send a test event from the gateway's own settings to see \
                         whether deliveries from outside arrive.";
const HELD_UP: &str = "A middleware around the mount asks for a login or leads elsewhere. Gateways can't log in: let POST \
                       requests to the variant's address pass it.";
const ODD: &str = "That is no answer of the webhook endpoint. See the log of the app, and what stands around the mount.";
const NO_ANSWER: &str = "This process could not reach its own endpoint over plain http: it listens with TLS only, on a \
                         socket, or is too busy; the log says more. That need not hold up deliveries from outside: send a \
                         test event from the gateway's own settings.";

fn arrived(visit: &Visit, event: &EventRow) -> Test {
    let link = Link::new("See the event", visit.frame().href(&format!("events/{}", event.id)));
    let (tone, icon, title, text) = match event.state {
        EventState::Available | EventState::Running => (
            "info",
            "clock",
            "Answered with 200, and in the inbox",
            "It waits for a worker. Load the page again in a moment; if it still waits then, no worker is running."
                .to_owned(),
        ),
        _ => (
            "good",
            "check",
            "The endpoint works",
            format!(
                "It took the event with 200, and a worker has read it: {}. The event was signed with the secret that is \
                 set here, so this does not tell whether that is the gateway's: send one from its own settings, too.",
                visit.shown(&event.variant, event.outcome.as_deref().unwrap_or("it is done")).trim_end_matches('.')
            ),
        ),
    };
    Test { tone, icon, title: title.to_owned(), text, event: Some((link, event.state.into())) }
}

/// What events name and the gateway has not shown yet.
fn fetching(checkup: &Checkup, open: OpenFetches) -> String {
    let (many, are) = match open.count {
        1 => ("1 object that events name".to_owned(), "is"),
        count => (format!("{count} objects that events name"), "are"),
    };
    match &checkup.cannot_fetch {
        Some(why) => format!("{many} can't be asked for, and the events wait: {why}."),
        None => format!("{many} {are} being asked for."),
    }
}

fn set_or_not(is_set: bool) -> Badge {
    if is_set { Badge::new("set", "good", "check") } else { Badge::new("not set", "bad", "cross") }
}

/// An address that no gateway can reach is said to be one.
fn address_note(address: &str) -> Option<String> {
    let rest = address.split_once("://")?.1;
    let host = rest.split('/').next()?.rsplit('@').next()?;
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    here.then(|| {
        "This is an address of your own machine, which no gateway can reach. Put the app's public host in its place, or \
         forward events with the gateway's command-line tool."
            .to_owned()
    })
}

/// The configured secrets, and those that matched recently but are configured no more.
fn secrets(frame: &Frame, checkup: &Checkup, now: Timestamp) -> Vec<SecretRow> {
    let matched = |label: &str| checkup.matched.iter().find(|(known, _)| known == label).map(|(_, at)| *at);
    let configured = checkup.setup.secrets.iter().enumerate().map(|(place, secret)| SecretRow {
        label: secret.label.clone(),
        status: set_or_not(secret.is_set),
        matched: matched(&secret.label).map(|at| frame.moment(at)),
        advice: advice(checkup, place, matched(&secret.label), now),
    });
    let is_gone = |label: &str| checkup.setup.secrets.iter().all(|secret| secret.label != label);
    let gone = checkup.matched.iter().filter(|(label, _)| is_gone(label)).map(|(label, at)| SecretRow {
        label: label.clone(),
        status: Badge::new("removed", "neutral", "minus"),
        matched: Some(frame.moment(*at)),
        advice: "It signed events once and is no longer configured.".to_owned(),
    });
    configured.chain(gone).collect()
}

/// Whether a secret can be dropped, by what it has signed. The first one is the current one and stays.
fn advice(checkup: &Checkup, place: usize, at: Option<Timestamp>, now: Timestamp) -> String {
    let Some((newest, newest_at)) = checkup.matched.first() else {
        return "No event has come that it could have signed.".to_owned();
    };
    let window = if checkup.matched_all {
        "of all events so far".to_owned()
    } else {
        format!("of the newest {SECRETS_OF} events")
    };
    match at {
        Some(at) if at == *newest_at => "It signed the newest event: it is in use.".to_owned(),
        Some(at) if place > 0 && now - at >= ROLL => format!(
            "It last matched {}; {newest} signed what came since. It can be dropped.",
            words::relative(at, now)
        ),
        Some(_) if place > 0 => {
            format!("{newest} signs by now, but this one matched within two days: keep it until it falls silent.")
        }
        Some(_) => format!("{newest} signed the newest event."),
        None if place > 0 => format!("It matched none {window}. It can be dropped."),
        None => format!("It matched none {window} yet: the gateway signs with {newest}."),
    }
}

fn refused(frame: &Frame, one: &crate::store::audit::Refused) -> RefusedRow {
    let reason = Rejection::parse(&one.code);
    RefusedRow {
        code: one.code.clone(),
        count: one.count.to_string(),
        last: frame.moment(one.last),
        cause: reason.map_or("an older or newer release refused it", Rejection::likely_cause).to_owned(),
        next_step: reason.map_or("see that release's notes", Rejection::next_step).to_owned(),
    }
}
