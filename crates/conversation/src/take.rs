//! The way of acts: they are admitted, decided in order, committed at once, and answered.

use std::time::Duration;

use act::Act;

use crate::arrival::Arrival;
use crate::known::Known;
use crate::named::Named;
use crate::refusal::refused;
use crate::spans::Handled;
use crate::work::Work;
use crate::{Answer, Code, Conversations, Error, Submission, Taken, Verdict, asked, named, read};

/// How often a batch is decided again after somebody else wrote to the stream.
const TRIES: u32 = 5;

/// How long acts are decided at a stretch before others have their turn at the processor.
const SPELL: Duration = Duration::from_millis(10);

/// Why a try did not end.
enum Again {
    /// Somebody else wrote to the stream: what we knew was old, and is read again.
    Stale,
    /// Ids were used before: those acts are settled, the others are decided without them.
    Seen,
    Never(Error),
}

impl From<Error> for Again {
    fn from(error: Error) -> Self {
        Again::Never(error)
    }
}

impl Again {
    /// Why the commit of a batch for this stream has failed.
    fn of(error: store::Error, stream: &str) -> Self {
        match error {
            store::Error::Version { stream: other, .. } if other == stream => Again::Stale,
            // The stream of a run: its commit was taken before.
            store::Error::Version { .. } | store::Error::Key(_) => Again::Seen,
            error => Again::Never(error.into()),
        }
    }
}

impl Conversations {
    /// Takes the acts; one verdict for each, in order. With [`Submission::all_or_nothing`] the first refusal is the
    /// answer and nothing is written.
    ///
    /// Safe under cancellation: what was handed to the store is committed and followed up, what was not leaves
    /// nothing behind.
    ///
    /// # Errors
    /// When nothing was taken: the conversation is another organisation's, or the store refuses.
    pub async fn take(&self, mut submission: Submission<'_>) -> Result<Answer, Error> {
        let (start, started) = (self.clock.now(), self.clock.instant());
        let acts = std::mem::take(&mut submission.acts);
        let mut arrivals = self.admit(&submission, acts)?;
        let answer = self.settle(&submission, &mut arrivals).await;
        let took = self.clock.instant().saturating_duration_since(started);
        for (number, arrival) in arrivals.iter().enumerate() {
            let verdict = answer.as_ref().ok().and_then(|answer| answer.verdicts.get(number));
            let taken = verdict.and_then(|verdict| verdict.as_ref().ok());
            if let Some(verdict) = verdict.map(Result::as_ref).or(answer.as_ref().err().map(Err)) {
                self.record(&submission, &Handled { act: &arrival.act, verdict, start, took });
            }
            self.telemetry.on_act(arrival.act.type_name(), taken.is_some(), took);
            log(&submission, &arrival.act, taken);
        }
        answer
    }

    /// All in one batch; in several when they are too much for one, and may be taken apart.
    async fn settle(&self, submission: &Submission<'_>, arrivals: &mut [Arrival]) -> Result<Answer, Error> {
        if submission.all_or_nothing {
            refuse_first(arrivals)?;
            return self.together(submission, arrivals).await;
        }
        match self.together(submission, arrivals).await {
            Err(error) if error.is_too_large() => Ok(self.in_parts(submission, arrivals).await),
            answer => answer,
        }
    }

    /// Takes the acts in halves, and halves of these, when all at once are too much for one batch.
    async fn in_parts(&self, submission: &Submission<'_>, arrivals: &mut [Arrival]) -> Answer {
        let mut all = Answer { verdicts: Vec::with_capacity(arrivals.len()), next_actions: Vec::new() };
        let mut parts = vec![arrivals];
        while let Some(part) = parts.pop() {
            match self.together(submission, part).await {
                Ok(answer) => {
                    all.verdicts.extend(answer.verdicts);
                    all.next_actions = answer.next_actions;
                }
                Err(error) if error.is_too_large() && part.len() > 1 => {
                    let (first, rest) = part.split_at_mut(part.len() / 2);
                    parts.extend([rest, first]);
                }
                Err(error) => all.verdicts.extend(part.iter().map(|_| Err(error.clone()))),
            }
        }
        all
    }

    async fn together(&self, submission: &Submission<'_>, arrivals: &mut [Arrival]) -> Result<Answer, Error> {
        for _ in 0..TRIES {
            match self.attempt(submission, arrivals).await {
                Ok(answer) => return Ok(answer),
                Err(Again::Stale) => {}
                Err(Again::Seen) => self.settle_seen(submission, arrivals).await?,
                Err(Again::Never(error)) => return Err(error),
            }
        }
        Err(Error::new(Code::Contended))
    }

    /// Decides and commits once, under the conversation's lock.
    async fn attempt(&self, submission: &Submission<'_>, arrivals: &[Arrival]) -> Result<Answer, Again> {
        let request = &submission.request;
        let (mut slot, talk) = self.hold(submission.conversation).await?;
        let now = self.clock.now();
        if let Err(error) = may_decide(submission, &talk, now) {
            *slot = Some(talk);
            return Err(error.into());
        }
        let whose = (request.caller.tenant.clone(), request.correlation.clone());
        let mut work = Work::new(self, talk, whose, now, request.motion);
        work.trace = Some(request.trace);
        let verdicts = self.decide(&mut work, submission, arrivals).await?;
        if let Some(done) = submission.answering.as_ref().and_then(|answering| answering.done.clone()) {
            work.keep(done);
        }
        let (talk, position) = self.write(work).await?;
        let answer = answer(&talk, verdicts, position);
        *slot = Some(talk);
        Ok(answer)
    }

