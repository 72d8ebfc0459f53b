//! A C library for tests about parents: a pool has items, items have tags, bags keep items, boxes keep bags, notes have
//! lines. Everything is accounted for in [`native`](crate::native).

#![allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, null_mut};

use crate::native::{self, acquire, release, touch};

pub struct pool {
    pub page: page,
    pub audits: c_int,
    pub first: *mut item,
    pub bag: *mut bag,
}

/// A part of a pool.
pub struct page {
    pub pool: *mut pool,
}

pub struct item {
    pub pool: *mut pool,
    pub peer: *mut pool,
    pub busy: bool,
}

pub struct tag {
    pub item: *mut item,
}

pub struct bag {
    pub items: Vec<*mut item>,
    pub tags: Vec<*mut tag>,
    pub lines: Vec<*mut line>,
    pub note: *mut note,
}

pub struct r#box {
    pub bags: Vec<*mut bag>,
    pub is_busy: bool,
}

pub struct chest {
    pub audit: *mut audit,
}

pub struct audit {
    pub pool: *mut pool,
    pub busy: bool,
}

pub struct note {
    pub item: *mut item,
}

pub struct line {
    pub note: *mut note,
}

pub struct sheet {
    pub owners: c_int,
    pub bag: *mut bag,
}

pub struct pen {
    pub sheet: *mut sheet,
}

pub struct shop {
    pub shelf: *mut shelf,
}

pub struct shelf {
    pub note: *mut note,
}

pub type make_t = Option<unsafe extern "C" fn(*mut c_void) -> *mut bag>;
pub type take_t = Option<unsafe extern "C" fn(*const c_char, *mut bag, *mut c_void)>;
/// The library's own desk, and the note on it.
pub struct desk {
    pub note: *mut note,
}

/// An object that reports a note of the library's own.
pub struct teller {
    pub report: Option<unsafe extern "C" fn(*mut c_void, *mut note)>,
}

pub type see_desk_t = Option<unsafe extern "C" fn(*mut desk, *mut c_void)>;
pub type see_t = Option<unsafe extern "C" fn(*mut note, *mut c_void)>;

pub unsafe extern "C" fn pool_new() -> *mut pool {
    let pool = pool {
        page: page { pool: null_mut() },
        audits: 0,
        first: null_mut(),
        bag: null_mut(),
    };
    let pool = acquire("Pool", pool);
    unsafe { (*pool).page.pool = pool };
    pool
}

pub unsafe extern "C" fn pool_free(pool: *mut pool) -> c_int {
    touch(pool);
    unsafe {
        if !(*pool).bag.is_null() {
            bag_free((*pool).bag);
        }
    }
    release(pool);
    0
}

pub unsafe extern "C" fn pool_item(pool: *mut pool) -> *mut item {
    unsafe { pool_shared_item(pool, pool) }
}

/// The item that was made last: it is lent.
pub unsafe extern "C" fn pool_first(pool: *mut pool) -> *mut item {
    touch(pool);
    unsafe { (*pool).first }
}

/// Takes an item back and releases it.
pub unsafe extern "C" fn pool_take_back(pool: *mut pool, item: *mut item) {
    touch(pool);
    unsafe { item_free(item) };
}

/// Keeps a bag of items, perhaps of its own.
pub unsafe extern "C" fn pool_keep(pool: *mut pool, bag: *mut bag) {
    touch(pool);
    unsafe { (*pool).bag = bag };
}

pub unsafe extern "C" fn pool_bag(pool: *mut pool) -> *mut bag {
    touch(pool);
    unsafe { ptr::replace(&raw mut (*pool).bag, null_mut()) }
}

pub unsafe extern "C" fn pool_page(pool: *mut pool) -> *mut page {
    touch(pool);
    unsafe { &raw mut (*pool).page }
}

pub unsafe extern "C" fn pool_size(pool: *mut pool) -> c_int {
    touch(pool);
    if unsafe { (*pool).audits } != 0 {
        native::fault("pool used beside an audit");
    }
    0
}

/// Takes an item back and releases it, whatever it is called.
pub unsafe extern "C" fn pool_take_back_as(pool: *mut pool, item: *mut item, _: c_int) -> c_int {
    unsafe { pool_take_back(pool, item) };
    0
}

