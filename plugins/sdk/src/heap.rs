//! The memory of a plugin.
//!
//! The standard library's allocator asks for more memory with nearly every column of a batch, and tierd has the operating system change the
//! protection of pages each time, a third of the time of a small scorer. This is the same allocator, beginning with all the memory
//! that the module has from the start (`-C link-arg=--initial-memory`), and asking for much at a time afterwards.

use std::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::{memory_grow, memory_size},
    cell::UnsafeCell,
    ptr::null_mut,
};

use dlmalloc::{Allocator, Dlmalloc};

const PAGE: usize = 64 << 10;
/// Pages that are asked for at once, if they can be had: about what a batch takes.
const AT_ONCE: usize = 16;

unsafe extern "C" {
    /// Where the linker says that the heap begins.
    static __heap_base: u8;
}

/// Pages of the module's memory.
struct Pages {
    begun: UnsafeCell<bool>,
}

impl Pages {
    /// What the module has from the start beyond its data and its stack: where it begins, and how many bytes.
    fn at_first(&self) -> (usize, usize) {
        let base = (&raw const __heap_base).addr().next_multiple_of(16);
        (base, (memory_size::<0>() * PAGE).saturating_sub(base))
    }
}

// SAFETY: it gives memory that nobody else has: the heap of the linker once, and then pages that are new. It takes none back.
unsafe impl Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // SAFETY: a plugin has one thread, and nothing here calls back.
        let begun = unsafe { &mut *self.begun.get() };
        if !std::mem::replace(begun, true) {
            let (base, bytes) = self.at_first();
            if bytes >= size {
                return (base as *mut u8, bytes, 0);
            }
        }
        let pages = size.div_ceil(PAGE);
        for pages in [pages.max(AT_ONCE), pages] {
            let before = memory_grow::<0>(pages);
            if before != usize::MAX {
                // The last bytes of 4 GiB stay unused, so that no address is beyond the end.
                let bytes = (pages * PAGE).min((before * PAGE).wrapping_neg().wrapping_sub(16));
                return ((before * PAGE) as *mut u8, bytes, 0);
            }
        }
        (null_mut(), 0, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

struct Heap(UnsafeCell<Dlmalloc<Pages>>);

// SAFETY: a plugin has one thread.
unsafe impl Sync for Heap {}

// SAFETY: dlmalloc keeps the promises of an allocator; each call has it to itself, since there is one thread and dlmalloc calls nothing that
// allocates.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { (*self.0.get()).free(at, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { (*self.0.get()).realloc(at, layout.size(), layout.align(), size) }
    }
}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Dlmalloc::new_with_allocator(Pages { begun: UnsafeCell::new(false) })));
