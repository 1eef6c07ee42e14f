#include "store/file_system.hpp"

#include <fmt/format.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

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

}  // namespace

FileSystem file_system_of_type(std::uint64_t type) {
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.type == type; });
  if (found == known.end()) return {Kind::local, fmt::format("a file system of type {:#x}", type)};
  return {found->kind, found->name};
}

FileSystem file_system_of(const std::string& folder) {
  struct statfs info {};
  while (statfs(folder.c_str(), &info) != 0)
    if (errno != EINTR) throw Error(errno_text(folder, errno));
  // Signed on some machines: the sign is no part of the number.
  auto result = file_system_of_type(static_cast<std::uint32_t>(info.f_type));
  result.free_bytes = static_cast<std::uint64_t>(info.f_bavail) * static_cast<std::uint64_t>(info.f_bsize);
  result.total_bytes = static_cast<std::uint64_t>(info.f_blocks) * static_cast<std::uint64_t>(info.f_bsize);
  return result;
}

}  // namespace headrace::store
