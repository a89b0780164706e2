//! What several attempts together may have left behind.

use port::Landed;

/// What may be there is what any attempt may have left there.
pub(crate) fn worse(one: Landed, other: Landed) -> Landed {
    match (one, other) {
        (Landed::Yes, _) | (_, Landed::Yes) => Landed::Yes,
        (Landed::Unknown, _) | (_, Landed::Unknown) => Landed::Unknown,
        (Landed::No, Landed::No) => Landed::No,
    }
}
