//! Objects that C frees early, and others at their addresses: what was known of the former one does not hold for the
//! new one.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::{Native, live, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr;

    use crate::native::{acquire, release, revive, touch};

    /// The first field of a session. Each of the two has one reference to the memory of both.
    #[repr(C)]
    pub struct channel {
        pub number: c_int,
    }
    #[repr(C)]
    pub struct session {
        first: channel,
    }
    /// A struct as large as a session, which gets the memory of one.
    pub struct file {
        pub size: c_int,
    }
    pub struct pool {
        _size: u8,
    }
    pub struct item {
        pool: *mut pool,
    }
    pub struct list {
        items: Vec<*mut item>,
    }
    /// A hub has a list of its own.
    pub struct hub {
        list: *mut list,
    }
    pub type call = Option<unsafe extern "C" fn(*mut c_void)>;
    pub type each = Option<unsafe extern "C" fn(*mut session, *mut c_void)>;
    pub type see = Option<unsafe extern "C" fn(*mut list, *mut c_void)>;

    thread_local! {
        static NEWEST: Cell<*mut session> = const { Cell::new(ptr::null_mut()) };
        /// The list that was freed last: the next one gets its memory.
        static FREED: Cell<*mut list> = const { Cell::new(ptr::null_mut()) };
        static FREED_SESSION: Cell<*mut session> = const { Cell::new(ptr::null_mut()) };
        /// A list of C's own, which stays.
        static OWN: Cell<*mut list> = const { Cell::new(ptr::null_mut()) };
    }

    pub unsafe extern "C" fn session_new() -> *mut session {
        let first = channel { number: 1 };
        let session = acquire("Session", session { first });
        NEWEST.set(session);
        session
    }

    pub unsafe extern "C" fn session_free(session: *mut session) {
        NEWEST.set(ptr::null_mut());
        FREED_SESSION.set(session);
        release(session);
    }

    pub unsafe extern "C" fn session_look(session: *mut session) {
        touch(session);
    }

    /// Nothing else may be called on the session meanwhile.
    pub unsafe extern "C" fn session_rebuild(session: *mut session, call: call, data: *mut c_void) {
        touch(session);
        call.into_iter().for_each(|call| unsafe { call(data) });
    }

    /// Keeps the session no longer, and calls back.
    pub unsafe extern "C" fn session_end(session: *mut session, call: call, data: *mut c_void) {
        unsafe { session_free(session) };
        call.into_iter().for_each(|call| unsafe { call(data) });
    }

    pub unsafe extern "C" fn each_session(each: each, data: *mut c_void) -> c_int {
        let newest = NEWEST.get();
        each.into_iter()
            .for_each(|each| unsafe { each(newest, data) });
        0
    }

    /// One reference more.
    pub unsafe extern "C" fn channel_newest() -> *mut channel {
        NEWEST.get().cast()
    }

    pub unsafe extern "C" fn channel_free(_: *mut channel) {}

    /// Gets the memory of the freed session.
    pub unsafe extern "C" fn file_new() -> *mut file {
        FREED_SESSION.replace(ptr::null_mut()).cast()
    }

    pub unsafe extern "C" fn file_write(file: *mut file) {
        unsafe { (*file).size += 1 };
    }

    pub unsafe extern "C" fn file_free(_: *mut file) {}

    pub unsafe extern "C" fn pool_new() -> *mut pool {
        acquire("Pool", pool { _size: 0 })
    }

    pub unsafe extern "C" fn pool_free(pool: *mut pool) {
        release(pool);
    }

    pub unsafe extern "C" fn pool_item(pool: *mut pool) -> *mut item {
        touch(pool);
        acquire("Item", item { pool })
    }

    pub unsafe extern "C" fn item_free(item: *mut item) {
        touch(unsafe { (*item).pool });
        release(item);
    }

    /// An item of the list's own pool, which goes with the list.
    pub unsafe extern "C" fn list_item(list: *mut list) -> *mut item {
        touch(list);
        acquire("Item", item { pool: list.cast() })
    }

    pub unsafe extern "C" fn list_new() -> *mut list {
        let freed = FREED.replace(ptr::null_mut());
        if freed.is_null() {
            return acquire("List", list { items: Vec::new() });
        }
        revive(freed);
        freed
    }

    pub unsafe extern "C" fn list_free(list: *mut list) {
        let items = std::mem::take(unsafe { &mut (*list).items });
        for item in items {
            unsafe { item_free(item) };
        }
        release(list);
        FREED.set(list);
    }

    pub unsafe extern "C" fn list_add(list: *mut list, item: *mut item) {
        touch(list);
        unsafe { (*list).items.push(item) };
    }

    /// Moves the items of `other` here, and frees that.
    pub unsafe extern "C" fn list_concat(list: *mut list, other: *mut list) {
        let items = std::mem::take(unsafe { &mut (*other).items });
        unsafe { (*list).items.extend(items) };
        unsafe { list_free(other) };
    }

    /// Frees `other`.
    pub unsafe extern "C" fn list_burn(list: *mut list, other: *mut list) {
        touch(list);
        unsafe { list_free(other) };
    }

    pub unsafe extern "C" fn hub_new() -> *mut hub {
        let list = unsafe { list_new() };
        acquire("Hub", hub { list })
    }

    pub unsafe extern "C" fn hub_list(hub: *mut hub) -> *mut list {
        unsafe { (*hub).list }
    }

    pub unsafe extern "C" fn hub_free(hub: *mut hub) {
        unsafe { list_free((*hub).list) };
        release(hub);
    }

    /// Shows a list of C's own.
    pub unsafe extern "C" fn show_list(see: see, data: *mut c_void) {
        let list = unsafe { list_new() };
        see.into_iter().for_each(|see| unsafe { see(list, data) });
        unsafe { list_free(list) };
    }

    /// Makes a list of C's own, and shows it.
    pub unsafe extern "C" fn show_own_list(see: see, data: *mut c_void) {
        OWN.set(unsafe { list_new() });
        see.into_iter()
            .for_each(|see| unsafe { see(OWN.get(), data) });
    }

    pub unsafe extern "C" fn free_own_list() {
        unsafe { list_free(OWN.get()) };
        FREED.set(ptr::null_mut());
    }

    /// Shows the list.
    pub unsafe extern "C" fn list_tell(list: *mut list, see: see, data: *mut c_void) {
        touch(list);
        see.into_iter().for_each(|see| unsafe { see(list, data) });
    }
}

