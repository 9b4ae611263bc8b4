//! The static files of the pages: those of `static/`, compiled in, from an allow-list. Their addresses contain a hash,
//! so that browsers may cache them for ever and never show an old one.

use std::sync::LazyLock;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};

use super::respond;
use crate::domain::hex::hex;

struct Static {
    name: &'static str,
    mime: &'static str,
    content: &'static [u8],
}

macro_rules! statics {
    ($($name:literal: $mime:literal),+ $(,)?) => {
        [$(Static { name: $name, mime: $mime, content: include_bytes!(concat!("../../static/", $name)) }),+]
    };
}

static FILES: &[Static] = &statics! {
    "admin.css": "text/css; charset=utf-8",
    "admin.js": "text/javascript; charset=utf-8",
    "dummy.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
};

/// One hash of all files, since they change together at a release.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    FILES.iter().for_each(|file| hash.update(file.content));
    hex(&hash.finalize()[..6])
});

/// The names of all files.
pub(crate) fn names() -> Vec<&'static str> {
    FILES.iter().map(|file| file.name).collect()
}

/// The address of a file below this mount.
pub(crate) fn address(mount: &str, name: &str) -> String {
    format!("{mount}/static/{}/{name}", *HASH)
}

/// Answers a request for a file.
pub(crate) fn serve(req: &HttpRequest) -> HttpResponse {
    let name = req.match_info().get("file").unwrap_or_default();
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return respond::plain(StatusCode::NOT_FOUND).body("not_found");
    };
    let current = req.match_info().get("hash").is_some_and(|hash| hash == *HASH);
    let keep = if current { "public, max-age=31536000, immutable" } else { "no-store" };
    respond::plain(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, file.mime))
        .insert_header((header::CACHE_CONTROL, keep))
        .body(file.content)
}
