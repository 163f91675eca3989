//! The whole content of the database, table by table, in the text format of PostgreSQL's `COPY`, which is the same on every machine
//! and in every version of PostgreSQL.
//!
//! Tables and columns are read from the catalogue, so that the next backup contains a new table without a change of this code.

use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::PgCopyIn;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Result, StoreError};
use crate::domain::backup::{Sequence, TableLayout};

/// Whether the database has no table.
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

/// All tables with their stored (not computed) columns, by name. The table of migrations is left out because a restore runs the
/// migrations again. Tables of extensions are left out too.
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

/// The foreign keys: pairs of a table and the table that it refers to.
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

/// The last number of each sequence. Sequences that gave out no number are left out. Since sequences are not part of transactions, a
/// sequence may be ahead of a snapshot, but never behind it.
pub async fn sequences(conn: &mut PgConnection) -> Result<Vec<Sequence>> {
    let sequences = sqlx::query_as!(
        Sequence,
        r#"select sequencename::text as "name!", last_value as "last!" from pg_sequences
           where schemaname = current_schema() and last_value is not null order by 1"#
    );
    Ok(sequences.fetch_all(conn).await?)
}

/// Makes a sequence continue after a number.
pub async fn set_sequence(conn: &mut PgConnection, sequence: &Sequence) -> Result<()> {
    sqlx::query_scalar!("select setval(quote_ident($1)::regclass, $2)", sequence.name, sequence.last)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// The content of a table, in pieces of at most one row.
pub async fn copy_out<'c>(
    conn: &'c mut PgConnection,
    table: &TableLayout,
) -> Result<BoxStream<'c, Result<impl AsRef<[u8]> + use<>>>> {
    let pieces = conn.copy_out_raw(&format!("copy {} to stdout", target(table))).await?;
    Ok(pieces.map(|piece| piece.map_err(StoreError::from)).boxed())
}

/// Starts to fill a table.
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
    /// Sends a piece of the table's content.
    pub async fn send(&mut self, piece: &[u8]) -> Result<()> {
        self.0.send(piece).await?;
        Ok(())
    }

    /// Ends the filling. Returns the number of rows.
    pub async fn finish(self) -> Result<u64> {
        Ok(self.0.finish().await?)
    }
}

/// Renews the statistics of a filled table, so that the first queries get good plans.
pub async fn analyze(conn: &mut PgConnection, table: &TableLayout) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!("analyze {}", quoted(&table.name)))).execute(conn).await?;
    Ok(())
}
