#include "h5/outside.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

namespace fs = std::filesystem;

std::set<std::string>& told() {
  static std::set<std::string> sentences;
  return sentences;
}

std::string& refusal() {
  static std::string text;
  return text;
}

fs::path folder_of(const fs::path& file) {
  std::error_code failure;
  return fs::weakly_canonical(fs::absolute(file, failure), failure).parent_path();
}

/// `target` as it is named, `place` where it is.
void remember(const std::string& file, const char* how, const std::string& target, const fs::path& place) {
  const auto home = folder_of(file), there = folder_of(place);
  const auto [end, unused] = std::mismatch(home.begin(), home.end(), there.begin(), there.end());
  if (end != home.end()) told().insert(fmt::format("{}: {} '{}'", file, how, target));
}

/// Where HDF5 looks for the file of an external link, in its order.
std::vector<fs::path> places_of(const std::string& parent, const std::string& child) {
  const fs::path name(child), home = fs::path(parent).parent_path();
  std::vector<fs::path> places;
  if (name.is_absolute()) places.push_back(name);
  const auto rest = name.is_absolute() ? name.filename() : name;
  if (const char* prefixes = std::getenv("HDF5_EXT_PREFIX")) {
    std::istringstream all(prefixes);
    for (std::string prefix; std::getline(all, prefix, ':');)
      if (!prefix.empty()) places.push_back(fs::path(prefix) / rest);
  }
  places.push_back(home / rest);
  places.push_back(rest);
  return places;
}

/// HDF5 calls this before it opens the file of a link; a negative result keeps it from that.
herr_t before_following(const char* parent, const char* group, const char* child, const char* object, unsigned* flags,
                        hid_t access, void* unused) {
  static_cast<void>(group), static_cast<void>(flags), static_cast<void>(access), static_cast<void>(unused);
  refusal().clear();
  try {
    for (const auto& place : places_of(parent, child)) {
      struct stat info {};
      if (stat(place.c_str(), &info) != 0) continue;
      remember(parent, "external link to", child, place);
      if (S_ISREG(info.st_mode)) return 0;
      refusal() = fmt::format(
          "the external link to '{}' (at '{}') in {} leads to {}, not to a regular file; remove the link, or put an "
          "HDF5 "
          "file there",
          object, child, parent,
          S_ISFIFO(info.st_mode)   ? "a FIFO"
          : S_ISDIR(info.st_mode)  ? "a folder"
          : S_ISSOCK(info.st_mode) ? "a socket"
                                   : "a device");
      return -1;
    }
  } catch (...) {  // must not pass through HDF5
  }
  return 0;  // it leads nowhere, which HDF5 finds out
}

std::string file_of(hid_t object) {
  const auto length = H5Fget_name(object, nullptr, 0);
  if (length <= 0) return "";
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  H5Fget_name(object, name.data(), name.size());
  name.pop_back();
  return name;
}

}  // namespace

void follow_with_care(const Plist& access) {
  check(H5Pset_elink_cb(access.id(), before_following, nullptr), "H5Pset_elink_cb");
}

hid_t link_access() {
  static const hid_t list = [] {
    const hid_t made = check(H5Pcreate(H5P_DATASET_ACCESS), "H5Pcreate");  // never closed: HDF5 does, at its end
    check(H5Pset_elink_cb(made, before_following, nullptr), "H5Pset_elink_cb");
    return made;
  }();
  return list;
}

void require_followed() {
  if (refusal().empty()) return;
  H5Eclear2(H5E_DEFAULT);
  throw Error(std::exchange(refusal(), ""));
}

void remember_storage(hid_t dataset, const Plist& properties) {
  const int count = H5Pget_external_count(properties.id());
  for (int i = 0; i < count; ++i) {
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t bytes = 0;
    check(H5Pget_external(properties.id(), static_cast<unsigned>(i), name.size() - 1, name.data(), &offset, &bytes),
          "H5Pget_external");
    // HDF5 looks for relative names in the working directory, or in the folder of HDF5_EXTFILE_PREFIX.
    const char* prefix = std::getenv("HDF5_EXTFILE_PREFIX");
    const auto file = file_of(dataset);
    const std::string origin = "${ORIGIN}";
    std::string folder = prefix ? prefix : "";
    if (folder.starts_with(origin)) folder = folder_of(file).string() + folder.substr(origin.size());
    remember(file, "external storage", name.data(), fs::path(folder) / name.data());
  }
}

std::string missing_outside(hid_t object, const std::string& name) {
  const auto parent = file_of(object);
  const auto all = places_of(parent, name);
  const auto there = [](const fs::path& place) {
    std::error_code ignored;
    return fs::exists(place, ignored);
  };
  if (std::any_of(all.begin(), all.end(), there)) return "";
  if (fs::path(name).is_absolute()) return "no such file";
  const auto folder = fs::path(parent).parent_path().string();
  return fmt::format("no such file in {}", folder.empty() ? "the working directory" : folder);
}

std::vector<std::string> files_outside() {
  return {told().begin(), told().end()};
}

void remember_outside(const std::vector<std::string>& sentences) {
  told().insert(sentences.begin(), sentences.end());
}

}  // namespace headrace::h5
