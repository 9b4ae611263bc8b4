//! Comparing as a worker's chore: in turns of some seconds, once per database, going on where it stopped. It notes what
//! differs, for the page and the alarms, and repairs nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::foresee::Found;
use super::place::Place;
use super::walk::{Compared, Piece, first_place};
use crate::domain::difference::DriftSubject;
use crate::domain::{Timestamp, later};
use crate::engine::{Actor, Engine, act, drift};
use crate::error::{Error, ErrorKind, loggable};
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::drift::{DifferenceRow, DriftRow};

/// How long one process compares before other chores have their turn, and after which time another process goes on if
/// this one ended meanwhile: longer than a piece takes.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(600);
/// How long a difference is kept that comparisons which were not whole have not seen again.
const UNSEEN: time::Duration = time::Duration::days(7);
/// When a comparison goes on whose gateway did not answer.
const AGAIN: Duration = Duration::from_secs(60);

impl Engine {
    /// Compares the variant for some seconds, if that is due or was asked for.
    pub(crate) async fn compare_a_while(self: &Arc<Self>, variant: &str) -> Result<(), Error> {
        let known = self.read(|tx| tx.comparisons()).await?;
        let open = known.into_iter().find(|row| row.variant == variant && is_open(row));
        if (open.is_some() || self.chores.compare_every.is_some())
            && self.claim_chore(drift::chore(variant), LEASE).await?.is_some()
        {
            let row = match open {
                Some(row) => row,
                None => self.new_comparison(variant).await?,
            };
            if let Err(error) = self.compare_a_turn(row).await {
                log::warn!("payments: {}", loggable(&error.to_string()));
            }
        }
        Ok(())
    }

    /// Has a worker compare a variant with its gateway, for an operator. One that is under way goes on.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` where its gateway can't be asked, and what the database says.
    pub(crate) async fn order_comparison(self: &Arc<Self>, variant: &str, actor: Actor) -> Result<(), Error> {
        let row = self.new_comparison(variant).await?;
        let (now, name) = (self.now(), drift::chore(variant));
        let act = NewAct { variant: Some(variant.to_owned()), ..act("compare", &actor, None, None, now) };
        let order = move |tx: &mut dyn Tx| {
            tx.add_act(&act)?;
            let is_underway = tx.comparisons()?.iter().any(|it| it.variant == row.variant && is_open(it));
            if !is_underway {
                tx.keep_comparison(&row)?;
            }
            tx.hurry_chore(&name, now, later(now, LEASE))
        };
        self.write(order).await
    }

    async fn new_comparison(&self, variant: &str) -> Result<DriftRow, Error> {
        let configured = self.known_variant(variant).await?;
        let place = first_place(&configured).map_err(|why| Error::new(ErrorKind::Refused, why))?;
        let now = self.now();
        Ok(DriftRow {
            variant: variant.to_owned(),
            since: now - drift::SPAN,
            until: now - drift::UNDER_WAY,
            place: Some(place.text()),
            compared: 0,
            unanswered: 0,
            why: None,
            begun_at: now,
            ended_at: None,
        })
    }

    async fn compare_a_turn(self: &Arc<Self>, mut row: DriftRow) -> Result<(), Error> {
        let scope = Compared {
            variant: row.variant.clone(),
            since: row.since,
            until: row.until,
            each: false,
            pace: Duration::from_secs(1) / drift::PER_SECOND,
        };
        let until = Instant::now() + TURN;
        while let Some(place) = row.place.as_deref().and_then(Place::parse) {
            let piece = match self.compare_piece(&scope, place).await {
                Ok(piece) => piece,
                Err(error) => {
                    self.pause_comparison(&row, Some(error.to_string())).await?;
                    return Err(error);
                }
            };
            row = self.note_piece(row, piece).await?;
            if Instant::now() >= until {
                break;
            }
        }
        self.pause_comparison(&row, None).await
    }

    /// Notes what a piece found, and that it is done.
    async fn note_piece(self: &Arc<Self>, mut row: DriftRow, piece: Piece) -> Result<DriftRow, Error> {
        let Piece { foreseen, unanswered, next } = piece;
        let now = self.now();
        let why: Vec<String> = foreseen.unreadable.into_iter().chain(unanswered).collect();
        row.compared += foreseen.compared as i64;
        row.unanswered += why.len() as i64;
        row.why = why.into_iter().next_back().or(row.why);
        row.place = next.map(|place| place.text());
        row.ended_at = row.place.is_none().then_some(now);
        let (noted, found) = (row.clone(), foreseen.differing);
        let write = move |tx: &mut dyn Tx| {
            for found in &found {
                if found.subject == DriftSubject::Object && is_noted(tx, &noted.variant, found)? {
                    continue;
                }
                tx.keep_difference(&difference(&noted.variant, found, now))?;
            }
            if noted.ended_at.is_some() {
                // What was not found to differ this time agrees by now, or was not compared.
                let seen = if noted.unanswered == 0 { noted.begun_at } else { noted.begun_at - UNSEEN };
                tx.forget_differences_before(&noted.variant, seen)?;
            }
            tx.keep_comparison(&noted)
        };
        self.write(write).await?;
        Ok(row)
    }

    /// Says when the comparison goes on, or is begun anew.
    async fn pause_comparison(self: &Arc<Self>, row: &DriftRow, failure: Option<String>) -> Result<(), Error> {
        let (now, name) = (self.now(), drift::chore(&row.variant));
        let every = self.chores.compare_every.unwrap_or(Duration::MAX);
        let again = match (&failure, &row.place) {
            (Some(_), _) => later(now, AGAIN),
            (None, Some(_)) => now,
            (None, None) => later(now, every),
        };
        let note = format!("{} compared, {} without an answer", row.compared, row.unanswered);
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(&name, now, failure.as_deref())?;
            tx.pause_chore(&name, again, None, &note)
        };
        self.write(pause).await
    }
}

/// Whether it goes on somewhere; one whose place another release wrote is begun anew.
fn is_open(row: &DriftRow) -> bool {
    row.place.as_deref().and_then(Place::parse).is_some()
}

/// Whether another object of the same unknown payment is noted already.
fn is_noted(tx: &mut dyn Tx, variant: &str, found: &Found) -> Result<bool, Error> {
    let others = found.refs.iter().filter(|name| **name != found.name).cloned().collect::<Vec<_>>();
    Ok(!others.is_empty() && tx.has_differing_objects(variant, &others)?)
}

fn difference(variant: &str, found: &Found, now: Timestamp) -> DifferenceRow {
    DifferenceRow {
        id: 0,
        variant: variant.to_owned(),
        subject: found.subject.as_str().to_owned(),
        name: found.name.clone(),
        object_type: (found.subject == DriftSubject::Object).then(|| found.object.object_type.clone()),
        fields: serde_json::to_string(&found.values).unwrap_or_default(),
        found_at: now,
        seen_at: now,
    }
}
