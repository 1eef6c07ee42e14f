#include "h5/error.hpp"

namespace headrace::h5 {

std::string reason() {
  std::string text;
  const auto keep_last = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr && *error->desc != '\0') *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_last, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "HDF5 gives no reason" : text;
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
