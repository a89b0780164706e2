//! Idempotency records.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params, types::ValueRef};

use super::column::{Json, bytes, nanos, number, text, time};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::lease::Fence;
use crate::mutants::Mutant;
use crate::{Error, KeyOp, KeyRecord, KeyState, Lease};

const SELECT: &str = "SELECT tenant, key, fingerprint, owner, response, created, expires, sum, holder, epoch \
     FROM keys WHERE tenant = ?1 AND key = ?2";
const PUT: &str = "INSERT INTO keys (tenant, key, fingerprint, owner, response, created, expires, sum, holder, epoch) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, key) DO UPDATE SET \
     fingerprint = excluded.fingerprint, owner = excluded.owner, response = excluded.response, \
     created = excluded.created, expires = excluded.expires, sum = excluded.sum, holder = excluded.holder, \
     epoch = excluded.epoch";
const RELEASE: &str = "DELETE FROM keys WHERE tenant = ?1 AND key = ?2 AND owner = ?3 AND response IS NULL";

/// Claims, finishes or releases a key.
pub(super) fn apply(connection: &Connection, op: &KeyOp, fence: &Fence) -> Result<(), Fault> {
    match op {
        KeyOp::Claim(record) => claim(connection, record, fence),
        KeyOp::Finish { tenant, key, owner, response, expires } => {
            let found = find(connection, tenant, key)?.filter(|found| found.owner == *owner);
            let Some(found) = found else { return Err(Error::Lapsed { key: key.clone() }.into()) };
            let state = KeyState::Done { response: response.clone() };
            put(connection, &KeyRecord { state, expires: *expires, ..found })
        }
        KeyOp::Release { tenant, key, owner } => {
            connection.prepare_cached(RELEASE)?.execute([tenant, key, owner])?;
            Ok(())
        }
    }
}

/// The batch's lease is the one in force, or it would not have come so far.
fn claim(connection: &Connection, record: &KeyRecord, fence: &Fence) -> Result<(), Fault> {
    match find(connection, &record.tenant, &record.key)? {
        Some(found) if !found.gives_way_to(record, fence.is_over(&found.lease)) => {
            Err(Error::Key(Box::new(found)).into())
        }
        _ => put(connection, &KeyRecord { lease: fence.lease(), ..record.clone() }),
    }
}

fn put(connection: &Connection, record: &KeyRecord) -> Result<(), Fault> {
    if Mutant::DropKeyRow.is_on() {
        return Ok(());
    }
    connection.prepare_cached(PUT)?.execute(params![
        record.tenant,
        record.key,
        record.fingerprint.as_slice(),
        record.owner,
        record.response().map(Json),
        nanos(record.created),
        nanos(record.expires),
        with_parts(record, sum::of),
        &*record.lease.owner,
        record.lease.epoch as i64,
    ])?;
    Ok(())
}

/// One record.
pub(crate) fn one(read: &Read<'_>, tenant: &str, key: &str) -> Result<Option<KeyRecord>, Fault> {
    find(read.connection, tenant, key)
}

/// How many records of a tenant begin so, up to `most`.
pub(crate) fn count(read: &Read<'_>, tenant: &str, prefix: &str, most: u64) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM keys WHERE tenant = ?1 AND key >= ?2 \
         AND (?3 IS NULL OR key < ?3) LIMIT ?4)";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let params = params![tenant, prefix, super::states::prefix_end(prefix), most];
    read.connection.prepare_cached(sql)?.query_row(params, |row| Ok(number(row, 0)))?
}

/// Forgets some records that expired. Returns how many.
pub(super) fn prune(connection: &Connection, now: Timestamp, some: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM keys WHERE rowid IN (SELECT rowid FROM keys WHERE expires <= ?1 LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![nanos(now), some as i64])?)
}

fn find(connection: &Connection, tenant: &str, key: &str) -> Result<Option<KeyRecord>, Fault> {
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([tenant, key])?;
    rows.next()?.map(decode).transpose()
}

fn decode(row: &Row<'_>) -> Result<KeyRecord, Fault> {
    let state = match row.get_ref(4)? {
        ValueRef::Null => KeyState::InProgress,
        _ => KeyState::Done { response: bytes(row, 4)?.to_vec() },
    };
    let record = KeyRecord {
        tenant: text(row, 0)?.to_owned(),
        key: text(row, 1)?.to_owned(),
        fingerprint: row.get(2)?,
        owner: text(row, 3)?.to_owned(),
        lease: Lease { owner: text(row, 8)?.into(), epoch: number(row, 9)? },
        state,
        created: time(row, 5)?,
        expires: time(row, 6)?,
    };
    let kept = row.get(7)?;
    with_parts(&record, |parts| sum::check(kept, parts, || format!("idempotency record {:?}", record.key)))?;
    Ok(record)
}

/// What must not change unseen. Records of the time before epochs were counted have a checksum without a lease.
fn with_parts<T>(record: &KeyRecord, then: impl FnOnce(&[&[u8]]) -> T) -> T {
    let done: &[u8] = if record.response().is_some() { b"done" } else { b"" };
    let epoch = record.lease.epoch.to_le_bytes();
    let parts = [
        record.response().unwrap_or_default(),
        done,
        record.tenant.as_bytes(),
        record.key.as_bytes(),
        &record.fingerprint,
        record.owner.as_bytes(),
        record.lease.owner.as_bytes(),
        &epoch,
    ];
    then(if record.lease.epoch == 0 { &parts[..6] } else { &parts })
}
