//! The session of a researcher: its cookie, and whose it is.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::flow::lab::sign_in;
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::site::Site;
use crate::web::state::WebState;

/// The cookie's name. Over HTTPS it has a prefix with which no other host can set it.
const fn name(secure: bool) -> &'static str {
    if secure { "__Host-weber" } else { "weber" }
}

/// The cookie that holds a session's token.
pub fn cookie(site: &Site, token: String) -> Cookie<'static> {
    let secure = site.is_secure();
    let lifetime = time::Duration::seconds(sign_in::SESSION.num_seconds());
    Cookie::build((name(secure), token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(lifetime)
        .build()
}

/// The cookie that ends a session in the browser.
pub fn ended(site: &Site) -> Cookie<'static> {
    let secure = site.is_secure();
    Cookie::build((name(secure), "")).path("/").secure(secure).http_only(true).removal().build()
}

/// The token of a request's session.
pub fn token(site: &Site, jar: &CookieJar) -> Option<String> {
    jar.get(name(site.is_secure())).map(|cookie| cookie.value().to_owned())
}

/// Holds the researcher of a request once a handler has found it, so that a problem can be shown in the lab's layout without
/// another query.
#[derive(Clone, Default)]
pub struct Asker(Arc<OnceLock<Researcher>>);

impl Asker {
    /// The researcher, if they are signed in and a handler needed to know.
    pub fn known(&self) -> Option<&Researcher> {
        self.0.get()
    }
}

/// The researcher who is signed in. A request without a session is redirected to the page for signing in.
pub struct SignedIn(pub Researcher);

impl FromRequestParts<WebState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        match owner(parts, state).await {
            Ok(Some(researcher)) => Ok(Self(researcher)),
            Ok(None) => Err(Redirect::to("/sign-in").into_response()),
            Err(error) => Err(error.into_response()),
        }
    }
}

impl OptionalFromRequestParts<WebState> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Option<Self>, PageError> {
        Ok(owner(parts, state).await?.map(Self))
    }
}

async fn owner(parts: &Parts, state: &WebState) -> Result<Option<Researcher>, PageError> {
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(token) = token(&state.site, &jar) else { return Ok(None) };
    let owner = sign_in::session_owner(&state.app, &token).await?;
    if let (Some(asker), Some(owner)) = (parts.extensions.get::<Asker>(), &owner) {
        // A request has one session, so a second call would set the same researcher.
        let _ = asker.0.set(owner.clone());
    }
    Ok(owner)
}

/// The session of a page that follows a study: its stream ends when the session does.
pub struct OpenSession {
    token: String,
    pub researcher: Researcher,
}

impl OpenSession {
    /// Whether the session is still valid. While the database cannot be reached, it counts as valid.
    pub async fn is_good(&self, state: &WebState) -> bool {
        !matches!(sign_in::session_owner(&state.app, &self.token).await, Ok(None))
    }
}

impl FromRequestParts<WebState> for OpenSession {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let SignedIn(researcher) =
            <SignedIn as FromRequestParts<WebState>>::from_request_parts(parts, state).await?;
        let token = token(&state.site, &CookieJar::from_headers(&parts.headers));
        let token = token.ok_or_else(|| Redirect::to("/sign-in").into_response())?;
        Ok(Self { token, researcher })
    }
}
