//! Memory that Rust code has of an object, and callbacks that C gives the same object to by `&mut`: objects that C
//! lends for ever, or by several handles, or by what an outer callback has; and objects that C refused to release.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut board, *mut c_void) -> c_int>;
    pub type see_room = Option<unsafe extern "C" fn(*mut room, *mut c_void) -> c_int>;
    pub type make = Option<unsafe extern "C" fn(*mut c_void) -> *mut board>;

    pub struct board {
        text: [u8; 1],
        is_stuck: bool,
        halls: c_int,
    }
    pub struct hall {
        board: *mut board,
    }
    pub struct room {
        board: *mut board,
    }
    pub struct cart {
        board: *mut board,
    }

    /// A board that is there until the process ends.
    static mut COMMON: board = board::new();

    thread_local! {
        /// The board that is shown to callbacks.
        static SHOWN: Cell<*mut board> = const { Cell::new(null_mut()) };
    }

    impl board {
        const fn new() -> Self {
            board {
                text: *b"a",
                is_stuck: false,
                halls: 1,
            }
        }
    }

    pub unsafe extern "C" fn board_new() -> *mut board {
        let board = acquire("Board", board::new());
        SHOWN.set(board);
        board
    }

    pub unsafe extern "C" fn board_common() -> *mut board {
        SHOWN.set(&raw mut COMMON);
        SHOWN.get()
    }

    /// Takes a board for good.
    pub unsafe extern "C" fn board_take(make: make, data: *mut c_void) -> c_int {
        SHOWN.set(unsafe { make.unwrap()(data) });
        c_int::from(SHOWN.get().is_null())
    }

    pub unsafe extern "C" fn board_taken() -> *mut board {
        SHOWN.get()
    }

    pub unsafe extern "C" fn board_text(board: *mut board, len: *mut usize) -> *const u8 {
        unsafe { len.write(1) };
        unsafe { (&raw const (*board).text).cast() }
    }

    pub unsafe extern "C" fn board_write(board: *mut board) {
        unsafe { (*board).text = *b"b" };
    }

    pub unsafe extern "C" fn board_lines(board: *mut board) -> c_int {
        touch(board);
        1
    }

    pub unsafe extern "C" fn board_jam(board: *mut board) {
        unsafe { (*board).is_stuck = true };
    }

    /// Fails once, if the board is stuck.
    pub unsafe extern "C" fn board_close(board: *mut board) -> c_int {
        if unsafe { std::mem::take(&mut (*board).is_stuck) } {
            return 1;
        }
        release(board);
        0
    }

    pub unsafe extern "C" fn show(see: see, data: *mut c_void) -> c_int {
        unsafe { see.unwrap()(SHOWN.get(), data) }
    }

    pub unsafe extern "C" fn hall_new() -> *mut hall {
        let board = unsafe { board_new() };
        acquire("Hall", hall { board })
    }

    /// A hall with the same board.
    pub unsafe extern "C" fn hall_annex(hall: *mut hall) -> *mut hall {
        let board = unsafe { (*hall).board };
        unsafe { (*board).halls += 1 };
        acquire("Hall", self::hall { board })
    }

    pub unsafe extern "C" fn hall_board(hall: *mut hall) -> *mut board {
        touch(hall);
        unsafe { (*hall).board }
    }

    pub unsafe extern "C" fn hall_show(hall: *mut hall, see: see, data: *mut c_void) -> c_int {
        unsafe { see.unwrap()((*hall).board, data) }
    }

    pub unsafe extern "C" fn hall_free(hall: *mut hall) {
        release(hall);
        let board = unsafe { (*hall).board };
        unsafe { (*board).halls -= 1 };
        if unsafe { (*board).halls } == 0 {
            release(board);
        }
    }

    /// Shows a room of C's own.
    pub unsafe extern "C" fn room_show(see: see_room, data: *mut c_void) -> c_int {
        let board = unsafe { board_new() };
        let room = acquire("Room", room { board });
        let status = unsafe { see.unwrap()(room, data) };
        release(board);
        release(room);
        status
    }

    pub unsafe extern "C" fn room_board(room: *mut room) -> *mut board {
        touch(room);
        unsafe { (*room).board }
    }

    pub unsafe extern "C" fn cart_new(board: *mut board) -> *mut cart {
        acquire("Cart", cart { board })
    }

    pub unsafe extern "C" fn cart_free(cart: *mut cart) {
        release(unsafe { (*cart).board });
        release(cart);
    }
}

#[handle(raw = ffi::board, release(ffi::board_close, fails = nonzero, on_failure = kept), lends, fork_safe)]
struct Board;

/// A board, as C lends it to be written.
#[handle(raw = ffi::board, callback_only)]
struct BoardView;

#[handle(raw = ffi::hall, release = ffi::hall_free, fork_safe)]
struct Hall;

#[handle(raw = ffi::room, callback_only)]
struct Room;

#[handle(raw = ffi::cart, release = ffi::cart_free, fork_safe)]
struct Cart;

