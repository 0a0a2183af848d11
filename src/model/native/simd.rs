//! One source, compiled for several instruction sets and chosen at run time.
//!
//! All kernels work on 16 logical lanes and fused multiply-adds in a fixed order, so every instruction set computes
//! the same bits; only the speed differs.

/// Lanes of the kernels' logical vector: one AVX-512 register of f32, two of AVX2.
pub(crate) const LANES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Level {
    Base,
    /// AVX2 and FMA.
    Middle,
    /// AVX-512.
    Wide,
}

/// The widest instruction set of this machine.
pub(crate) fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = tests::FORCED.get() {
        return level;
    }
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
        {
            return Level::Wide;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Middle;
        }
    }
    Level::Base
}

/// Compiles a function over `T: Real` for each instruction set. What it calls has to be `inline(always)` to be compiled with it.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<T>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<T: Real>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<T: Real>($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn wide<T: Real>($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn middle<T: Real>($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::model::native::simd::level() {
                    // SAFETY: `level` has asked the processor for these instructions.
                    $crate::model::native::simd::Level::Wide => return unsafe { wide($($arg),*) },
                    // SAFETY: as above.
                    $crate::model::native::simd::Level::Middle => return unsafe { middle($($arg),*) },
                    $crate::model::native::simd::Level::Base => {}
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use simd;

#[cfg(test)]
pub(crate) mod tests {
    use super::Level;
    use std::cell::Cell;

    thread_local! {
        /// Lets a test run a kernel as another machine would.
        pub(crate) static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }
}
