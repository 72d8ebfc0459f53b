//! Short threads in every order of their steps.
//!
//! Each operation on the word is one atomic step, so to run the steps in every order is to see all that can happen.
//! To wait is to ask to be woken, look again and sleep; the waker changes the word before it wakes those who sleep.

use std::collections::HashSet;

use leakproof::state::Refusal::{self, Busy, Closed};
use leakproof::state::Word;

/// What a thread does, once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Job {
    /// Use the handle beside others.
    Share,
    /// Use it alone.
    Alone,
    /// Close it.
    Close,
    /// Close it unless it is in use.
    TryClose,
}

/// Where a thread is in its present job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    /// About to enter or to mark.
    Start,
    /// In the handle.
    Inside,
    /// Has marked, and wants it alone.
    Marked,
    /// Has marked, and gives up.
    GivingUp,
    /// Was refused in the state that the second value names; `Marked` or `Start`.
    Refused {
        marked: bool,
    },
    /// Asked to be woken.
    Expecting {
        marked: bool,
    },
    Asleep {
        marked: bool,
    },
    /// Was told to wake the others.
    Waking,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Thread {
    /// The jobs that are left; the first is the present one.
    jobs: &'static [Job],
    at: At,
}

/// What the word has to say, kept beside it in plain values.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Truth {
    sharers: usize,
    alone: bool,
    /// The thread that is closing.
    closing: Option<usize>,
    closed: bool,
    /// Whether someone asked to be woken.
    expected: bool,
}

struct World {
    word: Word<true>,
    truth: Truth,
    threads: Vec<Thread>,
}

/// A state of the world, to know it again.
type Key = (String, Truth, Vec<Thread>);

impl World {
    fn new(scripts: &[&'static [Job]]) -> World {
        let thread = |jobs: &&'static [Job]| Thread {
            jobs,
            at: At::Start,
        };
        World {
            word: Word::new(),
            truth: Truth::default(),
            threads: scripts.iter().map(thread).collect(),
        }
    }

    fn key(&self) -> Key {
        (
            format!("{:?}", self.word),
            self.truth.clone(),
            self.threads.clone(),
        )
    }

    fn runnable(&self) -> Vec<usize> {
        let runs =
            |thread: &Thread| !thread.jobs.is_empty() && !matches!(thread.at, At::Asleep { .. });
        (0..self.threads.len())
            .filter(|index| runs(&self.threads[*index]))
            .collect()
    }