pub unsafe extern "C" fn pool_shared_item(pool: *mut pool, peer: *mut pool) -> *mut item {
    touch(pool);
    touch(peer);
    let busy = false;
    let item = acquire("Item", item { pool, peer, busy });
    unsafe { (*pool).first = item };
    item
}

pub unsafe extern "C" fn page_item(page: *mut page) -> *mut item {
    unsafe { pool_item((*page).pool) }
}

/// Releases the item, unless it is busy.
pub unsafe extern "C" fn item_free(item: *mut item) -> c_int {
    touch(item);
    unsafe {
        touch((*item).pool);
        touch((*item).peer);
        if (*item).busy {
            native::note("refused");
            return 1;
        }
    }
    release(item);
    0
}

pub unsafe extern "C" fn item_tag(item: *mut item) -> *mut tag {
    touch(item);
    acquire("Tag", tag { item })
}

pub unsafe extern "C" fn item_set_busy(item: *mut item, busy: bool) {
    touch(item);
    unsafe { (*item).busy = busy };
}

pub unsafe extern "C" fn tag_free(tag: *mut tag) {
    touch(unsafe { (*tag).item });
    release(tag);
}

/// The item that a tag is on: it is lent.
pub unsafe extern "C" fn tag_item(tag: *mut tag) -> *mut item {
    touch(tag);
    unsafe { (*tag).item }
}

pub unsafe extern "C" fn bag_new() -> *mut bag {
    bag_with(Vec::new(), null_mut())
}

pub unsafe extern "C" fn bag_add(bag: *mut bag, item: *mut item) {
    touch(bag);
    unsafe { (*bag).items.push(item) };
}

pub unsafe extern "C" fn bag_add_tag(bag: *mut bag, tag: *mut tag) {
    touch(bag);
    unsafe { (*bag).tags.push(tag) };
}

pub unsafe extern "C" fn bag_add_line(bag: *mut bag, line: *mut line) {
    touch(bag);
    unsafe { (*bag).lines.push(line) };
}

pub unsafe extern "C" fn bag_free(bag: *mut bag) {
    touch(bag);
    unsafe {
        for tag in &(*bag).tags {
            tag_free(*tag);
        }
        for item in &(*bag).items {
            item_free(*item);
        }
        for line in &(*bag).lines {
            line_free(*line);
        }
        if !(*bag).note.is_null() {
            note_free((*bag).note);
        }
    }
    release(bag);
}

/// Returns the greater one: it is lent.
pub unsafe extern "C" fn bag_greater(one: *mut bag, two: *mut bag) -> *mut bag {
    touch(one);
    touch(two);
    one
}

/// The note of a bag's own: it is lent.
pub unsafe extern "C" fn bag_note(bag: *mut bag) -> *mut note {
    touch(bag);
    unsafe { (*bag).note }
}

/// Gives the note out for good, as a function does that steals.
pub unsafe extern "C" fn bag_steal_note(bag: *mut bag) -> *mut note {
    touch(bag);
    unsafe { std::mem::replace(&mut (*bag).note, ptr::null_mut()) }
}

fn bag_with(items: Vec<*mut item>, note: *mut note) -> *mut bag {
    let (tags, lines) = (Vec::new(), Vec::new());
    acquire(
        "Bag",
        bag {
            items,
            tags,
            lines,
            note,
        },
    )
}

/// A bag with a note of its own.
pub unsafe extern "C" fn bag_noted() -> *mut bag {
    bag_with(Vec::new(), unsafe { note_new() })
}

/// A bag with a note of its own, and with the item.
pub unsafe extern "C" fn bag_of(item: *mut item) -> *mut bag {
    touch(item);
    bag_with(vec![item], unsafe { note_new() })
}

/// Keeps the item, unless the bag is full: it holds two.
pub unsafe extern "C" fn bag_fill(bag: *mut bag, item: *mut item) -> c_int {
    touch(bag);
    touch(item);
    let items = unsafe { &mut (*bag).items };
    if items.len() == 2 {
        return 1;
    }
    items.push(item);
    0
}

