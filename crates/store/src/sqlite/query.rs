//! Read-only SQL for people who look.

use std::time::Duration;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle};

use super::fault::Fault;
use super::{Sqlite, Threads, Way};
use crate::{Cell, Error, Table};

/// Runs one reading statement on a connection that can do nothing else, and interrupts it after `timeout`.
pub(crate) async fn run(
    store: &Sqlite,
    sql: String,
    limit: usize,
    timeout: Duration,
) -> Result<Table, Error> {
    let Way::Threads(Threads { readers, .. }) = &store.way else {
        return Err(Error::Query("a store without threads answers no SQL".to_owned()));
    };
    let place = readers.place().await?;
    let readers = readers.clone();
    let (interrupt, handle) = tokio::sync::oneshot::channel::<InterruptHandle>();
    let mut reading = tokio::task::spawn_blocking(move || {
        let _place = place;
        let connection = guarded(readers.own()?)?;
        let _ = interrupt.send(connection.get_interrupt_handle());
        table(&connection, &sql, readers.rows(limit), readers.page_bytes())
    });
    let read = match tokio::time::timeout(timeout, &mut reading).await {
        Ok(read) => read,
        Err(_) => {
            if let Ok(handle) = handle.await {
                handle.interrupt();
            }
            let _ = reading.await;
            return Err(Error::Query(format!("interrupted after {timeout:?}; ask for less")));
        }
    };
    match read {
        Ok(read) => read.map_err(told),
        Err(cause) => Err(Error::Query(cause.to_string())),
    }
}

fn guarded(mut connection: Connection) -> Result<Connection, Fault> {
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }))?;
    Ok(connection)
}

fn table(connection: &Connection, sql: &str, limit: usize, bytes: usize) -> Result<Table, Fault> {
    let mut statement = connection.prepare(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut table = Table { columns, ..Table::default() };
    let mut rows = statement.query([])?;
    let mut weight = 0;
    while let Some(row) = rows.next()? {
        if table.rows.len() == limit || weight >= bytes {
            table.more = true;
            break;
        }
        let cells = (0..table.columns.len()).map(|column| row.get_ref(column).map(cell));
        let cells = cells.collect::<rusqlite::Result<Vec<Cell>>>()?;
        weight += cells.iter().map(weight_of).sum::<usize>();
        table.rows.push(cells);
    }
    Ok(table)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}

fn weight_of(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => 16,
        Cell::Text(text) => text.len(),
        Cell::Blob(bytes) => bytes.len(),
    }
}

/// What is wrong with the statement is the asker's to know; what is wrong with the store stays what it is.
fn told(fault: Fault) -> Error {
    match fault.into_error() {
        Error::Io { cause } => Error::Query(cause),
        other => other,
    }
}
