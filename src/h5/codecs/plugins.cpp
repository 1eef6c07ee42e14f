#include "h5/codecs/plugins.hpp"

#include <H5PLextern.h>
#include <dlfcn.h>
#include <hdf5.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>

#include "base/error.hpp"
#include "h5/codecs/codec.hpp"

namespace headrace::h5::codecs {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(':', at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// Where the Python of this prefix ("/usr", a virtual environment) keeps packages.
std::vector<fs::path> package_folders(const fs::path& prefix) {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto* lib : {"lib", "lib64", "local/lib"})
    for (const auto& entry : fs::directory_iterator(prefix / lib, ignored))
      if (entry.path().filename().string().starts_with("python3"))
        for (const auto* packages : {"site-packages", "dist-packages"}) folders.push_back(entry.path() / packages);
  std::ranges::sort(folders, std::greater<>());  // directories come in any order; the newest Python first
  return folders;
}

/// The prefixes of the python3 that a shell would run: as it is called (a virtual environment), and where it really is.
std::vector<fs::path> prefixes_on_path() {
  for (const auto& folder : split(variable("PATH"))) {
    const auto python = fs::path(folder) / "python3";
    std::error_code error;
    const auto real = fs::canonical(python, error);
    if (!error) return {python.parent_path().parent_path(), real.parent_path().parent_path()};
  }
  return {};
}

std::vector<fs::path> all_package_folders() {
  std::vector<fs::path> folders;
  for (const auto& folder : split(variable("PYTHONPATH"))) folders.emplace_back(folder);
  auto prefixes = prefixes_on_path();
  for (const char* name : {"CONDA_PREFIX", "VIRTUAL_ENV"})
    if (const auto prefix = variable(name); !prefix.empty()) prefixes.insert(prefixes.begin(), prefix);
  if (const auto home = variable("HOME"); !home.empty()) prefixes.push_back(fs::path(home) / ".local");
  for (const auto& prefix : prefixes)
    for (auto& folder : package_folders(prefix)) folders.push_back(std::move(folder));
  return folders;
}

using Undo = std::function<std::size_t(std::span<const unsigned>, std::span<const std::byte>, std::span<std::byte>)>;

/// HDF5's own convention: the function takes a buffer from malloc() and leaves one in its place.
std::size_t call(H5Z_func_t function, int filter, std::span<const unsigned> values, std::span<const std::byte> from,
                 std::span<std::byte> to) {
  void* buffer = std::malloc(std::max<std::size_t>(from.size(), 1));
  if (buffer == nullptr) throw std::bad_alloc();
  std::memcpy(buffer, from.data(), from.size());
  auto room = from.size();
  const auto length = function(H5Z_FLAG_REVERSE, values.size(), values.data(), from.size(), &room, &buffer);
  const std::unique_ptr<void, decltype(&std::free)> owner(buffer, &std::free);
  if (length == 0) throw Error("filter " + std::to_string(filter) + " cannot undo a chunk; the file is damaged");
  if (length > to.size()) throw Overfull("a chunk holds more than its shape allows; the file is damaged");
  std::memcpy(to.data(), buffer, length);
  return length;
}

int note_name(dl_phdr_info* info, std::size_t, void* names) {
  if (info->dlpi_name != nullptr && *info->dlpi_name != '\0')
    static_cast<std::vector<std::string>*>(names)->push_back(info->dlpi_name);
  return 0;
}

}  // namespace

std::vector<std::string> python_plugin_folders() {
  std::vector<std::string> found;
  for (const auto& folder : all_package_folders()) {
    const auto plugins = (folder / "hdf5plugin" / "plugins").string();
    std::error_code ignored;
    if (fs::is_directory(plugins, ignored) && std::ranges::find(found, plugins) == found.end())
      found.push_back(plugins);
  }
  return found;
}

void add_plugin_folders() {
  for (const auto& folder : python_plugin_folders()) H5PLappend(folder.c_str());
  H5Eclear2(H5E_DEFAULT);
}

Undo plugin_function(int filter) {
  const bool loaded = H5Zfilter_avail(filter) > 0;
  H5Eclear2(H5E_DEFAULT);
  if (!loaded) return nullptr;
  std::vector<std::string> names;
  dl_iterate_phdr(note_name, &names);
  for (const auto& name : names) {
    void* library = dlopen(name.c_str(), RTLD_NOLOAD | RTLD_LAZY);
    if (library == nullptr) continue;
    const auto info = reinterpret_cast<const void* (*)()>(dlsym(library, "H5PLget_plugin_info"));
    const auto* filter_class = info != nullptr ? static_cast<const H5Z_class2_t*>(info()) : nullptr;
    if (filter_class != nullptr && filter_class->id == filter)
      return [=, function = filter_class->filter](auto values, auto from, auto to) {
        return call(function, filter, values, from, to);  // HDF5 keeps the library, and so do we
      };
    dlclose(library);
  }
  return nullptr;
}

}  // namespace headrace::h5::codecs
