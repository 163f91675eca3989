//! The whole content of the database, table by table, as PostgreSQL's own text for `COPY`: the same on every machine and
//! in every version of PostgreSQL.
//!
//! Tables and columns are read from the catalogue, so that a new table is in the next backup without anybody's doing.

use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::PgCopyIn;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Result, StoreError};
use crate::domain::backup::{Sequence, TableLayout};

/// Whether there is no table at all.
pub async fn is_empty(conn: &mut PgConnection) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (
               select from pg_class c
               where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
                   and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
           ) as "found!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(!found)
}

/// Every table with the columns that are stored (and not computed), by name. The list of migrations is left out: they are
/// run again, not copied. So is what belongs to an extension.
pub async fn tables(conn: &mut PgConnection) -> Result<Vec<TableLayout>> {
    let tables = sqlx::query_as!(
        TableLayout,
        r#"select c.relname::text as "name!", array_agg(a.attname::text order by a.attnum) as "columns!"
           from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> '_sqlx_migrations'
               and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
               and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
           group by c.relname order by c.relname"#
    );
    Ok(tables.fetch_all(conn).await?)
}

/// Which table refers to which, by a foreign key.
pub async fn references(conn: &mut PgConnection) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select referring.relname::text as "from!", referred.relname::text as "to!"
           from pg_constraint k
           join pg_class referring on referring.oid = k.conrelid
           join pg_class referred on referred.oid = k.confrelid
           where k.contype = 'f' and k.connamespace = current_schema()::regnamespace"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.from, row.to)).collect())
}

/// The last number that each sequence gave out; those that gave none are left out. Sequences stand outside transactions:
/// they may be ahead of a snapshot, never behind.
pub async fn sequences(conn: &mut PgConnection) -> Result<Vec<Sequence>> {
    let sequences = sqlx::query_as!(
        Sequence,
        r#"select sequencename::text as "name!", last_value as "last!" from pg_sequences
           where schemaname = current_schema() and last_value is not null order by 1"#
    );
    Ok(sequences.fetch_all(conn).await?)
}

/// Lets a sequence go on after a number.
pub async fn set_sequence(conn: &mut PgConnection, sequence: &Sequence) -> Result<()> {
    sqlx::query_scalar!("select setval(quote_ident($1)::regclass, $2)", sequence.name, sequence.last)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// The content of a table, in pieces of a row or less.
pub async fn copy_out<'c>(
    conn: &'c mut PgConnection,
    table: &TableLayout,
) -> Result<BoxStream<'c, Result<impl AsRef<[u8]> + use<>>>> {
    let pieces = conn.copy_out_raw(&format!("copy {} to stdout", target(table))).await?;
    Ok(pieces.map(|piece| piece.map_err(StoreError::from)).boxed())
}

/// Begins to fill a table.
pub async fn copy_in<'c>(conn: &'c mut PgConnection, table: &TableLayout) -> Result<Filling<'c>> {
    Ok(Filling(conn.copy_in_raw(&format!("copy {} from stdin", target(table))).await?))
}

fn target(table: &TableLayout) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(column)).collect();
    format!("{} ({})", quoted(&table.name), columns.join(", "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table that is being filled.
pub struct Filling<'c>(PgCopyIn<&'c mut PgConnection>);

impl Filling<'_> {
    /// Hands on a piece of its content.
    pub async fn send(&mut self, piece: &[u8]) -> Result<()> {
        self.0.send(piece).await?;
        Ok(())
    }

    /// That was all. Returns how many rows there are now.
    pub async fn finish(self) -> Result<u64> {
        Ok(self.0.finish().await?)
    }
}

/// Counts what was filled into a table, so that queries are planned well from the first.
pub async fn analyze(conn: &mut PgConnection, table: &TableLayout) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!("analyze {}", quoted(&table.name)))).execute(conn).await?;
    Ok(())
}
