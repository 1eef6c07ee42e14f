#include "store/file_system.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.hpp"

namespace headrace::store {

namespace {

struct Known {
  std::uint64_t type;
  FileSystem::Kind kind;
  const char* name;
};

using Kind = FileSystem::Kind;

// <linux/magic.h> lacks those that are no part of the kernel.
constexpr std::array known{
    Known{0xef53, Kind::local, "ext4"},           Known{0x58465342, Kind::local, "XFS"},
    Known{0x9123683e, Kind::local, "Btrfs"},      Known{0x2fc12fc1, Kind::local, "ZFS"},
    Known{0xf2f52010, Kind::local, "F2FS"},       Known{0x794c7630, Kind::local, "overlay"},
    Known{0xca451a4e, Kind::local, "bcachefs"},   Known{0x01021994, Kind::memory, "tmpfs"},
    Known{0x858458f6, Kind::memory, "ramfs"},     Known{0x958458f6, Kind::memory, "hugetlbfs"},
    Known{0x6969, Kind::network, "NFS"},          Known{0x0bd00bd0, Kind::network, "Lustre"},
    Known{0x47504653, Kind::network, "GPFS"},     Known{0x19830326, Kind::network, "BeeGFS"},
    Known{0x00c36400, Kind::network, "Ceph"},     Known{0xff534d42, Kind::network, "CIFS"},
    Known{0xfe534d42, Kind::network, "SMB"},      Known{0x01021997, Kind::network, "9P"},
    Known{0x20030528, Kind::network, "OrangeFS"}, Known{0xaad7aaea, Kind::network, "PanFS"},
    Known{0x5346414f, Kind::network, "AFS"},      Known{0x65735546, Kind::network, "FUSE"},
    Known{0x01161970, Kind::network, "GFS2"},     Known{0x7461636f, Kind::network, "OCFS2"},
};

constexpr std::uint64_t overlay = 0x794c7630;

/// 0, or errno.
int look(const std::string& folder, struct statfs& info) {
  while (statfs(folder.c_str(), &info) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

/// As mountinfo writes names: "\040" is a space.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t k) { return k < text.size() && text[k] >= '0' && text[k] <= '7'; };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// What is known of the layer that an overlay is written to. Its name is that of whoever mounted it: in a container it
/// may lead elsewhere, or nowhere. An overlay tells the numbers of that layer as its own, so these have to agree.
FileSystem below_overlay(const std::string& folder, const struct statfs& info) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return {};
  std::ifstream mounts("/proc/self/mountinfo");
  const auto upper = upper_folder(mounts, major(status.st_dev), minor(status.st_dev));
  struct statfs below {};
  if (upper.empty() || look(upper, below) != 0) return {};
  if (below.f_blocks != info.f_blocks || below.f_bsize != info.f_bsize || below.f_files != info.f_files) return {};
  return file_system_of_type(static_cast<std::uint32_t>(below.f_type));
}

}  // namespace

std::string upper_folder(std::istream& mountinfo, unsigned major_number, unsigned minor_number) {
  const auto device = fmt::format("{}:{}", major_number, minor_number);
  for (std::string line; std::getline(mountinfo, line);) {
    std::istringstream fields(line);
    std::string id, parent, number, word;
    fields >> id >> parent >> number;
    if (number != device) continue;
    while (fields >> word && word != "-") {
    }
    std::string type, source, options;
    fields >> type >> source >> options;
    if (type != "overlay") continue;
    std::istringstream all(options);
    for (std::string option; std::getline(all, option, ',');)
      if (option.starts_with("upperdir=")) return unescaped(option.substr(std::string("upperdir=").size()));
  }
  return "";
}

FileSystem file_system_of_type(std::uint64_t type) {
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.type == type; });
  if (found == known.end()) return {Kind::local, fmt::format("a file system of type {:#x}", type)};
  return {found->kind, found->name};
}

FileSystem file_system_of(const std::string& folder) {
  struct statfs info {};
  if (const auto error = look(folder, info); error != 0)
    throw Error(fmt::format("{}; name a folder that is there on every node, and that is yours", std::strerror(error)));
  // Signed on some machines: the sign is no part of the number.
  auto result = file_system_of_type(static_cast<std::uint32_t>(info.f_type));
  result.free_bytes = static_cast<std::uint64_t>(info.f_bavail) * static_cast<std::uint64_t>(info.f_bsize);
  result.total_bytes = static_cast<std::uint64_t>(info.f_blocks) * static_cast<std::uint64_t>(info.f_bsize);
  if (static_cast<std::uint32_t>(info.f_type) == overlay)
    if (const auto below = below_overlay(folder, info); below.kind != Kind::local) {
      result.kind = below.kind;
      result.name = "overlay over " + below.name;
    }
  return result;
}

}  // namespace headrace::store
