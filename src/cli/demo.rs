//! The shipped study: `weber demo`, and the import into an empty database.

use crate::config::DataArgs;
use crate::flow::App;

/// Brings the shipped study into an empty database.
pub async fn import_if_empty(_app: &App, _args: &DataArgs) -> anyhow::Result<()> {
    Ok(())
}
