//! Real threads, which Miri also checks for the memory orders: the number they share is protected by the word alone.

use std::cell::UnsafeCell;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use leakproof::state::Refusal::{self, Busy, Closed};
use leakproof::state::Word;

/// Much longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A number that only the word protects.
struct Guarded {
    word: Word<true>,
    number: UnsafeCell<u64>,
    lock: Mutex<()>,
    changed: Condvar,
}

// SAFETY: `number` is only touched as the word allows.
unsafe impl Sync for Guarded {}

impl Guarded {
    /// Try until it is not busy; false if it is closed.
    fn enter(&self, try_enter: impl Fn() -> Result<(), Refusal>, ready: impl Fn() -> bool) -> bool {
        loop {
            match try_enter() {
                Ok(()) => return true,
                Err(Closed) => return false,
                Err(Busy) => {}
            }
            self.word.expect_wake();
            let lock = self.lock.lock().unwrap();
            if self.word.is_expected() && !ready() {
                let (_lock, waited) = self.changed.wait_timeout(lock, LONG).unwrap();
                assert!(!waited.timed_out(), "never woken");
            }
        }
    }

    fn wake(&self, told: bool) {
        if told {
            drop(self.lock.lock().unwrap());
            self.changed.notify_all();
        }
    }
}

impl Guarded {
    fn read(&self) -> Option<u64> {
        let ready = || !self.word.is_exclusive() || self.word.is_closing();
        self.enter(|| self.word.try_share(), ready).then(|| {
            // SAFETY: the word is shared, so no one writes.
            let number = unsafe { *self.number.get() };
            self.wake(self.word.leave_shared());
            number
        })
    }

    fn add_one(&self) -> Option<()> {
        let ready = || !self.word.is_used() || self.word.is_closing();
        self.enter(|| self.word.try_exclusive(), ready).then(|| {
            // SAFETY: the word is ours alone.
            unsafe { *self.number.get() += 1 };
            self.wake(self.word.leave_exclusive());
        })
    }

    /// The last value; none if someone else closed it.
    fn close(&self) -> Option<u64> {
        let ready = || self.word.is_closed() || !self.word.is_closing();
        if !self.enter(|| self.word.mark_closing(), ready) {
            return None;
        }
        assert!(self.enter(|| self.word.try_take(), || !self.word.is_used()));
        // SAFETY: the word is ours alone, for good.
        let number = unsafe { *self.number.get() };
        self.wake(self.word.close());
        Some(number)
    }
}

#[test]
fn threads_see_what_the_others_did_and_no_one_sleeps_for_ever() {
    const ROUNDS: u64 = if cfg!(miri) { 20 } else { 20_000 };
    let guarded = Guarded {
        word: Word::new(),
        number: UnsafeCell::new(0),
        lock: Mutex::new(()),
        changed: Condvar::new(),
    };
    let write = || (0..ROUNDS).map_while(|_| guarded.add_one()).count() as u64;
    let read = || {
        let numbers: Vec<u64> = (0..ROUNDS).map_while(|_| guarded.read()).collect();
        assert!(numbers.is_sorted());
    };
    let close = || {
        while guarded.read().is_some_and(|number| number < ROUNDS / 2) {
            thread::yield_now();
        }
        guarded.close()
    };
    thread::scope(|scope| {
        let writers = [scope.spawn(write), scope.spawn(write)];
        let readers = [scope.spawn(read), scope.spawn(read)];
        let closers = [scope.spawn(close), scope.spawn(close)];
        for reader in readers {
            reader.join().unwrap();
        }
        let written: u64 = writers.map(|writer| writer.join().unwrap()).iter().sum();
        let closed: Vec<u64> = closers
            .map(|closer| closer.join().unwrap())
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(closed, [written]);
    });
    assert_eq!(guarded.word.try_share(), Err(Closed));
}
