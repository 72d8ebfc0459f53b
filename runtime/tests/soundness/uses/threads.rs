//! Uses by callbacks on threads of C's.

use super::*;

#[handle(raw = ffi::pool, release = ffi::pool_free, attachments)]
struct Worker;

#[methods(unsafe, rust_only)]
impl Worker {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Worker>>;
    #[calls(ffi::pool_start, args = (self, look.told, look.data), scope = handle)]
    fn start(&self, look: LookBeside);
    #[calls(ffi::pool_rebuild, fails = nonzero)]
    fn rebuild(&mut self) -> Result<()>;
    /// Lets the callback go on when the pool is freed.
    #[calls(ffi::pool_open_gate)]
    fn open_gate(&self);
}

#[derive(Attachment)]
struct LookBeside(());
#[callbacks(unsafe)]
impl LookBeside {
    #[callback(Visit, args = (worker, data))]
    fn told(&self, worker: Option<Borrowed<'_, Beside>>) {
        let _ = worker;
        GATE.wait();
        GATE.wait();
    }
}

/// A pool on a thread of C's.
#[handle(raw = ffi::pool, part_of = Worker, owner_field = itself)]
struct Beside;

#[methods(unsafe, rust_only)]
impl Beside {
    #[calls(ffi::pool_peek)]
    fn _peek(&self) -> c_int;
}

#[test]
fn handle_of_a_callback_on_another_thread_is_not_changed() {
    let _native = Native::start();
    let mut worker = Worker::new().unwrap();
    worker.start(LookBeside(()));
    GATE.wait();
    is_busy(worker.rebuild());
    GATE.wait();
    // C waits for the callback, whose end is not waited for here.
    drop(worker);
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn release_does_not_wait_for_a_callback_that_c_waits_for() {
    let _native = Native::start();
    let worker = Worker::new().unwrap();
    worker.start(LookBeside(()));
    GATE.wait();
    worker.open_gate();
    drop(worker);
    assert_eq!(log(), ["release Pool"]);
}
