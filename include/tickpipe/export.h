#pragma once

// The functions that libtickpipe exports. Everything else in it is hidden.
#if defined(__GNUC__)
#define TICKPIPE_API __attribute__((visibility("default")))
#else
#define TICKPIPE_API
#endif