#[handle(raw = ffi::session, release = ffi::session_free)]
struct Session;

#[handle(raw = ffi::channel, release = ffi::channel_free)]
struct Channel;

#[handle(raw = ffi::file, release = ffi::file_free)]
struct File;

#[handle(raw = ffi::pool, release = ffi::pool_free)]
struct Pool;

#[handle(raw = ffi::item, release = ffi::item_free, parent = Pool)]
struct Item;

#[handle(raw = ffi::list, release = ffi::list_free)]
struct List;

/// An item that a list made.
#[handle(raw = ffi::item, release = ffi::item_free, parent = List)]
struct ListItem;

#[handle(raw = ffi::hub, release = ffi::hub_free)]
struct Hub;

#[methods(unsafe, rust_only)]
impl Session {
    #[calls(ffi::session_new, fails = null)]
    fn new() -> Result<Owned<Session>>;

    #[calls(ffi::session_look)]
    fn look(&self);

    #[calls(ffi::session_rebuild, args = (self, caller.call, caller.data))]
    fn rebuild(&mut self, caller: &Caller);

    #[calls(ffi::session_end, args = (this, caller.call, caller.data), consumes = always)]
    fn end(this: Owned<Self>, caller: &Caller);

    #[calls(ffi::each_session, args = (caller.each, caller.data), fails = nonzero)]
    fn each(caller: &Caller) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Channel {
    #[calls(ffi::channel_newest, fails = null)]
    fn newest() -> Result<Owned<Channel>>;
}

#[methods(unsafe, rust_only)]
impl File {
    #[calls(ffi::file_new, fails = null)]
    fn new() -> Result<Owned<File>>;

