#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

/// What stands between the two; "" where they are not there.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  auto from = text.find(begin);
  if (from == std::string::npos) return "";
  from += begin.size();
  const auto to = text.find(end, from);
  return to == std::string::npos ? "" : text.substr(from, to - from);
}

/// Of a read or write that failed HDF5 tells, on two lines, when that was, the descriptor, the buffer and its sizes:
/// "file write failed: time = ..., filename = 'x.h5', file descriptor = 17, errno = 28, error message = 'No space left
/// on device', buf = ...". Left is what somebody can do something with.
std::string without_innards(const std::string& text) {
  const auto call = text.find(": time = ");
  const auto file = between(text, ", filename = '", "', file descriptor = ");
  const auto why = between(text, ", error message = '", "', buf = ");
  return call == std::string::npos || why.empty() ? text : text.substr(0, call) + ": " + file + ": " + why;
}

}  // namespace

std::string reason() {
  std::string text;
  const auto keep_last = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr && *error->desc != '\0') *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_last, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "HDF5 gives no reason" : without_innards(text);
}

std::string newer_version_hint(const std::string& reason) {
  if (reason.find("version number") == std::string::npos) return "";
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  const auto version = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
  return "; it was written by a newer HDF5 than this one, " + version + ": write it with an older format " +
         "(h5py: libver='v110'), or convert it with 'h5repack --high=V110'";
}

}  // namespace headrace::h5
