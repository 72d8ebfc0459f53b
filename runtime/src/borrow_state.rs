//! One word per handle that says who uses it: how many share it, whether one has it alone, whether it is closed.
//!
//! With a GIL the word is only touched by the thread that holds it, and plain loads and stores do. On free-threaded
//! Python every change is one compare-and-swap of the same word. The word never waits: it refuses, and the caller
//! decides.
//!
//! Callers that wait for a handle stand in its [`Queue`], and the word says that there is one: newcomers are refused
//! then and queue behind, so no caller starves, however often others return. A caller that must not wait, because its
//! thread may hold the handle already, passes the queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

const CLOSED: u32 = 1 << 31;
const CLOSING: u32 = 1 << 30;
const EXCLUSIVE: u32 = 1 << 29;
const WAITING: u32 = 1 << 28;
const QUEUED: u32 = 1 << 27;
const COUNT: u32 = QUEUED - 1;

/// Why the word refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BorrowError {
    /// The handle is closed, or about to be.
    Closed,
    /// Others use it, or wait for it.
    Busy,
}

/// The callers that wait for one handle, in the order in which they came. Changed under a lock, together with the word's
/// [mark](BorrowState::set_queued).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Queue(VecDeque<Waiter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Waiter {
    ticket: u64,
    exclusive: bool,
}

impl Queue {
    /// Adds a caller at the end.
    pub fn join(&mut self, ticket: u64, exclusive: bool) {
        self.0.push_back(Waiter { ticket, exclusive });
    }

    /// Removes a caller, wherever it stands. True if the queue is empty now.
    pub fn leave(&mut self, ticket: u64) -> bool {
        self.0.retain(|waiter| waiter.ticket != ticket);
        self.0.is_empty()
    }

    /// Whether a caller may pass the queue: an exclusive borrow from the first place, a shared one also from behind
    /// others of its kind. Once true, this stays true.
    pub fn is_turn(&self, ticket: u64) -> bool {
        let mut shared = self.0.iter().take_while(|waiter| !waiter.exclusive);
        let first = self.0.front();
        first.is_none_or(|first| first.ticket == ticket)
            || shared.any(|waiter| waiter.ticket == ticket)
    }
}

/// The state of a handle. `ATOMIC` is for several threads at a time.
#[derive(Debug, Default)]
pub struct BorrowState<const ATOMIC: bool>(AtomicU32);

impl<const ATOMIC: bool> BorrowState<ATOMIC> {
    /// Open, and used by no one.
    pub const fn new() -> Self {
        BorrowState(AtomicU32::new(0))
    }

