//! What the store says of itself.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::sum;
use crate::{Error, Lease};

const INSTALLATION: &str = "installation";
/// The alphabet of RFC 4648, in small letters.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Gives the store its installation id, unless it has one.
pub(super) fn install(connection: &Connection) -> Result<(), Fault> {
    let id = fresh_installation()?;
    let sum = sum::of(&[id.as_bytes(), INSTALLATION.as_bytes()]);
    let sql = "INSERT INTO meta (name, value, sum) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";
    connection.execute(sql, params![INSTALLATION, id, sum])?;
    Ok(())
}

/// The store's installation id.
pub(super) fn installation(connection: &Connection) -> Result<Arc<str>, Fault> {
    let sql = "SELECT value, sum FROM meta WHERE name = ?1";
    let found = connection.query_row(sql, [INSTALLATION], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    let Some((id, kept)) = found.optional()? else {
        return Err(Fault::corrupt("the installation id is missing"));
    };
    sum::check(kept, &[id.as_bytes(), INSTALLATION.as_bytes()], || "the installation id".into())?;
    Ok(id.into())
}

/// The epoch that an owner's last batch was written under; 0 when it has written none.
pub(super) fn epoch(connection: &Connection, owner: &str) -> Result<u64, Fault> {
    let name = lease(owner);
    let sql = "SELECT value, sum FROM meta WHERE name = ?1";
    let found = connection.query_row(sql, [&name], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    let Some((epoch, kept)) = found.optional()? else { return Ok(0) };
    sum::check(kept, &[epoch.as_bytes(), name.as_bytes()], || format!("the lease of {owner:?}"))?;
    epoch.parse().map_err(|_| Fault::corrupt(format!("the epoch {epoch:?} of {owner:?} is no number")))
}

/// Keeps which epoch of an owner writes.
pub(super) fn keep(connection: &Connection, held: &Lease) -> Result<(), Fault> {
    let (name, epoch) = (lease(&held.owner), held.epoch.to_string());
    let sum = sum::of(&[epoch.as_bytes(), name.as_bytes()]);
    let sql = "INSERT INTO meta (name, value, sum) VALUES (?1, ?2, ?3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, sum = excluded.sum";
    connection.execute(sql, params![name, epoch, sum])?;
    Ok(())
}

/// What an owner's lease is called.
fn lease(owner: &str) -> String {
    format!("lease of {owner}")
}

/// `i_` and 128 bits of the operating system's randomness in base 32.
fn fresh_installation() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::Io { cause: format!("asking the system for random bytes: {cause}") })?;
    Ok(spelled(u128::from_be_bytes(bytes)))
}

fn spelled(number: u128) -> String {
    let digit = |place: u32| char::from(BASE32[(number >> (5 * place)) as usize % 32]);
    "i_".chars().chain((0..26).rev().map(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_id_spells_every_bit() {
        assert_eq!(spelled(0), format!("i_{}", "a".repeat(26)));
        assert_eq!(spelled(u128::MAX), format!("i_h{}", "7".repeat(25)));
        assert_eq!(spelled(1 << 5), format!("i_{}ba", "a".repeat(24)));
    }
}
