//! Code beside a partial record neither reads the struct in it nor makes one: the record goes to other threads.

use std::cell::Cell;

use leakproof::prelude::*;

mod ffi {
    #[derive(Clone, Copy, Default)]
    pub struct Shared {
        pub number: i32,
        pub cell: Option<&'static std::cell::Cell<i32>>,
    }
}

#[record(ffi::Shared, partial)]
pub struct Shared {
    number: i32,
}

fn forged(cell: &'static Cell<i32>) -> Shared {
    Shared(ffi::Shared { number: 1, cell: Some(cell) })
}

fn read(shared: Shared) -> ffi::Shared {
    *shared.0.as_ptr()
}

fn zeros() -> Shared {
    Shared(leakproof::__private::from_c::Partial::zeroed())
}

fn main() {}