    #[inline]
    fn change<E>(&self, mut next: impl FnMut(u32) -> Result<u32, E>) -> Result<u32, E> {
        if !ATOMIC {
            let now = self.0.load(Ordering::Relaxed);
            self.0.store(next(now)?, Ordering::Relaxed);
            return Ok(now);
        }
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            let new = next(now)?;
            match self
                .0
                .compare_exchange_weak(now, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(now),
                Err(actual) => now = actual,
            }
        }
    }

    /// Use the handle beside others. `passes` is for callers that need not stand in the queue, or whose turn it is.
    #[inline]
    pub fn try_borrow(&self, passes: bool) -> Result<(), BorrowError> {
        let barred = Self::barred(passes);
        self.change(|word| match word {
            word if word & (CLOSED | CLOSING) != 0 => Err(BorrowError::Closed),
            word if word & barred != 0 || word & COUNT == COUNT => Err(BorrowError::Busy),
            word => Ok(word + 1),
        })
        .map(drop)
    }

    #[inline]
    const fn barred(passes: bool) -> u32 {
        match passes {
            true => EXCLUSIVE,
            false => EXCLUSIVE | QUEUED,
        }
    }

    /// End a shared use. True if somebody should be woken.
    #[inline]
    pub fn release_borrow(&self) -> bool {
        let before = self.change::<()>(|word| {
            let left = word - 1;
            Ok(if left & COUNT == 0 {
                left & !WAITING
            } else {
                left
            })
        });
        matches!(before, Ok(word) if word & COUNT == 1 && word & WAITING != 0)
    }

    /// Use the handle alone. `passes` is as for [`BorrowState::try_borrow`].
    pub fn try_borrow_mut(&self, passes: bool) -> Result<(), BorrowError> {
        let barred = Self::barred(passes) | COUNT;
        self.change(|word| match word {
            word if word & (CLOSED | CLOSING) != 0 => Err(BorrowError::Closed),
            word if word & barred != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// Bar every new use although there are shared ones; [`BorrowState::release_borrow_mut`] ends that. [`BorrowError::Busy`] if someone
    /// has it alone already.
    pub fn try_exclude_new(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & (CLOSED | EXCLUSIVE) != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// End an exclusive use. True if somebody should be woken.
    pub fn release_borrow_mut(&self) -> bool {
        let before = self.change::<()>(|word| Ok(word & !(EXCLUSIVE | WAITING)));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Bar every new use, as the first step of closing.
    ///
    /// [`BorrowError::Closed`] if it is closed already, [`BorrowError::Busy`] if another thread is closing it.
    pub fn begin_close(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & CLOSED != 0 => Err(BorrowError::Closed),
            word if word & CLOSING != 0 => Err(BorrowError::Busy),
            word => Ok(word | CLOSING),
        })
        .map(drop)
    }

    /// Take back [`BorrowState::begin_close`]. True if somebody should be woken.
    pub fn cancel_close(&self) -> bool {
        let before = self.change::<()>(|word| {
            Ok(if word & CLOSED != 0 {
                word
            } else {
                word & !(CLOSING | WAITING)
            })
        });
        matches!(before, Ok(word) if word & (CLOSED | WAITING) == WAITING)
    }

    /// Take the marked handle for oneself, once the last use has ended.
    pub fn try_finish_close(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & CLOSED != 0 => Err(BorrowError::Closed),
            word if word & (EXCLUSIVE | COUNT) != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// Closed for good. True if somebody should be woken.
    pub fn close(&self) -> bool {
        let before = self.change::<()>(|_| Ok(CLOSED));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Closed for good by the very call that uses it, which leaves it as any other. True if somebody should be woken.
    pub fn close_while_borrowed(&self) -> bool {
        let before = self.change::<()>(|word| Ok((word | CLOSED) & !WAITING));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Ask to be woken when the present use ends. Before it sleeps, the caller looks whether the word is still busy
    /// and still [expected](BorrowState::has_waiter): a use may have ended and another one begun since.
    pub fn register_waiter(&self) {
        let _ = self.change::<()>(|word| {
            Ok(if word & CLOSED != 0 {
                word
            } else {
                word | WAITING
            })
        });
    }

    /// Refuse newcomers from now on: a caller has joined the queue.
    pub fn set_queued(&self) {
        let _ = self.change::<()>(|word| Ok(word | QUEUED));
    }

    /// Let newcomers in again: the last caller has left the queue.
    pub fn clear_queued(&self) {
        let _ = self.change::<()>(|word| Ok(word & !QUEUED));
    }

    /// Whether whoever ends the present use will be told to wake.
    pub fn has_waiter(&self) -> bool {
        self.0.load(Ordering::Acquire) & WAITING != 0
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether it is closed or about to be.
    pub fn is_closing(&self) -> bool {
        self.0.load(Ordering::Acquire) & (CLOSED | CLOSING) != 0
    }

    /// Whether someone uses it alone.
    pub fn is_borrowed_mut(&self) -> bool {
        self.0.load(Ordering::Acquire) & EXCLUSIVE != 0
    }

    /// Whether anyone uses it.
    pub fn is_borrowed(&self) -> bool {
        self.0.load(Ordering::Acquire) & (EXCLUSIVE | COUNT) != 0
    }
}
