//! Downloads of the export, with the same files as `weber export`.

use std::path::Path as FilePath;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tempfile::TempDir;
use tokio_util::io::ReaderStream;

use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::audit::log::Actor;
use crate::flow::lab::team;
use crate::flow::study::export;
use crate::flow::study::export::{ExportError, PolicyChoice};
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::extract::MaybeBearer;
use crate::web::lab::session::SignedIn;
use crate::web::state::WebState;

/// The policy of an export, and whether pilots and simulated people are included.
#[derive(Debug, Deserialize)]
pub struct ExportQuery {
    #[serde(default)]
    policy: String,
    #[serde(default)]
    pilot: bool,
    #[serde(default)]
    simulated: bool,
}

/// The actor of a download: a researcher who is signed in, or a script with a token.
pub struct MayExport(Actor);

impl FromRequestParts<WebState> for MayExport {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let Ok(MaybeBearer(token)) = MaybeBearer::from_request_parts(parts, state).await;
        let checked = match token {
            Some(token) => by_token(state, &token).await.map_err(|error| error.0.into_response()),
            None => {
                let SignedIn(researcher) = SignedIn::from_request_parts(parts, state).await?;
                Ok(Actor::researcher(&researcher))
            }
        };
        let actor = checked?;
        actor.must_steer().map_err(|error| PageError::from(error).into_response())?;
        Ok(Self(actor))
    }
}

async fn by_token(state: &WebState, token: &str) -> Result<Actor, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    Ok(Actor::token(&team::check_token(&mut conn, Some(token), Scope::Export).await?))
}

/// All files in one archive.
pub async fn all(
    State(state): State<WebState>,
    MayExport(actor): MayExport,
    Path(slug): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, PageError> {
    let folder = make(&state, &actor, &slug, &query, None).await?;
    let name = format!("{slug}-{}.zip", state.app.now().format("%Y-%m-%d-%H%M"));
    let archive =
        tokio::task::spawn_blocking(move || zip(folder.path()).map(|archive| (folder, archive))).await;
    let (_folder, archive) = archive.map_err(failed)?.map_err(failed)?;
    Ok(attachment(&name, "application/zip", tokio::fs::File::from_std(archive)))
}

/// One file of the export.
pub async fn one(
    State(state): State<WebState>,
    MayExport(actor): MayExport,
    Path((slug, file)): Path<(String, String)>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, PageError> {
    if !export::FILES.contains(&file.as_str()) {
        return Err(PageError(ProblemDocument::not_found()));
    }
    let folder = make(&state, &actor, &slug, &query, Some(&file)).await?;
    let opened = tokio::fs::File::open(folder.path().join(&file)).await.map_err(failed)?;
    let media_type = if file == export::MANIFEST { "application/json" } else { "text/csv; charset=utf-8" };
    Ok(attachment(&format!("{slug}-{file}"), media_type, opened))
}

/// Exports into a temporary folder; open files can still be read after it is deleted. The journal records which file is handed
/// out, or that all are.
async fn make(
    state: &WebState,
    actor: &Actor,
    slug: &str,
    query: &ExportQuery,
    file: Option<&str>,
) -> Result<TempDir, PageError> {
    let policy = match query.policy.as_str() {
        "" => PolicyChoice::Enrolment,
        name => PolicyChoice::Named(name.to_owned()),
    };
    let asked = [(query.pilot, Mode::Pilot), (query.simulated, Mode::Simulated)];
    let include: Vec<Mode> = asked.into_iter().filter(|(asked, _)| *asked).map(|(_, mode)| mode).collect();
    let request = export::prepare(&state.app, slug, policy, &include).await?;
    let folder = tempfile::tempdir().map_err(failed)?;
    let manifest = export::export(&state.app, &request, folder.path()).await?;
    export::note(&state.app, actor, &request, &manifest, file).await?;
    Ok(folder)
}

/// Packs the files of a folder into an archive without a name, ready to be read.
fn zip(folder: &FilePath) -> std::io::Result<std::fs::File> {
    use std::io::Seek;
    let mut archive = zip::ZipWriter::new(tempfile::tempfile()?);
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    let mut names: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        archive.start_file(name.to_string_lossy(), options)?;
        std::io::copy(&mut std::fs::File::open(folder.join(&name))?, &mut archive)?;
    }
    let mut file = archive.finish()?;
    file.rewind()?;
    Ok(file)
}

fn attachment(name: &str, media_type: &'static str, file: tokio::fs::File) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(ReaderStream::with_capacity(file, 1 << 16))).into_response()
}

fn failed(error: impl std::fmt::Display) -> PageError {
    let problem = ProblemDocument::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "download_failed",
        "The download could not be made.",
        "The server may be out of disk space: look into its log.",
    );
    PageError(problem.because(error))
}

impl From<ExportError> for ProblemDocument {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NoSuchStudy(_) => Self::not_found(),
            ExportError::NoSuchPolicy { .. } => Self::new(
                StatusCode::NOT_FOUND,
                "no_such_policy",
                error.to_string(),
                "Choose one of the study's policies.",
            ),
            ExportError::Store(error) => error.into(),
            ExportError::File { .. } => failed(error).0,
        }
    }
}
