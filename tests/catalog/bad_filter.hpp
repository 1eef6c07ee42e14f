// A filter of HDF5 that does to the process what the file says, as damaged files do.
#pragma once

#include <hdf5.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

constexpr H5Z_filter_t bad_filter = 32111;

namespace bad {
enum Deed : unsigned { nothing, crash, circle, sleep, leave, killed, spoil, crash_if_spoilt };
inline bool armed = false, spoilt = false;
}  // namespace bad

inline std::size_t do_bad(unsigned, std::size_t, const unsigned values[], std::size_t bytes, std::size_t*, void**) {
  if (!bad::armed) return bytes;
  switch (values[0]) {
    case bad::crash:
      raise(SIGSEGV);
      break;
    case bad::circle:
      for (;;) static_cast<void>(getppid());
    case bad::sleep:
      for (;;) pause();
    case bad::leave:
      _exit(3);
    case bad::killed:
      raise(SIGKILL);
      break;
    case bad::spoil:
      bad::spoilt = true;
      break;
    case bad::crash_if_spoilt:
      if (bad::spoilt) abort();
      break;
    default:
      break;
  }
  return bytes;
}

/// armed: it does what it is told. Else it changes nothing, which is how such files are written.
inline void register_bad_filter(bool armed) {
  bad::armed = armed;
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, bad_filter, 1, 1, "bad", nullptr, nullptr, do_bad};
  H5Zregister(&filter);
}
