//! `weber researcher` and `weber token` manage accounts and API tokens.

use anyhow::bail;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::rights::Scope;
use crate::flow::FlowError;
use crate::flow::audit::log::Actor;
use crate::flow::lab::team;
use crate::flow::lab::team::Invitation;

/// Adds a researcher, or helps one who forgot the password, by a one-time link to set it.
pub async fn add(
    args: &DataArgs,
    email: &str,
    invitation: Invitation,
    public_url: &str,
) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let actor = Actor::command_line();
    let path = data.during(async |app| Ok(team::invite(app, &actor, email, invitation).await?)).await?;
    super::say(format!("To set the password of {email}, open within 7 days:\n{public_url}{path}"));
    Ok(())
}

/// Makes an API token for scripts and prints it, once.
pub async fn create_token(args: &DataArgs, name: &str, scopes: &[Scope]) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let actor = Actor::command_line();
    let made = data.during(async |app| Ok(team::make_token(app, &actor, name, scopes).await)).await?;
    match made {
        Ok(token) => super::say(token),
        Err(FlowError::Refused(_)) => {
            bail!("the name `{name}` is taken, or does not have 1 to 100 characters; choose another one")
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Removes an API token.
pub async fn remove_token(args: &DataArgs, name: &str) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let actor = Actor::command_line();
    data.during(async |app| Ok(team::remove_token(app, &actor, name).await?)).await
}
