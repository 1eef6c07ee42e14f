#include "service/blueprint/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

namespace headrace::service::blueprint {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;  // no such file, or "max"
}

/// "Key value" or "Key: value kB" lines.
std::uint64_t entry_in(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  std::string word, unit;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::uint64_t value = 0;
    if (fields >> word >> value && word == key) return fields >> unit && unit == "kB" ? value * 1024 : value;
  }
  return 0;
}

/// Where the memory controller's hierarchy is mounted (v1: the one with the option "memory"; v2: type cgroup2).
struct Hierarchy {
  fs::path mount, group;
  const char *limit, *usage;
  std::array<const char*, 2> cache;  // entries of memory.stat
};

/// Folder of the hierarchy that is mounted at `mount`, from /proc/self/mountinfo: root of the mount -> mount point.
std::map<std::string, std::pair<std::string, std::string>> cgroup_mounts(const std::string& root) {
  std::map<std::string, std::pair<std::string, std::string>> mounts;
  std::ifstream in(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, inner, point, word;
    fields >> id >> parent >> device >> inner >> point;
    while (fields >> word && word != "-") {
    }
    std::string type, source, options;
    fields >> type >> source >> options;
    if (type == "cgroup2") mounts["v2"] = {point, inner};
    if (type == "cgroup" && ("," + options + ",").find(",memory,") != std::string::npos) mounts["v1"] = {point, inner};
  }
  return mounts;
}

std::vector<Hierarchy> hierarchies(const std::string& root) {
  std::vector<Hierarchy> found;
  const auto mounts = cgroup_mounts(root);
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v2 = controllers == ",,";
    if (!v2 && controllers.find(",memory,") == std::string::npos) continue;
    const auto mount = mounts.find(v2 ? "v2" : "v1");
    if (mount == mounts.end()) continue;
    auto group = line.substr(second + 1);
    // Inside a container the mount shows only a part of the hierarchy.
    const auto& inner = mount->second.second;
    if (inner != "/" && (group + "/").starts_with(inner + "/")) group.erase(0, inner.size());
    if (group.empty()) group = "/";
    const fs::path place = root + mount->second.first;
    if (v2)
      found.push_back({place, group, "memory.max", "memory.current", {"inactive_file", "active_file"}});
    else
      found.push_back({place,
                       group,
                       "memory.limit_in_bytes",
                       "memory.usage_in_bytes",
                       {"total_inactive_file", "total_active_file"}});
  }
  return found;
}

}  // namespace

MemoryLimit available_memory(const std::string& root) {
  MemoryLimit tightest{entry_in(root + "/proc/meminfo", "MemAvailable:"), "MemAvailable"};
  for (const auto& hierarchy : hierarchies(root)) {
    // The limits of all ancestors hold.
    for (fs::path group = hierarchy.group;; group = group.parent_path()) {
      const auto folder = hierarchy.mount / group.relative_path();
      const auto limit = number_in(folder / hierarchy.limit), usage = number_in(folder / hierarchy.usage);
      if (limit && usage) {
        // Page cache of files gives way: also what was read twice, as the input of a second run is.
        auto used = *usage;
        for (const auto* entry : hierarchy.cache) used -= std::min(used, entry_in(folder / "memory.stat", entry));
        const auto left = *limit - std::min(*limit, used);
        if (left < tightest.available) tightest = {left, "cgroup " + group.string() + " (" + hierarchy.limit + ")"};
      }
      if (!group.has_relative_path()) break;
    }
  }
  return tightest;
}

std::uint64_t own_memory(const std::string& root) {
  std::ifstream in(root + "/proc/self/statm");
  std::uint64_t mapped = 0, resident = 0, of_files = 0;
  in >> mapped >> resident >> of_files;
  return (resident - std::min(resident, of_files)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace headrace::service::blueprint
