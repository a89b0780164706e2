//! The codes of what this crate finds. `docs/reference/errors.md` says for each what happened and what to do.

/// The text is not YAML.
pub const SYNTAX: &str = "CFG001";
/// A key is written twice in one mapping.
pub const DUPLICATE_KEY: &str = "CFG002";
/// Too large, too deep or too many.
pub const LIMIT: &str = "CFG003";
/// A part of YAML that is not read here: tags, merge keys, several documents, keys that are no scalars.
pub const YAML_FEATURE: &str = "CFG004";
/// A number that cannot be kept exactly.
pub const NUMBER: &str = "CFG005";
/// A key that nobody reads.
pub const UNKNOWN_KEY: &str = "CFG010";
/// A required key is not there.
pub const MISSING_KEY: &str = "CFG011";
/// Another type than expected.
pub const WRONG_TYPE: &str = "CFG012";
/// A number, duration or size outside its range.
pub const OUT_OF_RANGE: &str = "CFG013";
/// Text that is none of the choices.
pub const NOT_A_CHOICE: &str = "CFG014";
/// Text that does not have the form asked for.
pub const BAD_FORM: &str = "CFG015";
/// A duration that cannot be read.
pub const BAD_DURATION: &str = "CFG016";
/// A size that cannot be read.
pub const BAD_SIZE: &str = "CFG017";
/// None of several keys, of which exactly one must be there.
pub const NONE_OF: &str = "CFG018";
/// Several keys, of which exactly one may be there.
pub const SEVERAL_OF: &str = "CFG019";
/// A list or mapping with too few or too many parts.
pub const BAD_LENGTH: &str = "CFG020";
/// A free name that is not a name.
pub const BAD_NAME: &str = "CFG021";
/// Works, and will not for ever.
pub const DEPRECATED: &str = "CFG022";
/// A secret written in the open.
pub const OPEN_SECRET: &str = "CFG023";
