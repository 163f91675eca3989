//! `weber researcher` and `weber token`.

use anyhow::bail;
use chrono::TimeDelta;

use super::data::Data;
use crate::config::DataArgs;
use crate::flow::secrets::token_sha256;
use crate::flow::sign_in;
use crate::store;

/// How long a link to set a password is good.
const LINK_LIFETIME: TimeDelta = TimeDelta::days(7);

/// Adds a researcher, or helps one who forgot the password, with a one-time link to set it.
pub async fn add(
    args: &DataArgs,
    email: &str,
    sees_identities: bool,
    public_url: &str,
) -> anyhow::Result<()> {
    if !email.contains('@') || email.len() > 200 {
        bail!("`{email}` is not an e-mail address");
    }
    let data = Data::open(args).await?;
    let path = data
        .during(async |app| Ok(sign_in::invite(app, email, sees_identities, LINK_LIFETIME).await?))
        .await?;
    super::say(format!("To set the password of {email}, open within 7 days:\n{public_url}{path}"));
    Ok(())
}

/// Makes an API token for scripts and shows it, once.
pub async fn create_token(args: &DataArgs, name: &str) -> anyhow::Result<()> {
    if name.trim().is_empty() || name.len() > 100 {
        bail!("give the token a name of 1 to 100 characters");
    }
    let data = Data::open(args).await?;
    let made = data
        .during(async |app| {
            let token = app.token();
            let mut conn = app.pool.acquire().await?;
            let hash = token_sha256(&token);
            let free = store::researchers::add_api_token(&mut conn, name, &hash, app.now()).await?;
            Ok(free.then_some(token))
        })
        .await?;
    let Some(token) = made else {
        bail!("there is a token named `{name}` already; choose another name");
    };
    super::say(token);
    Ok(())
}
