//! Where a researcher signs in from: their network, and whether they have signed in with this browser before.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::flow::lab::sign_in_throttle::{KNOWN_FOR, Whence};
use crate::web::http::client_address::ClientAddress;
use crate::web::site::Site;
use crate::web::state::WebState;

/// Where a request comes from.
pub struct AskedFrom(pub Whence);

impl FromRequestParts<WebState> for AskedFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let Ok(client) = ClientAddress::from_request_parts(parts, state).await;
        let jar = CookieJar::from_headers(&parts.headers);
        let mark = jar.get(name(&state.site)).map(|cookie| cookie.value().to_owned());
        Ok(Self(Whence { network: client.hmac().to_vec(), mark }))
    }
}

/// The cookie's name. Over HTTPS it has a prefix with which no other host can set it.
fn name(site: &Site) -> &'static str {
    if site.is_secure() { "__Host-weber-browser" } else { "weber-browser" }
}

/// The cookie by which the browser is known from now on. It gives no access.
pub fn cookie(site: &Site, mark: String) -> Cookie<'static> {
    Cookie::build((name(site), mark))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_secure())
        .max_age(time::Duration::seconds(KNOWN_FOR.num_seconds()))
        .build()
}
