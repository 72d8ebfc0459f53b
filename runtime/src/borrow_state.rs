//! The borrow state of a handle, in one word: the number of shared borrows, an exclusive borrow, closing, closed.
//!
//! With a GIL only the thread that holds the GIL uses the word, so plain loads and stores suffice. On free-threaded
//! Python every change is one compare-and-swap of the word. The word never waits: it refuses, and the caller decides.
//!
//! Callers that wait for a handle stand in its [`Queue`], and the word has a flag for the queue. While the flag is set,
//! new callers are refused and join the queue, so no caller starves. A caller that must not wait, because its thread
//! may have borrowed the handle already, passes the queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

const CLOSED: u32 = 1 << 31;
const CLOSING: u32 = 1 << 30;
const EXCLUSIVE: u32 = 1 << 29;
const WAITING: u32 = 1 << 28;
const QUEUED: u32 = 1 << 27;
const HELD: u32 = 1 << 26;
const COUNT: u32 = HELD - 1;

/// The reason for a refused borrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BorrowError {
    /// The handle is closed or is being closed.
    Closed,
    /// Others have borrowed the handle, or wait for it.
    Busy,
}

/// The callers that wait for one handle, in the order in which they came. Changed under a lock, together with the
/// [flag](BorrowState::set_queued) in the word.
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

    /// Removes a caller, wherever it stands. Returns true if the queue is empty now.
    pub fn leave(&mut self, ticket: u64) -> bool {
        self.0.retain(|waiter| waiter.ticket != ticket);
        self.0.is_empty()
    }

    /// Returns whether a caller may pass the queue: for an exclusive borrow from the first place, for a shared borrow
    /// also from behind other shared ones. Once true, this stays true.
    pub fn is_turn(&self, ticket: u64) -> bool {
        let mut shared = self.0.iter().take_while(|waiter| !waiter.exclusive);
        let first = self.0.front();
        first.is_none_or(|first| first.ticket == ticket)
            || shared.any(|waiter| waiter.ticket == ticket)
    }
}

/// The borrow state of a handle. `ATOMIC` is true where several threads use the state at a time.
#[derive(Debug, Default)]
pub struct BorrowState<const ATOMIC: bool>(AtomicU32);

impl<const ATOMIC: bool> BorrowState<ATOMIC> {
    /// Returns the state of a handle that is open and not borrowed.
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

    /// Borrows the handle shared. `passes` is true for a caller that need not stand in the queue, or whose turn it is.
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

    /// Releases a shared borrow. Returns true if waiting callers should be woken.
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

