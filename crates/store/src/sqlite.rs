#[derive(Debug)]
pub(crate) struct Sqlite;