/// Makes two bags; the item goes into the second.
pub unsafe extern "C" fn two_bags(
    item: *mut item,
    one: *mut *mut bag,
    two: *mut *mut bag,
) -> c_int {
    unsafe {
        *one = bag_new();
        *two = bag_new();
        bag_add(*two, item);
    }
    0
}

pub unsafe extern "C" fn box_new() -> *mut r#box {
    let bags = Vec::new();
    let is_busy = false;
    acquire("Box", r#box { bags, is_busy })
}

pub unsafe extern "C" fn box_free(r#box: *mut r#box) -> c_int {
    touch(r#box);
    unsafe {
        if (*r#box).is_busy {
            return 1;
        }
        for bag in &(*r#box).bags {
            bag_free(*bag);
        }
    }
    release(r#box);
    0
}

pub unsafe extern "C" fn box_set_busy(r#box: *mut r#box, is_busy: bool) {
    touch(r#box);
    unsafe { (*r#box).is_busy = is_busy };
}

pub unsafe extern "C" fn box_put(r#box: *mut r#box, bag: *mut bag) {
    touch(r#box);
    unsafe { (*r#box).bags.push(bag) };
}

pub unsafe extern "C" fn box_pop(r#box: *mut r#box) -> *mut bag {
    touch(r#box);
    unsafe { (*r#box).bags.pop() }.unwrap_or(null_mut())
}

pub unsafe extern "C" fn box_top(r#box: *mut r#box) -> *mut bag {
    touch(r#box);
    unsafe { (*r#box).bags.last() }.map_or(null_mut(), |bag| *bag)
}

/// Takes a bag and gives it back.
pub unsafe extern "C" fn box_turn(r#box: *mut r#box, bag: *mut bag) -> *mut bag {
    touch(r#box);
    bag
}

/// Asks for a bag, and releases it.
pub unsafe extern "C" fn box_ask(r#box: *mut r#box, make: make_t, data: *mut c_void) {
    touch(r#box);
    if let Some(make) = make {
        unsafe { bag_free(make(data)) };
    }
}

/// Gives two bags away, the first with text that is not UTF-8.
pub unsafe extern "C" fn box_give(r#box: *mut r#box, take: take_t, data: *mut c_void) {
    touch(r#box);
    if let Some(take) = take {
        for text in [c"\xff", c"text"] {
            unsafe { take(text.as_ptr(), bag_new(), data) };
        }
    }
}

/// Shows a note of the library's own, and releases it.
pub unsafe extern "C" fn box_show(r#box: *mut r#box, see: see_t, data: *mut c_void) {
    touch(r#box);
    let note = unsafe { note_new() };
    if let Some(see) = see {
        unsafe { see(note, data) };
    }
    unsafe { note_free(note) };
}

/// Shows a note on a desk of the library's own, and releases it.
pub unsafe extern "C" fn box_show_desk(r#box: *mut r#box, see: see_desk_t, data: *mut c_void) {
    touch(r#box);
    let mut desk = desk {
        note: unsafe { note_new() },
    };
    if let Some(see) = see {
        unsafe { see(&raw mut desk, data) };
    }
    unsafe { note_free(desk.note) };
}

pub unsafe extern "C" fn desk_note(desk: *mut desk) -> *mut note {
    unsafe { (*desk).note }
}

pub unsafe extern "C" fn teller_new() -> *mut teller {
    acquire("Teller", teller { report: None })
}

pub unsafe extern "C" fn teller_free(teller: *mut teller) {
    release(teller);
}

/// Fails, and reports a note, which is then released.
pub unsafe extern "C" fn teller_fail(teller: *mut teller) -> c_int {
    touch(teller);
    let note = unsafe { note_new() };
    if let Some(report) = unsafe { (*teller).report } {
        unsafe { report(ptr::null_mut(), note) };
    }
    unsafe { note_free(note) };
    1
}

/// Shows this note.
pub unsafe extern "C" fn box_show_yours(
    r#box: *mut r#box,
    note: *mut note,
    see: see_t,
    data: *mut c_void,
) {
    touch(r#box);
    if let Some(see) = see {
        unsafe { see(note, data) };
    }
}

pub unsafe extern "C" fn chest_new() -> *mut chest {
    let audit = ptr::null_mut();
    acquire("Chest", chest { audit })
}

pub unsafe extern "C" fn chest_keep(chest: *mut chest, audit: *mut audit) {
    unsafe { (*chest).audit = audit };
}

pub unsafe extern "C" fn chest_free(chest: *mut chest) {
    unsafe { audit_free((*chest).audit) };
    release(chest);
}

/// Nothing else may use the pool while the audit lives.
pub unsafe extern "C" fn audit_new(pool: *mut pool) -> *mut audit {
    touch(pool);
    unsafe { (*pool).audits += 1 };
    acquire("Audit", audit { pool, busy: false })
}

pub unsafe extern "C" fn audit_free(audit: *mut audit) -> c_int {
    touch(audit);
    unsafe {
        if (*audit).busy {
            return 1;
        }
        touch((*audit).pool);
        (*(*audit).pool).audits -= 1;
    }
    release(audit);
    0
}

pub unsafe extern "C" fn audit_set_busy(audit: *mut audit) {
    touch(audit);
    unsafe { (*audit).busy = true };
}

pub unsafe extern "C" fn note_new() -> *mut note {
    let item = null_mut();
    acquire("Note", note { item })
}

pub unsafe extern "C" fn note_free(note: *mut note) {
    touch(note);
    unsafe {
        if !(*note).item.is_null() {
            item_free((*note).item);
        }
    }
    release(note);
}

/// Keeps an item until the note is freed.
pub unsafe extern "C" fn note_stick(note: *mut note, item: *mut item) {
    touch(note);
    unsafe { (*note).item = item };
}

pub unsafe extern "C" fn note_line(note: *mut note) -> *mut line {
    touch(note);
    acquire("Line", line { note })
}

pub unsafe extern "C" fn line_free(line: *mut line) {
    touch(unsafe { (*line).note });
    release(line);
}

/// The note that a line is on: it is lent.
pub unsafe extern "C" fn line_note(line: *mut line) -> *mut note {
    touch(line);
    unsafe { (*line).note }
}

pub unsafe extern "C" fn sheet_new() -> *mut sheet {
    let bag = null_mut();
    acquire("Sheet", sheet { owners: 1, bag })
}

pub unsafe extern "C" fn sheet_put(sheet: *mut sheet, bag: *mut bag) {
    touch(sheet);
    unsafe { (*sheet).bag = bag };
}

pub unsafe extern "C" fn sheet_ref(sheet: *mut sheet) -> *mut sheet {
    touch(sheet);
    unsafe { (*sheet).owners += 1 };
    sheet
}

pub unsafe extern "C" fn sheet_unref(sheet: *mut sheet) {
    touch(sheet);
    unsafe {
        (*sheet).owners -= 1;
        if (*sheet).owners == 0 {
            if !(*sheet).bag.is_null() {
                bag_free((*sheet).bag);
            }
            release(sheet);
        }
    }
}

pub unsafe extern "C" fn sheet_pen(sheet: *mut sheet) -> *mut pen {
    touch(sheet);
    acquire("Pen", pen { sheet })
}

pub unsafe extern "C" fn pen_free(pen: *mut pen) {
    touch(unsafe { (*pen).sheet });
    release(pen);
}

pub unsafe extern "C" fn shop_new() -> *mut shop {
    let note = unsafe { note_new() };
    let shelf = acquire("Shelf", shelf { note });
    acquire("Shop", shop { shelf })
}

pub unsafe extern "C" fn shop_free(shop: *mut shop) {
    touch(shop);
    unsafe { shelf_free((*shop).shelf) };
    release(shop);
}

pub unsafe extern "C" fn shop_shelf(shop: *mut shop) -> *mut shelf {
    touch(shop);
    unsafe { (*shop).shelf }
}

pub unsafe extern "C" fn shelf_free(shelf: *mut shelf) {
    touch(shelf);
    unsafe { note_free((*shelf).note) };
    release(shelf);
}

/// The note on the shelf of the shop, if there is a shop.
pub unsafe extern "C" fn shop_note_of(shop: *mut shop) -> *mut note {
    match shop.is_null() {
        true => ptr::null_mut(),
        false => unsafe { shelf_note((*shop).shelf) },
    }
}

pub unsafe extern "C" fn shelf_note(shelf: *mut shelf) -> *mut note {
    touch(shelf);
    unsafe { (*shelf).note }
}
