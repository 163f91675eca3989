//! Signing in and out, and setting a password by a one-time link.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::flow::lab::sign_in;
use crate::flow::lab::sign_in::Begun;
use crate::flow::{FlowError, Refused};
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::browser_mark;
use crate::web::lab::browser_mark::AskedFrom;
use crate::web::lab::session;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/sign_in.html")]
struct SignInPage<'a> {
    problem: Option<&'a ProblemDocument>,
    email: &'a str,
}

/// Shows the form; a person who is signed in already is redirected to the lab.
pub async fn sign_in_page(signed_in: Option<SignedIn>) -> Response {
    if signed_in.is_some() {
        return Redirect::to(urls::LAB).into_response();
    }
    page::html(&SignInPage { problem: None, email: "" })
}

#[derive(Deserialize)]
pub struct SignInForm {
    email: String,
    password: String,
}

/// Checks the password, and signs in.
pub async fn sign_in(
    State(state): State<WebState>,
    jar: CookieJar,
    AskedFrom(whence): AskedFrom,
    Form(form): Form<SignInForm>,
) -> Result<Response, PageError> {
    match sign_in::sign_in(&state.app, &form.email, &form.password, &whence).await {
        Ok(begun) => Ok(go_on(&state, jar, begun)),
        Err(error) => {
            let problem = ProblemDocument::from(error);
            let response = page::html(&SignInPage { problem: Some(&problem), email: &form.email });
            Ok(problem.with_page(response))
        }
    }
}

/// Redirects into the lab, or to the second factor first.
fn go_on(state: &WebState, jar: CookieJar, begun: Begun) -> Response {
    let next = if begun.awaits_code { urls::SIGN_IN_CODE } else { urls::LAB };
    let jar = match begun.mark {
        Some(mark) => jar.add(browser_mark::cookie(&state.site, mark)),
        None => jar,
    };
    (jar.add(session::cookie(&state.site, begun.token)), Redirect::to(next)).into_response()
}

#[derive(Template)]
#[template(path = "lab/code.html")]
struct CodePage<'a> {
    problem: Option<&'a ProblemDocument>,
}

/// Asks for the second factor's code.
pub async fn code_page() -> Response {
    page::html(&CodePage { problem: None })
}

/// A form with a code of the second factor.
#[derive(Deserialize)]
pub struct CodeForm {
    /// The code, as it was typed.
    pub code: String,
}

/// Checks the code, and signs in.
pub async fn enter_code(
    State(state): State<WebState>,
    jar: CookieJar,
    AskedFrom(whence): AskedFrom,
    Form(form): Form<CodeForm>,
) -> Result<Response, PageError> {
    let Some(token) = session::token(&state.site, &jar) else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    match sign_in::enter_code(&state.app, &token, &form.code, &whence).await {
        Ok(begun) => Ok(go_on(&state, jar, begun)),
        Err(FlowError::Refused(Refused::LinkUsedUp)) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error) => {
            let problem = ProblemDocument::from(error);
            Ok(problem.with_page(page::html(&CodePage { problem: Some(&problem) })))
        }
    }
}

/// Signs out.
pub async fn sign_out(State(state): State<WebState>, jar: CookieJar) -> Result<Response, PageError> {
    if let Some(token) = session::token(&state.site, &jar) {
        sign_in::sign_out(&state.app, &token).await?;
    }
    Ok((jar.add(session::ended(&state.site)), Redirect::to("/sign-in")).into_response())
}

#[derive(Template)]
#[template(path = "lab/set_password.html")]
struct PasswordPage<'a> {
    problem: Option<&'a ProblemDocument>,
    /// Kept in the form, since the address no longer holds it after a mistake.
    token: &'a str,
    shortest: usize,
    /// Whether the link can no longer be used, so that the form is not shown.
    used_up: bool,
}

impl<'a> PasswordPage<'a> {
    fn new(token: &'a str, problem: Option<&'a ProblemDocument>) -> Self {
        let used_up = problem.is_some_and(|problem| problem.code() == "link_used_up");
        Self { problem, token, shortest: sign_in::SHORTEST_PASSWORD, used_up }
    }
}

/// Shows the form. The link's token is in the fragment of the address; a script puts it into the form.
pub async fn password_page() -> Response {
    page::html(&PasswordPage::new("", None))
}

#[derive(Deserialize)]
pub struct PasswordForm {
    token: String,
    password: String,
    again: String,
}

/// Sets the password and signs in.
pub async fn set_password(
    State(state): State<WebState>,
    jar: CookieJar,
    AskedFrom(whence): AskedFrom,
    Form(form): Form<PasswordForm>,
) -> Result<Response, PageError> {
    let result = if form.password == form.again {
        sign_in::set_password(&state.app, &form.token, &form.password, &whence)
            .await
            .map_err(ProblemDocument::from)
    } else {
        Err(ProblemDocument::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "passwords_differ",
            "The two passwords are not the same.",
            "Type the same password twice.",
        ))
    };
    match result {
        Ok(begun) => Ok(go_on(&state, jar, begun)),
        Err(problem) => {
            let response = page::html(&PasswordPage::new(&form.token, Some(&problem)));
            Ok(problem.with_page(response))
        }
    }
}
