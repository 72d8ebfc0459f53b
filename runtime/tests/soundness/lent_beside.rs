//! Handles that C lends by a handle which other code may change meanwhile.

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub struct jar {
        weight: c_int,
    }
    pub struct hive {
        jar: *mut jar,
    }
    pub struct bee {
        hive: *mut hive,
    }
    pub struct swarm {
        bee: *mut bee,
    }

    pub unsafe extern "C" fn jar_weight(jar: *mut jar) -> c_int {
        touch(jar);
        unsafe { (*jar).weight }
    }

    pub unsafe extern "C" fn jar_free(jar: *mut jar) {
        release(jar);
    }

    /// A hive with a jar.
    pub unsafe extern "C" fn hive_new() -> *mut hive {
        let jar = acquire("Jar", jar { weight: 2 });
        acquire("Hive", hive { jar })
    }

    pub unsafe extern "C" fn hive_free(hive: *mut hive) {
        unsafe {
            if !(*hive).jar.is_null() {
                release((*hive).jar);
            }
        }
        release(hive);
    }

    /// Lends the jar.
    pub unsafe extern "C" fn hive_jar(hive: *mut hive) -> *mut jar {
        touch(hive);
        unsafe { (*hive).jar }
    }

    /// Gives out the jar.
    pub unsafe extern "C" fn hive_take(hive: *mut hive) -> *mut jar {
        touch(hive);
        unsafe { std::mem::replace(&mut (*hive).jar, null_mut()) }
    }

    pub unsafe extern "C" fn hive_bee(hive: *mut hive) -> *mut bee {
        touch(hive);
        acquire("Bee", bee { hive })
    }

    pub unsafe extern "C" fn bee_free(bee: *mut bee) {
        touch(unsafe { (*bee).hive });
        release(bee);
    }

    pub unsafe extern "C" fn swarm_new(hive: *mut hive) -> *mut swarm {
        touch(hive);
        acquire("Swarm", swarm { bee: null_mut() })
    }

    pub unsafe extern "C" fn swarm_add(swarm: *mut swarm, bee: *mut bee) {
        touch(swarm);
        unsafe { (*swarm).bee = bee };
    }

    pub unsafe extern "C" fn swarm_bee(swarm: *mut swarm) -> *mut bee {
        touch(swarm);
        unsafe { (*swarm).bee }
    }

    pub unsafe extern "C" fn swarm_free(swarm: *mut swarm) {
        unsafe { bee_free((*swarm).bee) };
        release(swarm);
    }
}

#[handle(raw = ffi::jar, release = ffi::jar_free, fork_safe)]
struct Jar;

#[methods(unsafe, rust_only)]
impl Jar {
    #[calls(ffi::jar_weight)]
    fn weight(&self) -> i32;
}

#[handle(raw = ffi::hive, release = ffi::hive_free, fork_safe)]
struct Hive;

#[handle(raw = ffi::bee, release = ffi::bee_free, parent = Hive, fork_safe)]
struct Bee;

#[handle(raw = ffi::swarm, release = ffi::swarm_free, parent = Hive, fork_safe)]
struct Swarm;

#[methods(unsafe, rust_only)]
impl Hive {
    #[calls(ffi::hive_new, fails = null)]
    fn new() -> Result<Owned<Hive>>;

    #[calls(ffi::hive_jar)]
    fn jar(&self) -> Option<Borrowed<Jar>>;

    #[calls(ffi::hive_take)]
    fn take(&mut self) -> Option<Owned<Jar>>;

    #[calls(ffi::hive_bee, fails = null)]
    fn bee(&self) -> Result<Owned<Bee>>;

    #[calls(ffi::swarm_new, fails = null)]
    fn swarm(&self) -> Result<Owned<Swarm>>;
}

#[methods(unsafe, rust_only)]
impl Swarm {
    #[foreign(bee)]
    #[calls(ffi::swarm_add)]
    fn add(&mut self, bee: Owned<Bee>);

    #[calls(ffi::swarm_bee)]
    fn bee(&self) -> Option<Borrowed<Bee>>;
}

#[test]
fn parent_that_nothing_borrows_lends_no_handle() {
    let _native = Native::start();
    let (mut hive, other) = (Hive::new().unwrap(), Hive::new().unwrap());
    let mut swarm = other.swarm().unwrap();
    let bee = hive.bee().unwrap();
    let parent: &Hive = leakproof::parent_of(&*bee).unwrap();
    assert_eq!(parent.jar().unwrap().weight(), 2);
    swarm.add(bee);
    // A jar that this hive lends would be gone when the hive gives it out.
    let parent: Result<&Hive> = leakproof::parent_of(swarm.bee().unwrap().get());
    let error = parent.err().unwrap().to_string();
    assert!(
        error.contains("C lends other handles by the Hive"),
        "{error}"
    );
    drop(hive.take());
    assert_eq!(log(), ["release Jar"]);
}
