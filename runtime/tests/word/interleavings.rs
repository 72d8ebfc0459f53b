//! Short threads in every order of their steps.
//!
//! Each operation on the word is one atomic step, and so is each one on the queue, which has a lock: to run the steps
//! in every order is to see all that can happen. To wait is to join the queue, ask to be woken, look again and sleep;
//! the waker changes the word or the queue before it wakes those who sleep. Who closes does not join the queue.

use std::collections::HashSet;

use leakproof::__private::borrow_state::BorrowError::{self, Busy, Closed};
use leakproof::__private::borrow_state::{BorrowState, Queue};

/// One job of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Job {
    /// Use the handle beside others.
    Share,
    /// Use it beside others, and again from inside of that use, where nothing waits.
    ShareNested,
    /// Use it alone.
    Alone,
    /// Use it alone, unless a signal ends the wait.
    AloneInterrupted,
    /// Use it beside others, by a borrow that is checked and not counted where nothing else is noted.
    ShareQuick,
    /// Use it alone in the same way.
    AloneQuick,
    /// Close it.
    Close,
    /// Close it unless it is in use.
    TryClose,
}

impl Job {
    fn is_borrowed_mut(self) -> bool {
        matches!(self, Job::Alone | Job::AloneInterrupted | Job::AloneQuick)
    }

    fn is_quick(self) -> bool {
        matches!(self, Job::ShareQuick | Job::AloneQuick)
    }

    fn queues(self) -> bool {
        !matches!(self, Job::Close | Job::TryClose)
    }
}

/// The place of a thread in its present job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    /// About to enter or to mark.
    Start,
    /// In the queue, about to look whether its turn has come.
    Queued,
    /// In the queue, about to try again.
    Trying {
        passes: bool,
    },
    /// Has entered, about to leave the queue.
    Entered,
    /// Has not entered, about to leave the queue.
    Leaving,
    /// In the handle.
    Inside,
    /// In the handle, and in it again.
    InsideTwice,
    /// In the handle, after that.
    InsideOnce,
    /// Has marked, and wants it alone.
    Marked,
    /// Has marked, and gives up.
    GivingUp,
    /// Was refused when it wanted to enter, to mark or to take.
    Refused,
    /// Was refused where it wanted to take what it marked.
    RefusedMarked,
    /// About to ask to be woken.
    Expecting {
        marked: bool,
    },
    /// Asked to be woken.
    Looking {
        marked: bool,
    },
    Asleep {
        marked: bool,
    },
    /// About to wake the others.
    Waking {
        inside: bool,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Thread {
    /// The jobs that are left; the first is the present one.
    jobs: &'static [Job],
    at: At,
}

/// A model of the word and the queue in plain values.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Truth {
    sharers: usize,
    alone: bool,
    /// The threads that wait for a turn, and whether for exclusive use.
    queue: Vec<(usize, bool)>,
    /// The thread that is closing.
    closing: Option<usize>,
    closed: bool,
    /// Set if a thread asked to be woken.
    expected: bool,
}

impl Truth {
    fn is_queued(&self, index: usize) -> bool {
        self.queue.iter().any(|(queued, _)| *queued == index)
    }

    /// Returns whether an exclusive use is waited for by a thread that came before this one, or one of any kind if this
    /// one wants it alone.
    fn is_behind(&self, index: usize, exclusive: bool) -> bool {
        let mut ahead = self.queue.iter().take_while(|(queued, _)| *queued != index);
        ahead.any(|(_, other)| exclusive || *other)
    }
}

struct World<const ATOMIC: bool> {
    word: BorrowState<ATOMIC>,
    queue: Queue,
    truth: Truth,
    threads: Vec<Thread>,
}

/// A state of the world, to know it again.
type Key = (String, Queue, Truth, Vec<Thread>);

impl<const ATOMIC: bool> World<ATOMIC> {
    fn new(scripts: &[&'static [Job]]) -> Self {
        let thread = |jobs: &&'static [Job]| Thread {
            jobs,
            at: At::Start,
        };
        World {
            word: BorrowState::new(),
            queue: Queue::default(),
            truth: Truth::default(),
            threads: scripts.iter().map(thread).collect(),
        }
    }

