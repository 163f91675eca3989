//! Static files and images, both at addresses that never change their content.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::error::Problem;
use super::state::WebState;
use crate::store;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// Stands in the addresses of all static files: the modules of the trial program import each other by relative names.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Static::iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update(Static::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex::encode(&hash.finalize()[..8])
});

/// The address of a static file.
pub fn address(name: &str) -> String {
    format!("/static/{}/{name}", *VERSION)
}

/// A static file's text, to be put into another file.
pub fn text(name: &str) -> String {
    Static::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

/// A static file.
pub async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(file) = Static::get(&name) else { return Problem::not_found().into_response() };
    // A page from before an upgrade asks for files of the old version: it gets the new ones, but must not keep them.
    let cache = if version == *VERSION { FOR_EVER } else { HeaderValue::from_static("no-cache") };
    let headers = [(header::CONTENT_TYPE, media_type(&name)), (header::CACHE_CONTROL, cache)];
    (headers, file.data.into_owned()).into_response()
}

fn media_type(name: &str) -> HeaderValue {
    let media_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    HeaderValue::from_static(media_type)
}

/// An image of a study, by its opaque address.
pub async fn image(
    State(state): State<WebState>,
    Path(address): Path<String>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let tag = HeaderValue::from_str(&format!("\"{address}\"")).map_err(|_| Problem::not_found())?;
    if request.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let image = match state.images.get(&address) {
        Some(image) => image,
        None => {
            let mut conn = state.app.pool.acquire().await?;
            let stored =
                store::images::at_address(&mut conn, &address).await?.ok_or_else(Problem::not_found)?;
            state.images.put(&address, stored)
        }
    };
    let media_type = HeaderValue::from_str(&image.media_type).map_err(|_| Problem::not_found())?;
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, FOR_EVER), (header::ETAG, tag)];
    Ok((headers, image.bytes.clone()).into_response())
}
