//! Going on while the box is away: it may be stopped, killed and started again in the midst of everything.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use wardline_client::{Call, Calls as _, Error, LocalBox};
use wardline_core::wire::proto::{client_frame, server_frame};

use crate::exit::Failure;
use crate::say;

/// How long the box may be away. A relay that was killed is back in a few seconds; one that an update replaces, in a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(250);
/// After this it is said that there is a wait.
const SAID_AFTER: Duration = Duration::from_secs(1);

/// The box's local socket, connected anew whenever the relay behind it was.
pub(super) struct Desk {
    path: PathBuf,
    line: Mutex<Option<LocalBox>>,
}

impl Desk {
    /// Connects and asks something: nobody behind the socket, or one who does not answer this user, is told at once.
    pub(super) async fn open(path: PathBuf) -> Result<Self, Error> {
        let line = LocalBox::connect(&path).await?;
        line.units().await?;
        Ok(Self { path, line: Mutex::new(Some(line)) })
    }
}

impl Call for Desk {
    async fn call(&self, body: client_frame::Body) -> Result<server_frame::Body, Error> {
        let mut line = self.line.lock().await;
        let connected = match line.take() {
            Some(connected) => connected,
            None => LocalBox::connect(&self.path).await?,
        };
        let answer = connected.call(body).await;
        // After anything but an answer or a refusal the line is not to be trusted with the next question.
        if matches!(answer, Ok(_) | Err(Error::Refused(_))) {
            *line = Some(connected);
        }
        answer
    }
}

/// What became of one try.
enum Tried {
    /// Not done, or not known: worth another.
    Again { maybe_done: bool, after: Duration },
    /// The box said no, or nothing will help.
    Over(Error),
}

fn tried(error: Error) -> Tried {
    match error {
        Error::Interrupted => Tried::Again { maybe_done: true, after: AGAIN },
        // A session that locked is opened by whoever follows the phone's events.
        Error::Offline(_) | Error::Unreachable(_) | Error::Locked { .. } => {
            Tried::Again { maybe_done: false, after: AGAIN }
        }
        Error::Refused(refused) if refused.is_transient() => {
            Tried::Again { maybe_done: false, after: refused.retry_after.unwrap_or(AGAIN).max(AGAIN) }
        }
        error => Tried::Over(error),
    }
}

/// Asks until the box has answered. For questions, and for what may be done twice.
pub(super) async fn again<T, F>(ask: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    asked(ask, |_| None).await
}

/// The same for what is done once: whoever hears a refusal after a try whose answer was lost may take it for done.
pub(super) async fn once<F>(ask: impl FnMut() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Error>>,
{
    asked(ask, |maybe_done| maybe_done.then_some(())).await
}

async fn asked<T, F>(mut ask: impl FnMut() -> F, refused: impl Fn(bool) -> Option<T>) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let (began, mut said, mut unsure) = (Instant::now(), false, false);
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let words = error.to_string();
        match tried(error) {
            Tried::Again { maybe_done, after } if began.elapsed() < PATIENCE => {
                unsure |= maybe_done;
                if !said && began.elapsed() >= SAID_AFTER {
                    said = true;
                    say::note(&format!("Waiting for the box: {words}"));
                }
                tokio::time::sleep(after).await;
            }
            Tried::Again { .. } => {
                let words = format!("The box did not come back within {} s. {words}", PATIENCE.as_secs());
                return Err(Error::Offline(words).into());
            }
            Tried::Over(Error::Refused(why)) => {
                return refused(unsure).ok_or_else(|| Error::Refused(why).into());
            }
            Tried::Over(error) => return Err(error.into()),
        }
    }
}

/// What is there already, or is made: looks before each try, so that a lost answer makes nothing twice.
pub(super) async fn there<T, U>(
    look: impl AsyncFn() -> Result<Option<T>, Failure>,
    make: impl AsyncFn() -> Result<U, Error>,
) -> Result<T, Failure> {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if let Err(error) = make().await {
            match tried(error) {
                Tried::Again { after, .. } if began.elapsed() < PATIENCE => tokio::time::sleep(after).await,
                Tried::Again { .. } => {
                    return Err(Error::Offline("The box does not stay up long enough.".to_owned()).into());
                }
                Tried::Over(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wardline_client::error::Refused;
    use wardline_core::wire::proto::RefusalCode;

    use super::*;

    fn refusal() -> Error {
        let advice = "No.".to_owned();
        Error::Refused(Refused { code: RefusalCode::NotPermitted, advice, retry_after: None, tries_left: 0 })
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_after_a_lost_answer_is_taken_for_done_and_no_other() {
        let mut answers = vec![Err(refusal()), Err(Error::Interrupted)];
        assert!(once(|| std::future::ready(answers.pop().unwrap())).await.is_ok());
        let mut answers = vec![Err(refusal()), Err(Error::Offline("away".to_owned()))];
        assert_eq!(once(|| std::future::ready(answers.pop().unwrap())).await.unwrap_err().code(), 3);
        let mut answers = vec![Err::<(), _>(refusal()), Err(Error::Interrupted)];
        assert_eq!(again(|| std::future::ready(answers.pop().unwrap())).await.unwrap_err().code(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_box_that_stays_away_is_given_up_as_unreachable() {
        let failure = again(|| std::future::ready(Err::<(), _>(Error::Interrupted))).await.unwrap_err();
        assert_eq!(failure.code(), 4);
        assert!(failure.to_string().contains("within 120 s"), "{failure}");
    }
}
