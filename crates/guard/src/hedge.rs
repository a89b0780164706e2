//! Several copies of one call, a while apart; the first good answer wins and the others are dropped.

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use port::Fault;

use crate::landed::worse;

/// Starts the first copy at once, and the next one each time `after` passes without an answer, or at once when all
/// copies that are out have failed and `hurry` says so of the last fault. `next` gives no copy when there are no more.
///
/// # Errors
/// The last copy's fault, when no copy is out any more and no other is to come; with the worst of what may have landed.
/// A copy that a guard kept in tells nothing that hides the fault of one that was out.
pub(crate) async fn race<T, F: Future<Output = Result<T, Fault>>>(
    after: Duration,
    mut next: impl FnMut() -> Option<F>,
    hurry: impl Fn(&Fault) -> bool,
) -> Result<T, Fault> {
    let mut copies = FuturesUnordered::new();
    copies.extend(next());
    let (mut landed, mut told) = (port::Landed::No, None);
    let mut more = true;
    loop {
        let timer = async {
            match more {
                true => tokio::time::sleep(after).await,
                false => std::future::pending().await,
            }
        };
        let answer = tokio::select! {
            biased;
            answer = copies.next() => answer,
            () = timer => {
                more = add(&mut copies, &mut next);
                continue;
            }
        };
        let fault = match answer {
            Some(Ok(reply)) => return Ok(reply),
            Some(Err(fault)) => fault,
            None => return Err(Fault::new(port::Kind::Internal, landed, "no copy of the call was made")),
        };
        landed = worse(landed, fault.landed);
        let fault = Fault { landed, ..more_telling(told.take(), fault) };
        if copies.is_empty() && !(more && hurry(&fault) && add(&mut copies, &mut next)) {
            return Err(fault);
        }
        told = Some(fault);
    }
}

/// The later one, unless only the earlier one came from outside.
fn more_telling(before: Option<Fault>, fault: Fault) -> Fault {
    match before {
        Some(before) if before.rejection.is_none() && fault.rejection.is_some() => before,
        _ => fault,
    }
}

/// Whether there was one to add.
fn add<F>(copies: &mut FuturesUnordered<F>, next: &mut impl FnMut() -> Option<F>) -> bool {
    let before = copies.len();
    copies.extend(next());
    copies.len() > before
}

#[cfg(all(test, not(loom)))]
mod tests {
    use port::{Kind, Landed, Rejection};

    use super::*;

    /// What becomes of copies a second apart, of which each fails so many seconds after it began.
    async fn failing(copies: Vec<(u64, Fault)>) -> Fault {
        let mut copies = copies.into_iter();
        let next = || {
            let (seconds, fault) = copies.next()?;
            Some(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Err::<(), _>(fault)
            })
        };
        race(Duration::from_secs(1), next, |_| false).await.unwrap_err()
    }

    fn fault(landed: Landed) -> Fault {
        Fault::new(Kind::Unavailable, landed, "test")
    }

    #[tokio::test(start_paused = true)]
    async fn what_any_copy_may_have_left_there_landed() {
        for landed in [Landed::Unknown, Landed::Yes] {
            let told = failing(vec![(2, fault(landed)), (2, fault(Landed::No))]).await;
            assert_eq!(told.landed, landed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_that_a_guard_kept_in_does_not_hide_the_fault_of_the_first() {
        let full = || Fault::rejected(Rejection::BulkheadFull, None);
        let told = failing(vec![(2, fault(Landed::Unknown)), (5, full())]).await;
        assert_eq!((told.kind, told.landed, told.rejection), (Kind::Unavailable, Landed::Unknown, None));
        let told = failing(vec![(2, full()), (5, fault(Landed::No))]).await;
        assert_eq!(told.rejection, None);
        let told = failing(vec![(2, full()), (5, full())]).await;
        assert_eq!(told.rejection, Some(Rejection::BulkheadFull), "nothing left the house");
    }
}
