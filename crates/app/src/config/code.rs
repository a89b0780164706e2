//! The codes of what no single key can be blamed for. `docs/reference/errors.md` explains each.

/// A version of the file that this build does not read.
pub(super) const VERSION: &str = "CFG101";
/// A name in two files.
pub(super) const NAME_TWICE: &str = "CFG102";
/// Serving others without knowing who they are.
pub(super) const OPEN_DOOR: &str = "CFG103";
/// A secret that is not declared.
pub(super) const NO_SUCH_SECRET: &str = "CFG104";
/// A secret that nobody uses.
pub(super) const UNUSED_SECRET: &str = "CFG105";
/// A profile that does not exist.
pub(super) const NO_SUCH_PROFILE: &str = "CFG106";
/// Profiles that extend each other in a circle.
pub(super) const PROFILE_CIRCLE: &str = "CFG107";
/// Two names that are one after `-` became `_`.
pub(super) const SAME_NAME: &str = "CFG108";
/// Text that is no address with a port.
pub(super) const NOT_AN_ADDRESS: &str = "CFG109";
/// Guard numbers that cannot go together.
pub(super) const GUARD_CONFLICT: &str = "CFG110";
/// Algorithms that do not go with the kind of key.
pub(super) const KEY_MISMATCH: &str = "CFG111";
/// A section in two files that can stand in one only.
pub(super) const SECTION_TWICE: &str = "CFG112";
/// A store that this build does not have.
pub(super) const NO_SUCH_STORE: &str = "CFG113";
/// A file that cannot be read.
pub(super) const UNREADABLE: &str = "CFG114";
/// A secret that cannot be read.
pub(super) const NO_SECRET: &str = "CFG115";
/// A profile with the name of a built-in one.
pub(super) const PROFILE_TAKEN: &str = "CFG116";
/// An operation that the system does not have.
pub(super) const NO_SUCH_OPERATION: &str = "CFG118";
/// An action that no commit has.
pub(super) const NO_SUCH_ACTION: &str = "CFG119";
/// A store of limits that is not declared.
pub(super) const NO_SUCH_LIMIT_STORE: &str = "CFG120";
/// A store of limits in which none is counted.
pub(super) const UNUSED_LIMIT_STORE: &str = "CFG121";
/// An address at which no store of limits can be.
pub(super) const BAD_LIMIT_STORE: &str = "CFG122";
/// A member of a group that does not exist.
pub(super) const NO_SUCH_MEMBER: &str = "CFG123";
/// A member that a group cannot have, or not once more.
pub(super) const BAD_MEMBER: &str = "CFG124";
/// Members that can do nothing together.
pub(super) const NO_GROUP: &str = "CFG125";
/// Guard numbers beside a group.
pub(super) const GUARDED_GROUP: &str = "CFG126";
/// Calls that cannot be collected so.
pub(super) const BAD_BATCH: &str = "CFG127";
/// A file of the directory that is not read.
pub(super) const NOT_OURS: &str = "CFG128";
/// A type of act that is known already.
pub(super) const NOT_CUSTOM: &str = "CFG129";
/// A limit that nothing behind it can carry.
pub(super) const LARGE_LIMIT: &str = "CFG130";
/// A limit that no server can work with.
pub(super) const LIMIT_RANGE: &str = "CFG131";
/// An address at which no collector can be.
pub(super) const BAD_COLLECTOR: &str = "CFG140";
/// A header that cannot go with spans.
pub(super) const BAD_SPAN_HEADER: &str = "CFG141";
/// A credential in the open that goes with spans.
pub(super) const OPEN_SPAN_HEADER: &str = "CFG142";
/// A limit without its numbers.
pub(super) const HALF_LIMIT: &str = "CFG117";
