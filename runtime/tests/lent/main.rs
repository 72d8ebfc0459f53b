//! Handles that C lends callbacks to be changed, as another type, in a process in which C never keeps a handle in
//! another one: a shared call is in the table of uses for nothing else.

use std::sync::mpsc::channel;

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr;
    use std::sync::mpsc::{Receiver, Sender};
    use std::sync::{Mutex, PoisonError};

    /// One of the library's list of all kilns, of a first field of another type.
    #[repr(C)]
    pub struct kiln {
        pub fire: fire,
    }
    #[repr(C)]
    pub struct fire {
        pub heat: c_int,
    }
    pub type tend = Option<unsafe extern "C" fn(*mut kiln, *mut c_void)>;
    pub type stoke = Option<unsafe extern "C" fn(*mut fire, *mut c_void)>;

    static NEWEST: Mutex<usize> = Mutex::new(0);
    /// The gate at which a slow function says that it has begun, and waits.
    pub static SLOW: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

    pub unsafe extern "C" fn kiln_new() -> *mut kiln {
        let fire = fire { heat: 1 };
        let kiln = Box::into_raw(Box::new(kiln { fire }));
        *NEWEST.lock().unwrap() = kiln.expose_provenance();
        kiln
    }

    pub unsafe extern "C" fn kiln_free(kiln: *mut kiln) {
        drop(unsafe { Box::from_raw(kiln) });
    }

    pub unsafe extern "C" fn kiln_heat(kiln: *const kiln) -> c_int {
        unsafe { (*kiln).fire.heat }
    }

    /// Reads the heat twice: nothing may change it in between.
    pub unsafe extern "C" fn kiln_watch(kiln: *const kiln) -> c_int {
        let before = unsafe { kiln_heat(kiln) };
        let slow = SLOW.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((begun, may_end)) = slow {
            let _ = begun.send(());
            let _ = may_end.recv();
        }
        let after = unsafe { kiln_heat(kiln) };
        after - before
    }

    pub unsafe extern "C" fn kiln_set(kiln: *mut kiln, heat: c_int) {
        unsafe { (*kiln).fire.heat = heat };
    }

    pub unsafe extern "C" fn fire_set(fire: *mut fire, heat: c_int) {
        unsafe { (*fire).heat = heat };
    }

    pub struct flue {
        kiln: *mut kiln,
    }

    pub unsafe extern "C" fn flue_new(kiln: *mut kiln) -> *mut flue {
        Box::into_raw(Box::new(flue { kiln }))
    }

    pub unsafe extern "C" fn flue_free(flue: *mut flue) {
        drop(unsafe { Box::from_raw(flue) });
    }

    /// Reads the heat of the kiln twice.
    pub unsafe extern "C" fn flue_watch(flue: *const flue) -> c_int {
        unsafe { kiln_watch((*flue).kiln) }
    }

    /// Reads the kiln, and calls back.
    pub unsafe extern "C" fn kiln_tell(kiln: *mut kiln, tend: tend, data: *mut c_void) -> c_int {
        tend.into_iter()
            .for_each(|tend| unsafe { tend(kiln, data) });
        0
    }

    pub unsafe extern "C" fn kiln_tell_fire(
        kiln: *mut kiln,
        stoke: stoke,
        data: *mut c_void,
    ) -> c_int {
        stoke
            .into_iter()
            .for_each(|stoke| unsafe { stoke(kiln.cast(), data) });
        0
    }

    /// Calls back with the newest kiln.
    pub unsafe extern "C" fn newest(tend: tend, data: *mut c_void) -> c_int {
        let kiln = *NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        unsafe { kiln_tell(ptr::with_exposed_provenance_mut(kiln), tend, data) }
    }
}

#[handle(raw = ffi::kiln, release = ffi::kiln_free)]
struct Kiln;

#[handle(raw = ffi::flue, release = ffi::flue_free, parent = Kiln)]
struct Flue;