    #[calls(ffi::file_write)]
    fn write(&mut self);
}

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

#[methods(unsafe, rust_only)]
impl List {
    #[calls(ffi::list_new, fails = null)]
    fn new() -> Result<Owned<List>>;

    #[calls(ffi::list_item, fails = null)]
    fn item(&self) -> Result<Owned<ListItem>>;

    #[calls(ffi::list_add, consumes = always)]
    fn add(&self, item: Owned<Item>);

    #[foreign(item)]
    #[calls(ffi::list_add, consumes = always)]
    fn add_list_item(&self, item: Owned<ListItem>);

    #[calls(ffi::list_concat, consumes = always)]
    fn concat(&mut self, other: Owned<List>);

    #[calls(ffi::list_burn, consumes = always)]
    fn burn(&mut self, other: Owned<List>);

    #[calls(ffi::show_list, args = (viewer.see, viewer.data))]
    fn show(viewer: &Viewer);

    #[calls(ffi::show_own_list, args = (to.see, to.data))]
    fn show_own(to: &To);

    #[calls(ffi::free_own_list)]
    fn free_own();

    #[calls(ffi::list_tell, args = (self, to.see, to.data))]
    fn tell(&self, to: &To);
}

#[methods(unsafe, rust_only)]
impl Hub {
    #[calls(ffi::hub_new, fails = null)]
    fn new() -> Result<Owned<Hub>>;

    #[calls(ffi::hub_list)]
    fn list(&self) -> Option<Borrowed<List>>;
}

/// Runs a test's code in a callback.
struct Caller(fn());

impl Attachment for Caller {}

#[callbacks(unsafe)]
impl Caller {
    #[callback(ffi::call, args = (data))]
    fn call(&self) {
        (self.0)();
    }

    #[callback(ffi::each, args = (session, data))]
    fn each(&self, session: &Session) {
        session.look();
        note("looked");
    }
}

#[derive(Attachment)]
struct Viewer;

#[callbacks(unsafe)]
impl Viewer {
    #[callback(ffi::see, args = (list, data))]
    fn see(&self, list: &List) {
        let item = list.item().unwrap();
        BAG.with_borrow(|bag| bag.as_ref().unwrap().add_list_item(item));
    }
}

/// Runs a test's code with the list.
struct To(fn(&List));

impl Attachment for To {}

#[callbacks(unsafe)]
impl To {
    #[callback(ffi::see, args = (list, data))]
    fn see(&self, list: &List) {
        (self.0)(list);
    }
}

/// Adds a pool's item to the list.
fn add_item(list: &List) {
    list.add(Pool::new().unwrap().item().unwrap());
}

thread_local! {
    static BAG: RefCell<Option<Owned<'static, List>>> = const { RefCell::new(None) };
    static CHANNEL: Cell<Option<Owned<'static, Channel>>> = const { Cell::new(None) };
}

#[test]
fn handle_in_use_stays_so_when_c_gives_out_its_first_field() {
    let _native = Native::start();
    let mut session = Session::new().unwrap();
    session.rebuild(&Caller(|| {
        CHANNEL.set(Some(Channel::newest().unwrap()));
        let passed = Session::each(&Caller(|| ()));
        assert!(matches!(passed, Err(Error::Busy("Session"))), "{passed:?}");
    }));
    assert_eq!(log(), [""; 0]);
    session.look();
    drop(CHANNEL.take());
    Session::each(&Caller(|| ())).unwrap();
    assert_eq!(log(), ["looked"]);
    drop(session);
}

#[test]
fn object_at_the_address_of_one_that_c_was_given_and_has_freed_is_free() {
    let _native = Native::start();
    Session::end(
        Session::new().unwrap(),
        &Caller(|| {
            let mut file = File::new().unwrap();
            file.write();
            note("written");
        }),
    );
    assert_eq!(log(), ["release Session", "written"]);
}

#[test]
fn what_c_moved_out_of_a_list_that_it_freed_does_not_end_with_a_new_one_at_its_address() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let (mut first, second) = (List::new().unwrap(), List::new().unwrap());
    second.add(pool.item().unwrap());
    first.concat(second);
    let new = List::new().unwrap();
    drop(pool);
    drop(new);
    assert_eq!((live("Pool"), live("Item")), (1, 1));
    drop(first);
    assert_eq!((live("Pool"), live("Item")), (0, 0));
}