    /// One atomic step of one thread.
    fn step(&mut self, index: usize) {
        let Thread { jobs, at } = self.threads[index];
        let next = match (at, jobs[0]) {
            (At::Start, Job::Share) => self.share(),
            (At::Start, Job::Alone) => self.alone(),
            (At::Start, Job::Close | Job::TryClose) => self.mark(index),
            (At::Marked, job) => self.take(index, job),
            (At::Inside, Job::Share) => self.leave_shared(),
            (At::Inside, Job::Alone) => self.leave_alone(),
            (At::Inside, Job::Close | Job::TryClose) => self.close(),
            (At::GivingUp, _) => self.give_up(),
            (At::Refused { marked }, _) => self.expect(marked),
            (At::Expecting { marked }, job) => Some(self.look_again(marked, job)),
            (At::Waking, _) => self.wake(),
            (At::Asleep { .. }, _) => unreachable!("who sleeps does not step"),
        };
        let thread = &mut self.threads[index];
        match next {
            Some(at) => thread.at = at,
            None => {
                *thread = Thread {
                    jobs: &jobs[1..],
                    at: At::Start,
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        let Truth {
            sharers,
            alone,
            closing,
            closed,
            ..
        } = self.truth;
        assert_eq!(self.word.is_used(), sharers > 0 || alone);
        assert_eq!(self.word.is_exclusive(), alone);
        assert_eq!(self.word.is_closed(), closed);
        assert_eq!(self.word.is_closing(), closed || closing.is_some());
    }

    fn refused(&self, refusal: Refusal, marked: bool) -> Option<At> {
        match refusal {
            Busy => Some(At::Refused { marked }),
            Closed => {
                assert!(self.truth.closed || self.truth.closing.is_some());
                None
            }
        }
    }

    fn share(&mut self) -> Option<At> {
        match self.word.try_share() {
            Ok(()) => {
                assert!(!self.truth.alone && !self.truth.closed && self.truth.closing.is_none());
                self.truth.sharers += 1;
                Some(At::Inside)
            }
            Err(refusal) => self.refused(refusal, false),
        }
    }

    fn assert_unused(&self) {
        assert!(self.truth.sharers == 0 && !self.truth.alone && !self.truth.closed);
    }

    fn alone(&mut self) -> Option<At> {
        match self.word.try_exclusive() {
            Ok(()) => {
                self.assert_unused();
                assert_eq!(self.truth.closing, None);
                self.truth.alone = true;
                Some(At::Inside)
            }
            Err(refusal) => self.refused(refusal, false),
        }
    }

    fn mark(&mut self, index: usize) -> Option<At> {
        match self.word.mark_closing() {
            Ok(()) => {
                assert!(!self.truth.closed && self.truth.closing.is_none());
                self.truth.closing = Some(index);
                Some(At::Marked)
            }
            Err(refusal) => self.refused(refusal, false),
        }
    }

    fn take(&mut self, index: usize, job: Job) -> Option<At> {
        assert_eq!(self.truth.closing, Some(index));
        match self.word.try_take() {
            Ok(()) => {
                self.assert_unused();
                self.truth.alone = true;
                Some(At::Inside)
            }
            Err(Busy) if job == Job::TryClose => Some(At::GivingUp),
            Err(refusal) => self.refused(refusal, true),
        }
    }

    fn leave_shared(&mut self) -> Option<At> {
        self.truth.sharers -= 1;
        let told = self.word.leave_shared();
        if self.truth.sharers > 0 {
            assert!(!told, "there is nothing to wake for");
            return None;
        }
        self.made_free(told)
    }

    fn leave_alone(&mut self) -> Option<At> {
        self.truth.alone = false;
        let told = self.word.leave_exclusive();
        self.made_free(told)
    }

    fn close(&mut self) -> Option<At> {
        (self.truth.alone, self.truth.closed, self.truth.closing) = (false, true, None);
        let told = self.word.close();
        self.made_free(told)
    }

    fn give_up(&mut self) -> Option<At> {
        self.truth.closing = None;
        let told = self.word.unmark_closing();
        self.made_free(told)
    }

    /// Whoever ends what others may wait for is told of it, exactly if they do.
    fn made_free(&mut self, told: bool) -> Option<At> {
        assert_eq!(told, std::mem::take(&mut self.truth.expected));
        told.then_some(At::Waking)
    }

    fn expect(&mut self, marked: bool) -> Option<At> {
        self.word.expect_wake();
        self.truth.expected = !self.truth.closed;
        Some(At::Expecting { marked })
    }

    /// What the runtime asks of the word before it sleeps.
    fn look_again(&self, marked: bool, job: Job) -> At {
        let word = &self.word;
        let ready = match job {
            _ if marked => !word.is_used(),
            Job::Share => !word.is_exclusive() || word.is_closing(),
            Job::Alone => !word.is_used() || word.is_closing(),
            Job::Close | Job::TryClose => word.is_closed() || !word.is_closing(),
        };
        match (ready, marked) {
            (false, _) if word.is_expected() => At::Asleep { marked },
            (_, false) => At::Start,
            (_, true) => At::Marked,
        }
    }

    fn wake(&mut self) -> Option<At> {
        for thread in &mut self.threads {
            match thread.at {
                At::Asleep { marked: false } => thread.at = At::Start,
                At::Asleep { marked: true } => thread.at = At::Marked,
                _ => {}
            }
        }
        None
    }

    /// No one can step any more.
    fn check_end(&self) {
        for thread in &self.threads {
            assert!(thread.jobs.is_empty(), "never woken: {:?}", self.threads);
        }
        assert_eq!((self.truth.sharers, self.truth.alone), (0, false));
        assert!(!self.word.is_used());
    }
}

/// Which thread steps in a state.
struct Choice {
    state: Key,
    taken: usize,
    count: usize,
}

/// Run the threads in every order. A state that was seen before is not followed again.
fn explore(scripts: &[&'static [Job]]) {
    let mut seen: HashSet<Key> = HashSet::new();
    let mut path: Vec<Choice> = Vec::new();
    loop {
        let mut world = World::new(scripts);
        for depth in 0.. {
            let runnable = world.runnable();
            if runnable.is_empty() {
                world.check_end();
                break;
            }
            if depth == path.len() {
                let state = world.key();
                let again = path.iter().any(|choice| choice.state == state);
                assert!(!again, "they run for ever");
                if !seen.insert(state.clone()) {
                    break;
                }
                path.push(Choice {
                    state,
                    taken: 0,
                    count: runnable.len(),
                });
            }
            world.step(runnable[path[depth].taken]);
        }
        while path
            .pop_if(|choice| choice.taken + 1 == choice.count)
            .is_some()
        {}
        match path.last_mut() {
            Some(choice) => choice.taken += 1,
            None => return,
        }
    }
}

/// Every set of `count` of these scripts.
fn explore_all(count: usize, scripts: &[&'static [Job]]) {
    fn choose(chosen: &mut Vec<&'static [Job]>, count: usize, scripts: &[&'static [Job]]) {
        if count == 0 {
            return explore(chosen);
        }
        for (index, script) in scripts.iter().enumerate() {
            chosen.push(script);
            choose(chosen, count - 1, &scripts[index..]);
            chosen.pop();
        }
    }
    choose(&mut Vec::new(), count, scripts);
}

const ONCE: &[&[Job]] = &[
    &[Job::Share],
    &[Job::Alone],
    &[Job::Close],
    &[Job::TryClose],
];

#[test]
fn two_threads_keep_the_rules_in_every_order() {
    explore_all(2, ONCE);
}

#[test]
#[cfg_attr(miri, ignore = "too slow there, and it runs on one thread")]
fn four_threads_keep_the_rules_in_every_order() {
    explore_all(4, ONCE);
}

#[test]
#[cfg_attr(miri, ignore = "too slow there, and it runs on one thread")]
fn three_threads_of_two_jobs_keep_the_rules_in_every_order() {
    const TWICE: &[&[Job]] = &[
        &[Job::Share, Job::Share],
        &[Job::Share, Job::Alone],
        &[Job::Alone, Job::TryClose],
        &[Job::TryClose, Job::Share],
        &[Job::Share, Job::Close],
    ];
    explore_all(3, TWICE);
}
