//! The state word: what it allows one thread, every interleaving of a few short threads, and real threads.
//!
//! `core/main.rs` says how to run this under Miri.

mod interleavings;
mod threads;

use leakproof::__private::borrow_state::BorrowError::{Busy, Closed};
use leakproof::__private::borrow_state::{BorrowState, Queue};

/// A test of both words.
macro_rules! both_words {
    ($(fn $name:ident($word:ident) $body:block)+) => {
        mod atomic { $(#[test] fn $name() { super::$name::<true>(); })+ }
        mod plain { $(#[test] fn $name() { super::$name::<false>(); })+ }
        $(fn $name<const ATOMIC: bool>() { let $word = BorrowState::<ATOMIC>::new(); $body })+
    };
}

both_words! {
    fn a_new_word_is_open_and_unused(word) {
        assert!(!word.is_closed() && !word.is_closing());
        assert!(!word.is_borrowed() && !word.is_borrowed_mut());
    }

    fn many_share(word) {
        for _ in 0..3 {
            assert_eq!(word.try_borrow(false), Ok(()));
        }
        assert!(word.is_borrowed() && !word.is_borrowed_mut());
        for _ in 0..3 {
            assert!(!word.release_borrow());
        }
        assert!(!word.is_borrowed());
    }

    fn one_alone_shuts_out_all_others(word) {
        assert_eq!(word.try_borrow_mut(false), Ok(()));
        assert!(word.is_borrowed() && word.is_borrowed_mut());
        assert_eq!(word.try_borrow(false), Err(Busy));
        assert_eq!(word.try_borrow_mut(false), Err(Busy));
        assert!(!word.release_borrow_mut());
        assert_eq!(word.try_borrow(false), Ok(()));
    }

    fn no_one_is_alone_beside_a_sharer(word) {
        assert_eq!(word.try_borrow(false), Ok(()));
        assert_eq!(word.try_borrow_mut(false), Err(Busy));
        word.release_borrow();
        assert_eq!(word.try_borrow_mut(false), Ok(()));
    }

    fn a_quick_borrow_is_a_borrow_where_one_thread_uses_the_word(word) {
        let plain = !ATOMIC;
        assert_eq!(word.try_borrow_quick(false), plain);
        assert_eq!(word.is_borrowed(), plain);
        if plain {
            assert!(word.try_borrow_quick(false));
            assert!(!word.try_borrow_quick(true));
            assert_eq!(word.try_borrow_mut(false), Err(Busy));
            assert!(word.release_quick(false));
            assert!(word.release_quick(false));
            assert!(!word.is_borrowed());
        }
        assert_eq!(word.try_borrow_quick(true), plain);
        assert_eq!(word.is_borrowed_mut(), plain);
        if plain {
            assert!(!word.try_borrow_quick(false));
            assert_eq!(word.try_borrow(true), Err(Busy));
            assert!(word.release_quick(true));
        }
        assert_eq!(word.try_borrow_mut(false), Ok(()));
    }

    fn whatever_else_the_word_notes_bars_quick_borrows(word) {
        let refuses = |word: &BorrowState<ATOMIC>| !word.try_borrow_quick(false) && !word.try_borrow_quick(true);
        word.set_queued();
        assert!(refuses(&word));
        word.clear_queued();
        word.set_held(true);
        assert!(refuses(&word));
        assert_eq!(word.try_borrow(false), Ok(()));
        assert!(!word.release_borrow());
        word.set_held(false);
        word.begin_close().unwrap();
        assert!(refuses(&word));
        word.cancel_close();
        word.close();
        assert!(refuses(&word));
    }

    fn a_quick_borrow_that_somebody_waits_for_is_not_released_quickly(word) {
        if !ATOMIC {
            assert!(word.try_borrow_quick(true));
            word.register_waiter();
            assert!(!word.release_quick(true));
            assert!(word.release_borrow_mut());
            assert!(word.try_borrow_quick(false));
            word.register_waiter();
            assert!(!word.release_quick(false));
            assert!(word.release_borrow());
            assert!(!word.is_borrowed());
        }
    }

    fn a_queue_bars_newcomers_and_none_that_may_pass(word) {
        assert_eq!(word.try_borrow(false), Ok(()));
        word.set_queued();
        assert_eq!(word.try_borrow(false), Err(Busy));
        assert_eq!(word.try_borrow(true), Ok(()));
        assert_eq!(word.try_borrow_mut(true), Err(Busy));
        word.release_borrow();
        word.release_borrow();
        assert!(!word.is_borrowed());
        assert_eq!(word.try_borrow_mut(false), Err(Busy));
        assert_eq!(word.try_borrow_mut(true), Ok(()));
        assert_eq!(word.try_borrow(true), Err(Busy));
        word.release_borrow_mut();
        word.clear_queued();
        assert_eq!(word.try_borrow_mut(false), Ok(()));
    }

    fn a_mark_bars_new_uses_and_leaves_the_present_ones(word) {
        assert_eq!(word.try_borrow(false), Ok(()));
        assert_eq!(word.begin_close(), Ok(()));
        assert!(word.is_closing() && !word.is_closed() && word.is_borrowed());
        assert_eq!(word.try_borrow(false), Err(Closed));
        assert_eq!(word.try_borrow_mut(false), Err(Closed));
        assert_eq!(word.begin_close(), Err(Busy));
        assert_eq!(word.try_finish_close(), Err(Busy));
        word.release_borrow();
        assert_eq!(word.try_finish_close(), Ok(()));
    }

    fn a_mark_can_be_taken_back(word) {
        assert_eq!(word.begin_close(), Ok(()));
        assert!(!word.cancel_close());
        assert!(!word.is_closing());
        assert_eq!(word.try_borrow_mut(false), Ok(()));
    }

    fn closed_is_closed_for_good(word) {
        assert_eq!(word.begin_close(), Ok(()));
        assert_eq!(word.try_finish_close(), Ok(()));
        assert!(!word.close());
        assert!(!word.cancel_close());
        word.register_waiter();
        assert!(word.is_closed() && word.is_closing() && !word.is_borrowed());
        assert_eq!(word.try_borrow(false), Err(Closed));
        assert_eq!(word.try_borrow_mut(false), Err(Closed));
        assert_eq!(word.begin_close(), Err(Closed));
        assert_eq!(word.try_finish_close(), Err(Closed));
        assert!(!word.close());
    }

    fn the_last_sharer_wakes_once(word) {
        word.try_borrow(false).unwrap();
        word.try_borrow(false).unwrap();
        word.register_waiter();
        assert!(!word.release_borrow());
        assert!(word.has_waiter());
        assert!(word.release_borrow());
        assert!(!word.has_waiter());
        word.try_borrow(false).unwrap();
        assert!(!word.release_borrow());
    }

    fn whoever_was_alone_wakes_once(word) {
        word.try_borrow_mut(false).unwrap();
        word.register_waiter();
        word.register_waiter();
        assert!(word.release_borrow_mut());
        word.try_borrow_mut(false).unwrap();
        assert!(!word.release_borrow_mut());
    }

    fn closing_wakes_and_giving_it_up_wakes(word) {
        word.begin_close().unwrap();
        word.register_waiter();
        assert!(word.cancel_close());
        word.begin_close().unwrap();
        word.try_finish_close().unwrap();
        word.register_waiter();
        assert!(word.close());
    }
}

#[test]
fn a_queue_lets_shared_uses_go_together_and_exclusive_ones_one_by_one() {
    let mut queue = Queue::default();
    let turns = |queue: &Queue| {
        (1..=5)
            .filter(|ticket| queue.is_turn(*ticket))
            .collect::<Vec<_>>()
    };
    for (ticket, exclusive) in [(1, false), (2, false), (3, true), (4, true), (5, false)] {
        queue.join(ticket, exclusive);
    }
    assert_eq!(turns(&queue), [1, 2]);
    assert!(!queue.leave(1));
    assert_eq!(turns(&queue), [2]);
    assert!(!queue.leave(4));
    assert!(!queue.leave(2));
    assert_eq!(turns(&queue), [3]);
    assert!(!queue.leave(3));
    assert_eq!(turns(&queue), [5]);
    assert!(queue.leave(5));
}
