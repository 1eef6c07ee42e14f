// What kind of file system a folder is on: whether a disk of this node is behind it. No state; any thread.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

namespace headrace::store {

struct FileSystem {
  enum class Kind { local, network, memory };

  Kind kind = Kind::local;
  std::string name;               ///< "ext4", "Lustre"; a number where it is none that we know
  std::uint64_t free_bytes = 0;   ///< for this user
  std::uint64_t total_bytes = 0;  ///< free or not
};

/// Kind and name of the number that the kernel has for it (statfs).
FileSystem file_system_of_type(std::uint64_t type);

/// Of a folder; of one on an overlay, that of the layer that is written to, as far as this process can see it. Error where
/// there is none, without its name.
FileSystem file_system_of(const std::string& folder);

/// The layer that is written to of the overlay with that device number, from /proc/self/mountinfo; "" if it is none.
std::string upper_folder(std::istream& mountinfo, unsigned major_number, unsigned minor_number);

}  // namespace headrace::store