#[test]
fn what_c_lends_at_the_address_of_one_that_it_was_given_and_has_freed_goes_with_the_lender() {
    let _native = Native::start();
    let mut lists = List::new().unwrap();
    lists.burn(List::new().unwrap());
    let hub = Hub::new().unwrap();
    let bag = List::new().unwrap();
    bag.add_list_item(hub.list().unwrap().get().item().unwrap());
    drop(hub);
    drop(lists);
    assert_eq!(live("Hub"), 1);
    drop(bag);
    assert_eq!((live("Hub"), live("List"), live("Item")), (0, 0, 0));
}

#[test]
fn child_of_what_c_lends_to_a_callback_at_the_address_of_one_that_it_was_given_is_not_given_to_c() {
    let _native = Native::start();
    BAG.set(Some(List::new().unwrap()));
    let mut lists = List::new().unwrap();
    lists.burn(List::new().unwrap());
    let panic = panic_of(|| List::show(&Viewer));
    assert!(panic.contains("C lends it to a callback"), "{panic}");
    drop((BAG.take(), lists));
    assert_eq!((live("List"), live("Item")), (0, 0));
}

/// Returns a list that was given another one, and has freed that: the next list gets the address.
fn with_freed_list() -> Owned<'static, List> {
    let mut lists = List::new().unwrap();
    lists.burn(List::new().unwrap());
    lists
}

#[test]
fn what_a_callback_puts_in_what_c_lends_it_does_not_end_with_what_kept_another_one_at_its_address()
{
    let in_callbacks: [fn(&List); 3] = [
        add_item,
        // A call in the callback has the list from there.
        |list| list.tell(&To(add_item)),
        |list| list.tell(&To(|list| list.tell(&To(add_item)))),
    ];
    for in_callback in in_callbacks {
        let mut native = Native::start();
        native.loses("Pool");
        native.counts("Pool");
        let lists = with_freed_list();
        List::show_own(&To(in_callback));
        drop(lists);
        assert_eq!((live("Pool"), live("Item")), (1, 1));
        List::free_own();
        assert_eq!(live("Item"), 0);
    }
}

#[test]
fn what_a_callback_puts_in_what_the_call_has_ends_with_what_lends_that() {
    let _native = Native::start();
    let lists = with_freed_list();
    let hub = Hub::new().unwrap();
    hub.list().unwrap().get().tell(&To(|list| {
        add_item(list);
        list.tell(&To(add_item));
    }));
    drop(lists);
    assert_eq!((live("Pool"), live("Item")), (2, 2));
    drop(hub);
    assert_eq!((live("Pool"), live("Item")), (0, 0));
}

#[test]
fn child_of_what_c_lends_to_an_outer_callback_is_not_given_to_c() {
    let _native = Native::start();
    BAG.set(Some(List::new().unwrap()));
    let lists = with_freed_list();
    let panic = panic_of(|| {
        List::show_own(&To(|list| {
            list.tell(&To(|list| {
                let item = list.item().unwrap();
                BAG.with_borrow(|bag| bag.as_ref().unwrap().add_list_item(item));
            }));
        }));
    });
    assert!(panic.contains("C lends it to a callback"), "{panic}");
    List::free_own();
    drop((BAG.take(), lists));
    assert_eq!((live("List"), live("Item")), (0, 0));
}