    /// Borrows the handle exclusively. `passes` is as for [`BorrowState::try_borrow`].
    pub fn try_borrow_mut(&self, passes: bool) -> Result<(), BorrowError> {
        let barred = Self::barred(passes) | COUNT;
        self.change(|word| match word {
            word if word & (CLOSED | CLOSING) != 0 => Err(BorrowError::Closed),
            word if word & barred != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// Borrows the handle if nothing but shared borrows is noted in the word. Returns false if `try_borrow` or
    /// `try_borrow_mut` has to decide, and always where several threads use the word.
    #[inline(always)]
    pub fn try_borrow_quick(&self, exclusive: bool) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        let (barred, next) = match exclusive {
            true => (u32::MAX, EXCLUSIVE),
            // Half of the count, so that it never overflows.
            false => (!(COUNT >> 1), word + 1),
        };
        let granted = !ATOMIC && word & barred == 0;
        if granted {
            self.0.store(next, Ordering::Relaxed);
        }
        granted
    }

    /// Releases a borrow if nothing but shared borrows is noted in the word besides. Returns false if `release_borrow`
    /// or `release_borrow_mut` has to do it.
    #[inline(always)]
    pub fn release_quick(&self, exclusive: bool) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        let (granted, next) = match exclusive {
            true => (word == EXCLUSIVE, 0),
            false => (word & !COUNT == 0, word.wrapping_sub(1)),
        };
        let granted = granted && !ATOMIC;
        if granted {
            self.0.store(next, Ordering::Relaxed);
        }
        granted
    }

    /// Refuses new borrows although there are shared ones, until [`BorrowState::release_borrow_mut`]. Returns
    /// [`BorrowError::Busy`] if the handle is closed or borrowed exclusively.
    pub fn try_exclude_new(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & (CLOSED | EXCLUSIVE) != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// Releases an exclusive borrow. Returns true if waiting callers should be woken.
    pub fn release_borrow_mut(&self) -> bool {
        let before = self.change::<()>(|word| Ok(word & !(EXCLUSIVE | WAITING)));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Refuses new borrows, as the first step of closing.
    ///
    /// Returns [`BorrowError::Closed`] if the handle is closed already, [`BorrowError::Busy`] if another thread is
    /// closing it.
    pub fn begin_close(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & CLOSED != 0 => Err(BorrowError::Closed),
            word if word & CLOSING != 0 => Err(BorrowError::Busy),
            word => Ok(word | CLOSING),
        })
        .map(drop)
    }

    /// Reverts [`BorrowState::begin_close`]. Returns true if waiting callers should be woken.
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

    /// Borrows the handle exclusively for the close, once the last borrow was released.
    pub fn try_finish_close(&self) -> Result<(), BorrowError> {
        self.change(|word| match word {
            word if word & CLOSED != 0 => Err(BorrowError::Closed),
            word if word & (EXCLUSIVE | COUNT) != 0 => Err(BorrowError::Busy),
            word => Ok(word | EXCLUSIVE),
        })
        .map(drop)
    }

    /// Marks the handle as closed. Returns true if waiting callers should be woken.
    pub fn close(&self) -> bool {
        let before = self.change::<()>(|_| Ok(CLOSED));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Marks the handle as closed by a call that has borrowed it. The call releases its borrow as any other. Returns
    /// true if waiting callers should be woken.
    pub fn close_while_borrowed(&self) -> bool {
        let before = self.change::<()>(|word| Ok((word | CLOSED) & !WAITING));
        matches!(before, Ok(word) if word & WAITING != 0)
    }

    /// Bars quick borrows, or ends that: a child holds the handle for as long as it lives.
    pub fn set_held(&self, held: bool) {
        let _ = self.change::<()>(|word| {
            Ok(match held {
                true => word | HELD,
                false => word & !HELD,
            })
        });
    }

    /// Requests a wake-up for the end of the present borrow. Before it sleeps, the caller checks that the handle is
    /// still busy and the wake-up still [pending](BorrowState::has_waiter): the borrow may have ended and another one
    /// begun since.
    pub fn register_waiter(&self) {
        let _ = self.change::<()>(|word| {
            Ok(if word & CLOSED != 0 {
                word
            } else {
                word | WAITING
            })
        });
    }

    /// Refuses new callers from now on: a caller has joined the queue.
    pub fn set_queued(&self) {
        let _ = self.change::<()>(|word| Ok(word | QUEUED));
    }

    /// Admits new callers again: the last caller has left the queue.
    pub fn clear_queued(&self) {
        let _ = self.change::<()>(|word| Ok(word & !QUEUED));
    }

    /// Returns whether the end of the present borrow wakes waiting callers.
    pub fn has_waiter(&self) -> bool {
        self.0.load(Ordering::Acquire) & WAITING != 0
    }

    /// Returns whether the handle is closed.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Returns whether the handle is closed or is being closed.
    pub fn is_closing(&self) -> bool {
        self.0.load(Ordering::Acquire) & (CLOSED | CLOSING) != 0
    }

    /// Returns whether the handle is borrowed exclusively.
    pub fn is_borrowed_mut(&self) -> bool {
        self.0.load(Ordering::Acquire) & EXCLUSIVE != 0
    }

    /// Returns whether the handle is borrowed, shared or exclusively.
    pub fn is_borrowed(&self) -> bool {
        self.0.load(Ordering::Acquire) & (EXCLUSIVE | COUNT) != 0
    }
}
