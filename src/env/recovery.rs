//! Where a game that has broken down is tried again, and when it is given up.

/// What came of one try to bring the game back.
#[derive(Debug)]
pub(super) enum Try<T, E> {
    Back(T),
    /// There was no process to play it in; not the game's doing.
    NoProcess(String),
    /// The process broke down while the game was played.
    Breakdown(String),
    /// Trying again can't help.
    Hopeless(E),
}

#[derive(Debug)]
pub(super) enum GivenUp<E> {
    /// In words.
    Breakdowns(String),
    Hopeless(E),
}

/// How often a game is tried among others.
const TRIES: usize = 6;

/// A breakdown may be another game's doing, since many share a process; so the game is tried once more among others. If it breaks down
/// again, or has hung, it must first come through alone: a game that ends its process wherever it is played must not take the others
/// with it for ever.
///
/// `seat`: what it is played in, in one word. `first`: the cause of the breakdown, in words. `alone` plays the game in a seat of its own and leaves it there.
pub(super) fn recover<T, U, E>(
    seat: &str,
    first: String,
    hung: bool,
    mut among_others: impl FnMut() -> Try<T, E>,
    mut alone: impl FnMut() -> Try<U, E>,
) -> Result<T, GivenUp<E>> {
    let mut suspicion = if hung { 2 } else { 1 };
    let mut last = first;
    for _ in 0..TRIES {
        if suspicion >= 2 {
            match alone() {
                Try::Back(_) => suspicion = 1,
                Try::NoProcess(cause) => {
                    last = cause;
                    continue;
                }
                Try::Breakdown(cause) => return Err(GivenUp::Breakdowns(format!("it breaks down in a {seat} of its own, too: {cause}"))),
                Try::Hopeless(trouble) => return Err(GivenUp::Hopeless(trouble)),
            }
        }
        match among_others() {
            Try::Back(back) => return Ok(back),
            Try::NoProcess(cause) => last = cause,
            Try::Breakdown(cause) => {
                last = cause;
                suspicion += 1;
            }
            Try::Hopeless(trouble) => return Err(GivenUp::Hopeless(trouble)),
        }
    }
    Err(GivenUp::Breakdowns(format!("no {seat} has lasted in {TRIES} tries, at last: {last}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// The places in which the game is tried, and what comes of it. `o`: others, `a`: alone; `+` back, `-` breakdown, `0` no process,
    /// `x` hopeless.
    fn tried(hung: bool, script: &str) -> (String, Result<(), GivenUp<&'static str>>) {
        let (places, outcomes) = (RefCell::new(String::new()), RefCell::new(script.chars()));
        let next = |place: char| {
            places.borrow_mut().push(place);
            match outcomes.borrow_mut().next() {
                Some('+') => Try::Back(()),
                Some('-') => Try::Breakdown("it died".into()),
                Some('0') => Try::NoProcess("none to be had".into()),
                _ => Try::Hopeless("no use"),
            }
        };
        let result = recover("process", "first".into(), hung, || next('o'), || next('a'));
        (places.take(), result)
    }

    #[test]
    fn the_first_breakdown_is_put_down_to_others() {
        assert!(matches!(tried(false, "+"), (places, Ok(())) if places == "o"));
    }

    #[test]
    fn the_second_has_to_be_disproved_alone() {
        assert!(matches!(tried(false, "-++"), (places, Ok(())) if places == "oao"));
        assert!(matches!(tried(false, "-+-++"), (places, Ok(())) if places == "oaoao"));
        let (places, Err(GivenUp::Breakdowns(reason))) = tried(false, "--") else { panic!("given up") };
        assert_eq!((places.as_str(), reason.as_str()), ("oa", "it breaks down in a process of its own, too: it died"));
    }

    #[test]
    fn one_that_hangs_is_tried_alone_at_once() {
        assert!(matches!(tried(true, "++"), (places, Ok(())) if places == "ao"));
        assert!(matches!(tried(true, "-"), (places, Err(GivenUp::Breakdowns(_))) if places == "a"));
    }

    #[test]
    fn a_missing_process_is_no_suspicion() {
        assert!(matches!(tried(false, "000+"), (places, Ok(())) if places == "oooo"));
        assert!(matches!(tried(true, "00++"), (places, Ok(())) if places == "aaao"));
        let (places, Err(GivenUp::Breakdowns(reason))) = tried(false, "000000") else { panic!("given up") };
        assert_eq!((places.as_str(), reason.as_str()), ("oooooo", "no process has lasted in 6 tries, at last: none to be had"));
    }

    #[test]
    fn hopeless_is_hopeless() {
        assert!(matches!(tried(false, "x"), (places, Err(GivenUp::Hopeless("no use"))) if places == "o"));
        assert!(matches!(tried(true, "x"), (places, Err(GivenUp::Hopeless("no use"))) if places == "a"));
    }
}
