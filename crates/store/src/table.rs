//! What a statement of somebody who looks has found.

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there was more than the limit.
    pub more: bool,
}

/// One value of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; bytes that are not UTF-8 were replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}
