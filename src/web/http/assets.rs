//! Serves static files and images. The content at an address never changes, so browsers may cache it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::image_file;
use crate::flow::image_addresses::SentImage;
use crate::store::{self, StoreError};
use crate::web::http::error::ProblemDocument;
use crate::web::http::image_cache::CachedImage;
use crate::web::http::static_files;
use crate::web::state::WebState;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Answers with a static file.
pub async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(file) = static_files::bytes(&name) else { return ProblemDocument::not_found().into_response() };
    // A page from before an upgrade asks for files of the old version: it gets the new ones, but must not keep them.
    let cache =
        if static_files::is_current(&version) { FOR_EVER } else { HeaderValue::from_static("no-cache") };
    let headers = [(header::CONTENT_TYPE, media_type(&name)), (header::CACHE_CONTROL, cache)];
    (headers, file.into_owned()).into_response()
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

/// How an image may be cached: by the viewer's browser only, since its address belongs to one viewer.
const BY_ITS_VIEWER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// Answers with an image of a study, by its opaque address.
pub async fn image(
    State(state): State<WebState>,
    Path(address): Path<String>,
    request: HeaderMap,
) -> Result<Response, ProblemDocument> {
    let tag = HeaderValue::from_str(&format!("\"{address}\"")).map_err(|_| ProblemDocument::not_found())?;
    if request.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let asked = state.app.secrets.addresses().read(&address).ok_or_else(ProblemDocument::not_found)?;
    let image = match state.images.get(asked) {
        Some(image) => image,
        None => state.images.put(asked, read(&state, asked).await?),
    };
    let media_type = HeaderValue::from_static(image.media_type);
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, BY_ITS_VIEWER), (header::ETAG, tag)];
    Ok((headers, image.bytes.clone()).into_response())
}

/// Reads an image from the database. Metadata that old imports stored beside the pixels is removed.
async fn read(state: &WebState, asked: SentImage) -> Result<CachedImage, ProblemDocument> {
    let stored = store::images::by_number(&mut *state.app.pool.acquire().await?, asked.number).await?;
    let stored = stored.ok_or_else(ProblemDocument::not_found)?;
    let unreadable = || StoreError::Corrupt(format!("the image {} is not a whole image", asked.number));
    let bare = image_file::bare(&stored).ok_or_else(unreadable)?;
    let media_type = bare.format.media_type();
    Ok(CachedImage { media_type, bytes: bare.filled_up_to(asked.size).into() })
}