    fn key(&self) -> Key {
        (
            format!("{:?}", self.word),
            self.queue.clone(),
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
        let job = jobs[0];
        let next = match at {
            At::Start if job.is_quick() && self.enter_quick(job) => Some(At::Inside),
            At::Start if job.queues() => self.enter(index, job, false),
            At::Start => self.mark(index),
            At::Queued => {
                let passes = self.queue.is_turn(index as u64);
                Some(At::Trying { passes })
            }
            At::Trying { passes } => self.enter(index, job, passes),
            At::Entered => self.leave_queue(index, true),
            At::Leaving => self.leave_queue(index, false),
            At::Inside => self.act(job),
            At::InsideTwice => self.leave_nested(),
            At::InsideOnce => self.release_borrow(),
            At::Marked => self.take(index, job),
            At::GivingUp => self.give_up(),
            At::Refused => Some(self.join_queue(index, job)),
            At::RefusedMarked => Some(At::Expecting { marked: true }),
            At::Expecting { marked } => Some(self.expect(marked)),
            At::Looking { marked } => Some(self.look_again(index, marked, job)),
            At::Waking { inside } => self.wake(inside),
            At::Asleep { .. } => unreachable!("who sleeps does not step"),
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
        assert_eq!(self.word.is_borrowed(), sharers > 0 || alone);
        assert_eq!(self.word.is_borrowed_mut(), alone);
        assert_eq!(self.word.is_closed(), closed);
        assert_eq!(self.word.is_closing(), closed || closing.is_some());
    }

    /// Enter, from outside or from the queue.
    fn enter(&mut self, index: usize, job: Job, passes: bool) -> Option<At> {
        let queued = self.truth.is_queued(index);
        let entered = match job.is_borrowed_mut() {
            true => self.enter_alone(passes),
            false => self.enter_shared(passes),
        };
        match entered {
            Ok(()) => {
                assert!(
                    !self.truth.is_behind(index, job.is_borrowed_mut()),
                    "it came before its turn"
                );
                assert!(
                    queued || self.truth.queue.is_empty(),
                    "a newcomer did not queue"
                );
                Some(if queued { At::Entered } else { At::Inside })
            }
            Err(Busy) => Some(At::Refused),
            Err(Closed) => {
                assert!(self.truth.closed || self.truth.closing.is_some());
                queued.then_some(At::Leaving)
            }
        }
    }

    /// Enters if nothing but shared borrows is noted.
    fn enter_quick(&mut self, job: Job) -> bool {
        let exclusive = job.is_borrowed_mut();
        let entered = self.word.try_borrow_quick(exclusive);
        if entered {
            assert!(!ATOMIC && self.truth.queue.is_empty());
            assert!(!self.truth.alone && !self.truth.closed && self.truth.closing.is_none());
            match exclusive {
                true => {
                    self.assert_unused();
                    self.truth.alone = true;
                }
                false => self.truth.sharers += 1,
            }
        }
        entered
    }

    /// Leaves. Where something else was noted meanwhile, the counted way does.
    fn leave_quick(&mut self, job: Job) -> Option<At> {
        let exclusive = job.is_borrowed_mut();
        if !self.word.release_quick(exclusive) {
            return match exclusive {
                true => self.leave_alone(),
                false => self.release_borrow(),
            };
        }
        assert!(!ATOMIC && !self.truth.expected, "nobody is woken");
        match exclusive {
            true => self.truth.alone = false,
            false => self.truth.sharers -= 1,
        }
        None
    }

    fn enter_shared(&mut self, passes: bool) -> Result<(), BorrowError> {
        self.word.try_borrow(passes).inspect_err(|refusal| {
            let waits = !passes && !self.truth.queue.is_empty();
            assert!(*refusal == Closed || self.truth.alone || waits);
        })?;
        assert!(!self.truth.alone && !self.truth.closed && self.truth.closing.is_none());
        self.truth.sharers += 1;
        Ok(())
    }

    fn enter_alone(&mut self, passes: bool) -> Result<(), BorrowError> {
        self.word.try_borrow_mut(passes).inspect_err(|refusal| {
            let waits = !passes && !self.truth.queue.is_empty();
            assert!(*refusal == Closed || self.word.is_borrowed() || waits);
        })?;
        self.assert_unused();
        assert_eq!(self.truth.closing, None);
        self.truth.alone = true;
        Ok(())
    }

    fn assert_unused(&self) {
        assert!(self.truth.sharers == 0 && !self.truth.alone && !self.truth.closed);
    }

    /// The job itself, or its end.
    fn act(&mut self, job: Job) -> Option<At> {
        match job {
            Job::Share => self.release_borrow(),
            Job::ShareNested => match self.enter_shared(true) {
                Ok(()) => Some(At::InsideTwice),
                Err(refusal) => {
                    assert_eq!(refusal, Closed, "it would wait for itself");
                    Some(At::InsideOnce)
                }
            },
            Job::Alone | Job::AloneInterrupted => self.leave_alone(),
            Job::ShareQuick | Job::AloneQuick => self.leave_quick(job),
            Job::Close | Job::TryClose => self.close(),
        }
    }

    fn mark(&mut self, index: usize) -> Option<At> {
        match self.word.begin_close() {
            Ok(()) => {
                assert!(!self.truth.closed && self.truth.closing.is_none());
                self.truth.closing = Some(index);
                Some(At::Marked)
            }
            Err(Busy) => Some(At::Refused),
            Err(Closed) => {
                assert!(self.truth.closed);
                None
            }
        }
    }

    fn take(&mut self, index: usize, job: Job) -> Option<At> {
        assert_eq!(self.truth.closing, Some(index));
        match self.word.try_finish_close() {
            Ok(()) => {
                self.assert_unused();
                self.truth.alone = true;
                Some(At::Inside)
            }
            Err(Busy) if job == Job::TryClose => Some(At::GivingUp),
            Err(refusal) => {
                assert_eq!(refusal, Busy);
                Some(At::RefusedMarked)
            }
        }
    }

    fn leave_nested(&mut self) -> Option<At> {
        assert_eq!(self.release_borrow(), None, "the outer use is still there");
        Some(At::InsideOnce)
    }

    fn release_borrow(&mut self) -> Option<At> {
        self.truth.sharers -= 1;
        let told = self.word.release_borrow();
        if self.truth.sharers > 0 {
            assert!(!told, "there is nothing to wake for");
            return None;
        }
        self.made_free(told)
    }

    fn leave_alone(&mut self) -> Option<At> {
        self.truth.alone = false;
        let told = self.word.release_borrow_mut();
        self.made_free(told)
    }

    fn close(&mut self) -> Option<At> {
        (self.truth.alone, self.truth.closed, self.truth.closing) = (false, true, None);
        let told = self.word.close();
        self.made_free(told)
    }

    fn give_up(&mut self) -> Option<At> {
        self.truth.closing = None;
        let told = self.word.cancel_close();
        self.made_free(told)
    }

    /// The end of a use tells its thread to wake others exactly if others wait.
    fn made_free(&mut self, told: bool) -> Option<At> {
        assert_eq!(told, std::mem::take(&mut self.truth.expected));
        told.then_some(At::Waking { inside: false })
    }

    /// Under the lock.
    fn join_queue(&mut self, index: usize, job: Job) -> At {
        if job.queues() && !self.truth.is_queued(index) {
            self.queue.join(index as u64, job.is_borrowed_mut());
            self.word.set_queued();
            self.truth.queue.push((index, job.is_borrowed_mut()));
        }
        At::Expecting { marked: false }
    }

    /// Under the lock. Those behind are woken: the turn may be theirs.
    fn leave_queue(&mut self, index: usize, inside: bool) -> Option<At> {
        self.truth.queue.retain(|(queued, _)| *queued != index);
        let empty = self.queue.leave(index as u64);
        assert_eq!(empty, self.truth.queue.is_empty());
        if empty {
            self.word.clear_queued();
            return inside.then_some(At::Inside);
        }
        Some(At::Waking { inside })
    }

    fn expect(&mut self, marked: bool) -> At {
        self.word.register_waiter();
        self.truth.expected = !self.truth.closed;
        At::Looking { marked }
    }

    /// The question that the runtime asks the word before it sleeps.
    fn look_again(&self, index: usize, marked: bool, job: Job) -> At {
        let word = &self.word;
        let turn = || word.is_closing() || self.queue.is_turn(index as u64);
        let ready = match job {
            _ if marked => !word.is_borrowed(),
            Job::Share | Job::ShareNested | Job::ShareQuick => {
                turn() && (!word.is_borrowed_mut() || word.is_closing())
            }
            Job::Alone | Job::AloneInterrupted | Job::AloneQuick => {
                turn() && (!word.is_borrowed() || word.is_closing())
            }
            Job::Close | Job::TryClose => word.is_closed() || !word.is_closing(),
        };
        match (ready || !word.has_waiter(), job) {
            (false, Job::AloneInterrupted) => At::Leaving,
            (false, _) => At::Asleep { marked },
            (true, _) => Self::awake(marked, job),
        }
    }

    fn awake(marked: bool, job: Job) -> At {
        match marked {
            true => At::Marked,
            false if job.queues() => At::Queued,
            false => At::Start,
        }
    }

    fn wake(&mut self, inside: bool) -> Option<At> {
        for thread in &mut self.threads {
            if let At::Asleep { marked } = thread.at {
                thread.at = Self::awake(marked, thread.jobs[0]);
            }
        }
        inside.then_some(At::Inside)
    }

    /// No one can step any more.
    fn check_end(&self) {
        for thread in &self.threads {
            assert!(thread.jobs.is_empty(), "never woken: {:?}", self.threads);
        }
        assert_eq!((self.truth.sharers, self.truth.alone), (0, false));
        assert!(!self.word.is_borrowed());
        let as_at_first = if self.truth.closed {
            Err(Closed)
        } else {
            Ok(())
        };
        assert_eq!(self.word.try_borrow_mut(false), as_at_first);
    }
}

/// Which thread steps in a state.
struct Choice {
    state: Key,
    taken: usize,
    count: usize,
}

/// Run the threads in every order. A state that was seen before is not followed again.
fn explore<const ATOMIC: bool>(scripts: &[&'static [Job]]) {
    let mut seen: HashSet<Key> = HashSet::new();
    let mut path: Vec<Choice> = Vec::new();
    loop {
        let mut world = World::<ATOMIC>::new(scripts);
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
fn explore_all<const ATOMIC: bool>(count: usize, scripts: &[&'static [Job]]) {
    fn choose<const ATOMIC: bool>(
        chosen: &mut Vec<&'static [Job]>,
        count: usize,
        scripts: &[&'static [Job]],
    ) {
        if count == 0 {
            return explore::<ATOMIC>(chosen);
        }
        for (index, script) in scripts.iter().enumerate() {
            chosen.push(script);
            choose::<ATOMIC>(chosen, count - 1, &scripts[index..]);
            chosen.pop();
        }
    }
    choose::<ATOMIC>(&mut Vec::new(), count, scripts);
}

const ONCE: &[&[Job]] = &[
    &[Job::Share],
    &[Job::Alone],
    &[Job::Close],
    &[Job::TryClose],
    &[Job::ShareNested],
    &[Job::AloneInterrupted],
];

/// The operations of a word that one thread uses at a time.
const ONCE_WITH_QUICK: &[&[Job]] = &[
    &[Job::Share],
    &[Job::Alone],
    &[Job::Close],
    &[Job::TryClose],
    &[Job::ShareQuick],
    &[Job::AloneQuick],
    &[Job::ShareQuick, Job::AloneQuick],
];

#[test]
fn two_threads_keep_the_rules_in_every_order() {
    explore_all::<true>(2, ONCE);
    explore_all::<false>(2, ONCE_WITH_QUICK);
}

#[test]
#[cfg_attr(miri, ignore = "too slow there, and it runs on one thread")]
fn three_threads_keep_the_rules_in_every_order() {
    explore_all::<true>(3, ONCE);
    explore_all::<false>(3, ONCE_WITH_QUICK);
}

#[test]
#[cfg_attr(miri, ignore = "too slow there, and it runs on one thread")]
fn four_threads_keep_the_rules_in_every_order() {
    explore_all::<true>(4, &[&[Job::Share], &[Job::Alone]]);
    explore::<true>(&[&[Job::Share], &[Job::Share], &[Job::Alone], &[Job::Close]]);
    explore::<true>(&[&[Job::Share], &[Job::Alone], &[Job::Alone], &[Job::Close]]);
    explore::<false>(&[
        &[Job::ShareQuick],
        &[Job::ShareQuick],
        &[Job::AloneQuick],
        &[Job::Alone],
    ]);
}
