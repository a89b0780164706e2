//! Makes or checks the database file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::events;
use super::fault::Fault;
use super::lock::Lock;
use super::meta;
use super::{shape, timers};
use crate::lease::Fence;
use crate::mutants::Mutant;
use crate::{Error, Options};

/// "CARD", in the header of every store.
const APPLICATION: i32 = 0x4341_5244;
/// The schema, one step per version. What has been released is never edited.
const SCHEMA: [&str; 9] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
];
/// How every database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Who holds a store on SQLite: there is one, and the lock sees to it.
pub(super) const OWNER: &str = "server";
/// As much of a database as says whose it is.
const HEAD: usize = 105;
/// Whose it is, when it is not ours.
const OTHER: &str = "a database of another application";
/// SQLite's page size; the largest file is a number of these.
const PAGE: u64 = 4096;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Each commit is synced.
    Full,
    /// None is; for what need not outlive the process.
    None,
}

/// The writer's connection to a store that is fit to use.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: Lock,
    pub(super) head: u64,
    pub(super) installation: Arc<str>,
    pub(super) fence: Arc<Fence>,
    pub(super) path: std::path::PathBuf,
}

/// Opens the store at `path`, or makes one where nothing is.
pub(super) fn open(path: &Path, options: &Options, durability: Durability) -> Result<Opened, Error> {
    make_directory(path)?;
    must_be_a_database(path)?;
    let mut lock = Lock::take(path)?;
    let path = lock.database().to_owned();
    let path = path.as_path();
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
        .map_err(Fault::into_error)?;
    let head = prepare(&mut connection, path, options, durability).map_err(Fault::into_error)?;
    let noted = lock.noted();
    if head < noted {
        let file = Lock::path(path);
        let what = format!(
            "the log ends at position {head}, but {noted} was acknowledged (if this is a restored backup, remove {})",
            file.display()
        );
        return Err(Error::Corrupt { what });
    }
    let installation = meta::installation(&connection).map_err(Fault::into_error)?;
    let before = meta::epoch(&connection, OWNER).map_err(Fault::into_error)?;
    let fence = Arc::new(Fence::new(OWNER, before + 1));
    Ok(Opened { connection, lock, head, installation, fence, path: path.to_owned() })
}

/// A connection with the settings that all share.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // After a failed sync, moving the write-ahead log into the database could move what never reached the disk.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// A database that is nowhere but in memory.
pub(super) fn in_memory() -> Result<Connection, Fault> {
    let mut connection = connect(Path::new(":memory:"), OpenFlags::default())?;
    migrate(&mut connection, 0)?;
    Ok(connection)
}

fn prepare(
    connection: &mut Connection,
    path: &Path,
    options: &Options,
    durability: Durability,
) -> Result<u64, Fault> {
    let found = schema_version(connection, path)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let cause =
            format!("{}: the file system cannot keep a write-ahead log; use a local disk", path.display());
        return Err(Error::Io { cause }.into());
    }
    let synchronous = match durability {
        Durability::Full if !Mutant::SkipFsync.is_on() => "FULL",
        Durability::Full | Durability::None => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    if let Some(bytes) = options.file_bytes {
        connection.pragma_update(None, "max_page_count", (bytes / PAGE) as i64)?;
    }
    migrate(connection, found)?;
    shape::check(connection)?;
    timers::warn_of_damage(connection)?;
    events::head(connection)
}

/// The schema version of the store; 0 for a new one.
pub(super) fn schema_version(connection: &Connection, path: &Path) -> Result<u32, Fault> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION {
        return Err(Error::Foreign { path: path.to_owned(), what: OTHER }.into());
    }
    let ours = SCHEMA.len() as u32;
    match u32::try_from(version) {
        Ok(found) if found > ours => Err(Error::Newer { found, ours }.into()),
        // Whatever the number says: a step that was taken is not taken again.
        _ => match shape::version(connection)? {
            0 => Err(Fault::corrupt("it has the mark of a cardan store and none of its tables")),
            found => Ok(found),
        },
    }
}

/// Takes the steps that are missing, each with its version in one transaction.
fn migrate(connection: &mut Connection, found: u32) -> Result<(), Fault> {
    let number: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > 0 && number != found as i32 {
        tracing::warn!(number, found, "store has a version number that is not that of its tables");
        connection.pragma_update(None, "user_version", found)?;
    }
    for (version, step) in (1..).zip(SCHEMA).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        fill(&transaction, version)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// What a step needs beyond SQL.
fn fill(transaction: &Connection, version: u32) -> Result<(), Fault> {
    match version {
        5 => meta::install(transaction),
        8 => timers::sum_all(transaction),
        _ => Ok(()),
    }
}

/// Makes the directory and syncs its entry: a store whose directory is forgotten is forgotten.
fn make_directory(path: &Path) -> Result<(), Error> {
    let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    if directory.is_dir() {
        return Ok(());
    }
    let synced = std::fs::create_dir_all(directory)
        .and_then(|()| File::open(directory.parent().unwrap_or(Path::new("."))))
        .and_then(|parent| parent.sync_all());
    synced.map_err(|cause| Error::Io { cause: format!("making {}: {cause}", directory.display()) })
}

pub(super) fn must_be_a_database(path: &Path) -> Result<(), Error> {
    let foreign = |what| Error::Foreign { path: path.to_owned(), what };
    if path.is_dir() {
        return Err(foreign("a directory"));
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(Error::Io { cause: format!("opening {}: {cause}", path.display()) }),
    };
    let mut head = Vec::with_capacity(HEAD);
    if let Err(cause) = file.by_ref().take(HEAD as u64).read_to_end(&mut head) {
        return Err(Error::Io { cause: format!("reading {}: {cause}", path.display()) });
    }
    match head.starts_with(MAGIC) {
        true if is_foreign(&head) => Err(foreign(OTHER)),
        true => Ok(()),
        false if head.is_empty() => Ok(()),
        false => Err(foreign("not a database")),
    }
}

/// Whether a database's first bytes say that it is another application's. Read before anything is opened, because
/// opening leaves files beside it. What they leave open (a schema that is only in the write-ahead log) is told later.
///
/// The offsets are those of <https://sqlite.org/fileformat2.html>: the application id is at 68, the number of rows of
/// the schema's first page at 103.
fn is_foreign(head: &[u8]) -> bool {
    let schema_is_empty = head.get(103..105).is_none_or(|rows| rows == [0, 0]);
    let ours = head.get(68..72).is_none_or(|id| id == APPLICATION.to_be_bytes());
    !ours && !schema_is_empty
}
