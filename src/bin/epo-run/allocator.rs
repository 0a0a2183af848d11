//! The allocator of the program.

/// An update asks for and lets go of many large buffers: this one keeps them at hand, where the system's hands them back and clears them anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, which the crate does not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// In the place of the delay: what is let go of stays with the program for good.
const NEVER: std::ffi::c_long = -1;

/// To be called first. Buffers of one phase of an update (activations, say) are not asked for in the next, and so would be handed back between two updates.
pub(crate) fn configure() {
    // SAFETY: an option is a number; it may be set at any time.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, NEVER) }
}