/// A kiln that C lends to callbacks only.
#[handle(raw = ffi::kiln, callback_only)]
struct Lent;

/// The fire of a kiln, which C lends to callbacks only.
#[handle(raw = ffi::fire, callback_only)]
struct Fire;

#[derive(Attachment)]
struct Heat(i32);

#[callbacks(unsafe)]
impl Heat {
    #[callback(ffi::tend, args = (kiln, data))]
    fn tend(&self, kiln: &mut Lent) {
        kiln.set(self.0);
    }

    #[callback(ffi::stoke, args = (fire, data))]
    fn stoke(&self, fire: &mut Fire) {
        fire.set(self.0);
    }
}

#[methods(unsafe, rust_only)]
impl Lent {
    #[calls(ffi::kiln_set)]
    fn set(&mut self, heat: i32);
}

#[methods(unsafe, rust_only)]
impl Fire {
    #[calls(ffi::fire_set)]
    fn set(&mut self, heat: i32);
}

#[methods(unsafe, rust_only)]
impl Flue {
    #[calls(ffi::flue_watch)]
    fn watch(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Kiln {
    #[calls(ffi::flue_new, fails = null)]
    fn flue(&self) -> Result<Owned<Flue>>;

    #[calls(ffi::kiln_new, fails = null)]
    fn new() -> Result<Owned<Kiln>>;

    #[calls(ffi::kiln_heat)]
    fn heat(&self) -> i32;

    #[calls(ffi::kiln_watch)]
    fn watch(&self) -> i32;

    #[calls(ffi::kiln_tell, args = (self, heat.tend, heat.data), fails = nonzero)]
    fn tell(&self, heat: &Heat) -> Result<()>;

    #[calls(ffi::kiln_tell, args = (self, heat.tend, heat.data), fails = nonzero)]
    fn tell_alone(&mut self, heat: &Heat) -> Result<()>;

    #[calls(ffi::kiln_tell_fire, args = (self, heat.stoke, heat.data), fails = nonzero)]
    fn tell_fire(&self, heat: &Heat) -> Result<()>;

    #[calls(ffi::newest, args = (heat.tend, heat.data), fails = nonzero)]
    fn newest(heat: &Heat) -> Result<()>;
}

fn is_refused(told: Result<()>) {
    assert!(matches!(told, Err(Error::Busy("Kiln"))), "{told:?}");
}

/// The object of a call of another thread, which began before the first callback of the process or later.
fn beside_a_shared_call_of_another_thread(watch: fn(&Kiln) -> i32) {
    let ((begun, has_begun), (ends, may_end)) = (channel(), channel());
    *ffi::SLOW.lock().unwrap() = Some((begun, may_end));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&Kiln::new().unwrap()));
        has_begun.recv().unwrap();
        let told = Kiln::newest(&Heat(2));
        ends.send(()).unwrap();
        is_refused(told);
        assert_eq!(watching.join().unwrap(), 0);
    });
}

/// One test: each process has one first callback.
#[test]
fn object_of_a_shared_call_is_not_lent_to_be_changed_by_another_type() {
    beside_a_shared_call_of_another_thread(|kiln| kiln.flue().unwrap().watch());
    beside_a_shared_call_of_another_thread(Kiln::watch);
    beside_a_shared_call_of_another_thread(Kiln::watch);
    let mut kiln = Kiln::new().unwrap();
    is_refused(kiln.tell(&Heat(2)));
    is_refused(kiln.tell_fire(&Heat(2)));
    assert_eq!(kiln.heat(), 1);
    kiln.tell_alone(&Heat(2)).unwrap();
    assert_eq!(kiln.heat(), 2);
    let told = Kiln::newest(&Heat(3)).unwrap_err().to_string();
    assert!(
        told.starts_with("a callback cannot change a Kiln "),
        "{told}"
    );
    assert_eq!(kiln.heat(), 2);
}
