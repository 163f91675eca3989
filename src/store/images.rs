//! Images, by content.

use sqlx::PgConnection;

use super::Result;
use crate::domain::trial::ImageId;

/// An image to be stored.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// SHA-256 of the bytes.
    pub id: ImageId,
    /// What a browser asks for.
    pub address: String,
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// An image to be served.
#[derive(Debug, Clone)]
pub struct StoredImage {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Stores an image unless it is there already.
pub async fn insert(conn: &mut PgConnection, image: &NewImage) -> Result<()> {
    sqlx::query!(
        "insert into images (sha256, address, media_type, bytes) values (decode($1, 'hex'), $2, $3, $4)
         on conflict do nothing",
        image.id.0,
        image.address,
        image.media_type,
        image.bytes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of these images are stored already.
pub async fn existing(conn: &mut PgConnection, ids: &[String]) -> Result<Vec<ImageId>> {
    let rows = sqlx::query_scalar!(
        r#"select encode(sha256, 'hex') as "id!" from images
           where sha256 in (select decode(id, 'hex') from unnest($1::text[]) as id)"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(ImageId).collect())
}

/// The image at an address.
pub async fn at_address(conn: &mut PgConnection, address: &str) -> Result<Option<StoredImage>> {
    let row =
        sqlx::query_as!(StoredImage, "select media_type, bytes from images where address = $1", address)
            .fetch_optional(conn)
            .await?;
    Ok(row)
}