    async fn decide(
        &self,
        work: &mut Work,
        submission: &Submission<'_>,
        arrivals: &[Arrival],
    ) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(arrivals.len());
        let mut since = self.clock.instant();
        for arrival in arrivals {
            if self.clock.instant().saturating_duration_since(since) > SPELL {
                tokio::task::yield_now().await;
                since = self.clock.instant();
            }
            let verdict = match &arrival.settled {
                Some(settled) => settled.clone(),
                None => self.one(work, submission, arrival).await?,
            };
            if let Err(error) = &verdict
                && (submission.all_or_nothing || (error.is_too_large() && arrivals.len() > 1))
            {
                return Err(error.clone());
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// Decides one act, unless it is a commit that was begun before.
    async fn one(
        &self,
        work: &mut Work,
        submission: &Submission<'_>,
        arrival: &Arrival,
    ) -> Result<Verdict, Error> {
        let leave = match self.leave(work, submission.request.motion, arrival).await? {
            Named::May(leave) => leave,
            Named::Settled(verdict) => return Ok(verdict),
        };
        work.trace = Some(self.span_of(&submission.request, &arrival.act));
        match work.act(&self.deciding, arrival, leave.as_ref()).await {
            Ok(taken) => Ok(Ok(taken)),
            // What cannot be taken now may have been taken before: then it is answered as then.
            Err(error) => Ok(self.seen(arrival).await?.unwrap_or(Err(error))),
        }
    }

    /// Whether an act may begin what it wants, as far as its key is concerned.
    pub(crate) async fn leave(
        &self,
        work: &Work,
        motion: &dyn crate::Motion,
        arrival: &Arrival,
    ) -> Result<Named, Error> {
        let Some(identity) = &arrival.identity else {
            return Ok(
                named::unnamed(&arrival.act).map_or_else(|no| Named::Settled(Err(no)), |()| Named::May(None))
            );
        };
        match work.named(identity, arrival) {
            Some(verdict) => Ok(Named::Settled(verdict)),
            None => self.named(&work.tenant, motion, arrival, identity).await,
        }
    }

    async fn settle_seen(&self, submission: &Submission<'_>, arrivals: &mut [Arrival]) -> Result<(), Error> {
        for arrival in arrivals.iter_mut().filter(|arrival| arrival.settled.is_none()) {
            arrival.settled = self.seen(arrival).await?;
        }
        if submission.all_or_nothing { refuse_first(arrivals) } else { Ok(()) }
    }

    /// Commits what was decided, when there is anything.
    async fn write(&self, work: Work) -> Result<(Known, u64), Again> {
        let stream = work.talk.stream();
        let (batch, done) = work.finish();
        if batch.is_empty() {
            return Ok((done.talk, *self.store.head().borrow()));
        }
        let committed = self.commit(batch, done).await;
        let (receipt, talk) = committed.map_err(|error| Again::of(error, &stream))?;
        Ok((talk, receipt.position))
    }
}

/// Whether the caller may be decided about here: the conversation is its organisation's, and what it answers is open.
fn may_decide(submission: &Submission<'_>, talk: &Known, now: jiff::Timestamp) -> Result<(), Error> {
    if talk.exists() {
        submission.request.caller.belongs_to(&talk.tenant)?;
    }
    if let Some(answering) = &submission.answering {
        asked::open(talk, answering.question, now).map_err(refused)?;
    }
    Ok(())
}

fn answer(talk: &Known, mut verdicts: Vec<Verdict>, position: u64) -> Answer {
    for taken in verdicts.iter_mut().flatten() {
        taken.position = taken.position.max(position);
    }
    Answer { verdicts, next_actions: read::next_actions(talk) }
}

fn refuse_first(arrivals: &[Arrival]) -> Result<(), Error> {
    let refusal = arrivals.iter().find_map(|arrival| arrival.settled.as_ref()?.as_ref().err());
    refusal.map_or(Ok(()), |error| Err(error.clone()))
}

/// Writes to the log what became of an act. What sets runs in motion is for operators, the rest for us.
fn log(submission: &Submission<'_>, act: &Act, taken: Option<&Taken>) {
    let (act_id, act_type, request) = (act.id.as_str(), act.type_name(), &submission.request);
    let (conversation_id, correlation_id) = (submission.conversation, &*request.correlation);
    let stage = match taken {
        Some(taken) if taken.replayed => "seen before",
        Some(_) => "committed",
        None => "refused",
    };
    let started = taken.map(|taken| &*taken.runs).unwrap_or_default();
    if started.is_empty() {
        return tracing::debug!(stage, act_id, act_type, conversation_id, correlation_id, "act handled");
    }
    let trace_id = format_args!("{:032x}", request.trace.trace_id);
    let span_id = format_args!("{:016x}", request.trace.span_id);
    for run in started.iter().map(|started| &*started.run) {
        tracing::info!(
            correlation_id,
            %trace_id,
            %span_id,
            conversation_id,
            act_id,
            act_type,
            stage,
            run,
            "act started a run"
        );
    }
}
