//! Images, identified by their content.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::Result;
use crate::domain::trial::{ImageId, ImageOnFile};

/// Stores an image without the metadata of its file, unless it is stored already. Its id is the hash of the file as it was imported.
pub async fn insert(conn: &mut PgConnection, id: &ImageId, bytes: &[u8]) -> Result<()> {
    sqlx::query!(
        "insert into images (sha256, bytes) values (decode($1, 'hex'), $2) on conflict do nothing",
        id.0,
        bytes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of these images that are stored, without their bytes.
pub async fn on_file(conn: &mut PgConnection, ids: &[String]) -> Result<HashMap<ImageId, ImageOnFile>> {
    let rows = sqlx::query!(
        r#"select encode(sha256, 'hex') as "id!", number, octet_length(bytes) as "size!" from images
           where sha256 in (select decode(id, 'hex') from unnest($1::text[]) as id)"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let size = super::number(row.size)?;
            Ok((ImageId(row.id), ImageOnFile { number: row.number, size }))
        })
        .collect()
}

/// The file of the image of that number. Images of old imports still have the metadata of their files.
pub async fn by_number(conn: &mut PgConnection, number: i64) -> Result<Option<Vec<u8>>> {
    let bytes = sqlx::query_scalar!("select bytes from images where number = $1", number)
        .fetch_optional(conn)
        .await?;
    Ok(bytes)
}
