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
pub(crate) async fn race<T, F: Future<Output = Result<T, Fault>>>(
    after: Duration,
    mut next: impl FnMut() -> Option<F>,
    hurry: impl Fn(&Fault) -> bool,
) -> Result<T, Fault> {
    let mut copies = FuturesUnordered::new();
    copies.extend(next());
    let mut landed = port::Landed::No;
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
        let fault = Fault { landed, ..fault };
        if copies.is_empty() && !(more && hurry(&fault) && add(&mut copies, &mut next)) {
            return Err(fault);
        }
    }
}

/// Whether there was one to add.
fn add<F>(copies: &mut FuturesUnordered<F>, next: &mut impl FnMut() -> Option<F>) -> bool {
    let before = copies.len();
    copies.extend(next());
    copies.len() > before
}
