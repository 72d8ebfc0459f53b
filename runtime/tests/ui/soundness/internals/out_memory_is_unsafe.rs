//! Only `unsafe` code makes the memory of an `OutBuffer`.

use leakproof::__private::callback::OutMemory;

fn main() {
    let mut memory = OutMemory::new(std::ptr::without_provenance_mut(16), 99);
    memory.buffer().unwrap().put(b"a").unwrap();
}
