#include "h5/plugin_path.hpp"

#include <filesystem>
#include <system_error>

#include "base/trust.hpp"
#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

std::vector<std::string>& complaints() {
  static std::vector<std::string> sentences;
  return sentences;
}

std::string folder_at(unsigned index) {
  const auto length = H5PLget(index, nullptr, 0);
  if (length <= 0) return "";
  std::string path(static_cast<std::size_t>(length) + 1, '\0');
  H5PLget(index, path.data(), path.size());
  path.resize(static_cast<std::size_t>(length));
  return path;
}

}  // namespace

void guard_plugin_path() {
  unsigned folders = 0;
  if (H5PLsize(&folders) < 0) return;
  for (unsigned index = folders; index-- > 0;) {
    const auto path = folder_at(index);
    std::error_code failure;
    // Up to 1.12 HDF5 gives its search up at the first folder that is not there, as its own default often is not.
    if (!std::filesystem::is_directory(path, failure)) {
      H5PLremove(index);
      continue;
    }
    const auto why = distrust_folder_of_libraries(path);
    if (why.empty()) continue;
    H5PLremove(index);
    complaints().push_back("HDF5's filter plugins in '" + path + "' are not loaded: " + why);
  }
  H5Eclear2(H5E_DEFAULT);
}

const std::vector<std::string>& distrusted_plugin_folders() {
  return complaints();
}

}  // namespace headrace::h5
