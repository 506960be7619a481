// base/allocator_testing.h: whether malloc is glibc's, for tests of what a process holds. For tests only.
#pragma once

namespace pawsight {

// A sanitizer has an allocator of its own: it keeps what was freed, and mallinfo2 knows nothing of it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kOtherAllocator = true;
#elif defined(__has_feature)
inline constexpr bool kOtherAllocator = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kOtherAllocator = false;
#endif

}  // namespace pawsight
