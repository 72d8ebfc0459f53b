//! The state word: what it allows one thread, every interleaving of a few short threads, and real threads.
//!
//! `core/main.rs` says how to run this under Miri.

mod interleavings;
mod threads;

use leakproof::state::Refusal::{Busy, Closed};
use leakproof::state::{Queue, Word};

/// The same test of both words.
macro_rules! both_words {
    ($(fn $name:ident($word:ident) $body:block)+) => {
        mod atomic { $(#[test] fn $name() { super::$name::<true>(); })+ }
        mod plain { $(#[test] fn $name() { super::$name::<false>(); })+ }
        $(fn $name<const ATOMIC: bool>() { let $word = Word::<ATOMIC>::new(); $body })+
    };
}

both_words! {
    fn a_new_word_is_open_and_unused(word) {
        assert!(!word.is_closed() && !word.is_closing());
        assert!(!word.is_used() && !word.is_exclusive());
    }

    fn many_share(word) {
        for _ in 0..3 {
            assert_eq!(word.try_share(false), Ok(()));
        }
        assert!(word.is_used() && !word.is_exclusive());
        for _ in 0..3 {
            assert!(!word.leave_shared());
        }
        assert!(!word.is_used());
    }

    fn one_alone_shuts_out_all_others(word) {
        assert_eq!(word.try_exclusive(false), Ok(()));
        assert!(word.is_used() && word.is_exclusive());
        assert_eq!(word.try_share(false), Err(Busy));
        assert_eq!(word.try_exclusive(false), Err(Busy));
        assert!(!word.leave_exclusive());
        assert_eq!(word.try_share(false), Ok(()));
    }

    fn no_one_is_alone_beside_a_sharer(word) {
        assert_eq!(word.try_share(false), Ok(()));
        assert_eq!(word.try_exclusive(false), Err(Busy));
        word.leave_shared();
        assert_eq!(word.try_exclusive(false), Ok(()));
    }

    fn a_queue_bars_newcomers_and_none_that_may_pass(word) {
        assert_eq!(word.try_share(false), Ok(()));
        word.set_queued();
        assert_eq!(word.try_share(false), Err(Busy));
        assert_eq!(word.try_share(true), Ok(()));
        assert_eq!(word.try_exclusive(true), Err(Busy));
        word.leave_shared();
        word.leave_shared();
        assert!(!word.is_used());
        assert_eq!(word.try_exclusive(false), Err(Busy));
        assert_eq!(word.try_exclusive(true), Ok(()));
        assert_eq!(word.try_share(true), Err(Busy));
        word.leave_exclusive();
        word.clear_queued();
        assert_eq!(word.try_exclusive(false), Ok(()));
    }

    fn a_mark_bars_new_uses_and_leaves_the_present_ones(word) {
        assert_eq!(word.try_share(false), Ok(()));
        assert_eq!(word.mark_closing(), Ok(()));
        assert!(word.is_closing() && !word.is_closed() && word.is_used());
        assert_eq!(word.try_share(false), Err(Closed));
        assert_eq!(word.try_exclusive(false), Err(Closed));
        assert_eq!(word.mark_closing(), Err(Busy));
        assert_eq!(word.try_take(), Err(Busy));
        word.leave_shared();
        assert_eq!(word.try_take(), Ok(()));
    }

    fn a_mark_can_be_taken_back(word) {
        assert_eq!(word.mark_closing(), Ok(()));
        assert!(!word.unmark_closing());
        assert!(!word.is_closing());
        assert_eq!(word.try_exclusive(false), Ok(()));
    }

    fn closed_is_closed_for_good(word) {
        assert_eq!(word.mark_closing(), Ok(()));
        assert_eq!(word.try_take(), Ok(()));
        assert!(!word.close());
        assert!(!word.unmark_closing());
        word.expect_wake();
        assert!(word.is_closed() && word.is_closing() && !word.is_used());
        assert_eq!(word.try_share(false), Err(Closed));
        assert_eq!(word.try_exclusive(false), Err(Closed));
        assert_eq!(word.mark_closing(), Err(Closed));
        assert_eq!(word.try_take(), Err(Closed));
        assert!(!word.close());
    }

    fn the_last_sharer_wakes_once(word) {
        word.try_share(false).unwrap();
        word.try_share(false).unwrap();
        word.expect_wake();
        assert!(!word.leave_shared());
        assert!(word.is_expected());
        assert!(word.leave_shared());
        assert!(!word.is_expected());
        word.try_share(false).unwrap();
        assert!(!word.leave_shared());
    }

    fn whoever_was_alone_wakes_once(word) {
        word.try_exclusive(false).unwrap();
        word.expect_wake();
        word.expect_wake();
        assert!(word.leave_exclusive());
        word.try_exclusive(false).unwrap();
        assert!(!word.leave_exclusive());
    }

    fn closing_wakes_and_giving_it_up_wakes(word) {
        word.mark_closing().unwrap();
        word.expect_wake();
        assert!(word.unmark_closing());
        word.mark_closing().unwrap();
        word.try_take().unwrap();
        word.expect_wake();
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