thread_local! {
    static CART: RefCell<Option<Owned<'static, Cart>>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Calls;

#[callbacks(unsafe)]
impl Calls {
    #[callback(ffi::see, args = (board, data), on_error = -1)]
    fn write(&self, board: &mut BoardView) -> Result<i32> {
        board.write();
        Ok(0)
    }

    #[callback(ffi::see, args = (board, data), on_error = -1)]
    fn drop_cart(&self, board: &BoardView) -> Result<i32> {
        drop(CART.take());
        assert_eq!(log(), [""; 0]);
        assert_eq!(board.lines(), 1);
        Ok(0)
    }

    #[callback(ffi::see_room, args = (room, data), on_error = -1)]
    fn write_in_room(&self, room: &Room) -> Result<i32> {
        let board = room.board().unwrap();
        assert_not_written(&board, || Board::show(&Calls));
        Ok(0)
    }

    #[callback(ffi::make, args = (data))]
    fn make(&self) -> Option<Owned<'static, Board>> {
        Board::new().ok()
    }
}

#[methods(unsafe, rust_only)]
impl Board {
    #[calls(ffi::board_new, fails = null)]
    fn new() -> Result<Owned<Board>>;

    #[calls(ffi::board_common)]
    fn common() -> Option<Borrowed<Board>>;

    #[calls(ffi::board_take, args = (calls.make, calls.data), fails = nonzero)]
    fn take(calls: &Calls) -> Result<()>;

    #[calls(ffi::board_taken)]
    fn taken() -> Option<Borrowed<Board>>;

    #[calls(ffi::board_text, args = (self, len))]
    fn text(&self) -> Option<&[u8]>;

    #[calls(ffi::board_jam)]
    fn jam(&self);

    #[calls(ffi::show, args = (calls.write, calls.data), fails = nonzero)]
    fn show(calls: &Calls) -> Result<()>;

    #[calls(ffi::show, args = (calls.drop_cart, calls.data), fails = nonzero)]
    fn show_once(calls: &Calls) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl BoardView {
    #[calls(ffi::board_write)]
    fn write(&mut self);

    #[calls(ffi::board_lines)]
    fn lines(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Hall {
    #[calls(ffi::hall_new, fails = null)]
    fn new() -> Result<Owned<Hall>>;

    #[calls(ffi::hall_annex, fails = null)]
    fn annex(&self) -> Result<Owned<Hall>>;

    #[calls(ffi::hall_board)]
    fn board(&self) -> Option<Borrowed<Board>>;

    #[calls(ffi::hall_show, args = (self, calls.write, calls.data), fails = nonzero)]
    fn rewrite(&mut self, calls: &Calls) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Room {
    #[calls(ffi::room_board)]
    fn board(&self) -> Option<Borrowed<Board>>;

    #[calls(ffi::room_show, args = (calls.write_in_room, calls.data), fails = nonzero)]
    fn show(calls: &Calls) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Cart {
    #[calls(ffi::cart_new, fails = null, consumes = always)]
    fn new(board: Owned<Board>) -> Result<Owned<Cart>>;
}

/// Has the text of the board while C is asked to let a callback write.
#[track_caller]
fn assert_not_written(board: &Board, write: impl FnOnce() -> Result<()>) {
    let text = board.text().unwrap();
    let refused = write().unwrap_err().to_string();
    let expected = "that other code may use or borrow from";
    assert!(refused.contains(expected), "{refused}");
    assert_eq!(text, b"a");
}

#[test]
fn object_that_c_lends_for_ever_is_not_lent_to_be_written() {
    let _native = Native::start();
    assert_not_written(&Board::common().unwrap(), || Board::show(&Calls));
}

#[test]
fn object_that_c_lends_after_it_was_given_for_good_is_not_lent_to_be_written() {
    let mut native = Native::start();
    Board::take(&Calls).unwrap();
    assert_not_written(&Board::taken().unwrap(), || Board::show(&Calls));
    native.loses("Board");
}

#[test]
fn object_that_two_handles_lend_is_not_lent_to_be_written_by_a_call_that_has_one_of_them() {
    let _native = Native::start();
    let hall = Hall::new().unwrap();
    let mut annex = hall.annex().unwrap();
    let board = hall.board().unwrap();
    annex.board().unwrap();
    assert_not_written(&board, || annex.rewrite(&Calls));
}

#[test]
fn object_that_the_handle_of_a_callback_lends_is_not_lent_to_be_written_by_an_inner_callback() {
    let _native = Native::start();
    Room::show(&Calls).unwrap();
}

/// A board that C refused to release once.
fn refused_board() -> Owned<'static, Board> {
    let board = Board::new().unwrap();
    board.jam();
    match board.close() {
        Err((_, Some(board))) => board,
        closed => panic!("the board should still be there: {closed:?}"),
    }
}

#[test]
fn object_that_c_refused_to_release_is_not_lent_to_be_written() {
    let _native = Native::start();
    let board = refused_board();
    assert_not_written(&board, || Board::show(&Calls));
}

#[test]
fn keeper_of_an_object_that_c_refused_to_release_is_not_released_while_a_callback_has_the_object() {
    let _native = Native::start();
    CART.set(Some(Cart::new(refused_board()).unwrap()));
    Board::show_once(&Calls).unwrap();
    assert_eq!(log(), ["release Board", "release Cart"]);
}
