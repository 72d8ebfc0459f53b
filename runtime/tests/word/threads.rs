//! Real threads, which Miri also checks for the memory orders: the number they share is protected by the word alone.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use leakproof::__private::borrow_state::BorrowError::{self, Busy, Closed};
use leakproof::__private::borrow_state::{BorrowState, Queue};

/// Much longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A number that only the word protects.
struct Guarded {
    word: BorrowState<true>,
    number: UnsafeCell<u64>,
    /// The threads that wait for the word.
    queue: Mutex<Queue>,
    tickets: AtomicU64,
    changed: Condvar,
}

// SAFETY: `number` is only touched as the word allows.
unsafe impl Sync for Guarded {}

impl Guarded {
    /// Try until it is not busy, in the queue; false if it is closed.
    fn enter(
        &self,
        exclusive: bool,
        try_enter: impl Fn(bool) -> Result<(), BorrowError>,
        ready: impl Fn() -> bool,
    ) -> bool {
        match try_enter(false) {
            Ok(()) => return true,
            Err(Closed) => return false,
            Err(Busy) => {}
        }
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let mut queue = self.queue.lock().unwrap();
        queue.join(ticket, exclusive);
        self.word.set_queued();
        drop(queue);
        let entered = self.wait(
            |queue| queue.is_turn(ticket) && ready(),
            || {
                let passes = self.queue.lock().unwrap().is_turn(ticket);
                try_enter(passes)
            },
        );
        let mut queue = self.queue.lock().unwrap();
        if queue.leave(ticket) {
            self.word.clear_queued();
        }
        self.changed.notify_all();
        entered
    }

    /// Sleep until `attempt` is not busy; false if it is closed.
    fn wait(
        &self,
        ready: impl Fn(&Queue) -> bool,
        attempt: impl Fn() -> Result<(), BorrowError>,
    ) -> bool {
        loop {
            self.word.register_waiter();
            let queue = self.queue.lock().unwrap();
            if self.word.has_waiter() && !self.word.is_closed() && !ready(&queue) {
                let (_queue, waited) = self.changed.wait_timeout(queue, LONG).unwrap();
                assert!(!waited.timed_out(), "never woken");
            } else {
                drop(queue);
            }
            match attempt() {
                Ok(()) => return true,
                Err(Closed) => return false,
                Err(Busy) => {}
            }
        }
    }

    fn wake(&self, told: bool) {
        if told {
            drop(self.queue.lock().unwrap());
            self.changed.notify_all();
        }
    }
}

impl Guarded {
    fn read(&self) -> Option<u64> {
        let ready = || !self.word.is_borrowed_mut() || self.word.is_closing();
        self.enter(false, |passes| self.word.try_borrow(passes), ready)
            .then(|| {
                // SAFETY: the word is shared, so no one writes.
                let number = unsafe { *self.number.get() };
                self.wake(self.word.release_borrow());
                number
            })
    }

    fn add_one(&self) -> Option<()> {
        let ready = || !self.word.is_borrowed() || self.word.is_closing();
        self.enter(true, |passes| self.word.try_borrow_mut(passes), ready)
            .then(|| {
                // SAFETY: the word is ours alone.
                unsafe { *self.number.get() += 1 };
                self.wake(self.word.release_borrow_mut());
            })
    }

    /// The last value; none if someone else closed it.
    fn close(&self) -> Option<u64> {
        match self.word.begin_close() {
            Ok(()) => {}
            Err(Closed) => return None,
            Err(Busy) if !self.wait(|_| !self.word.is_closing(), || self.word.begin_close()) => {
                return None;
            }
            Err(Busy) => {}
        }
        if self.word.try_finish_close().is_err() {
            assert!(self.wait(
                |_| !self.word.is_borrowed(),
                || self.word.try_finish_close()
            ));
        }
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
        word: BorrowState::new(),
        number: UnsafeCell::new(0),
        queue: Mutex::default(),
        tickets: AtomicU64::new(1),
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
    assert_eq!(guarded.word.try_borrow(false), Err(Closed));
}
