// Objects and the links between them, alike on every HDF5: up to 1.10 an object is known by its address in its file,
// from 1.12 on by a token. Nothing else in the tree names the types that differ.
#pragma once

#include <hdf5.h>

#include <array>
#include <compare>
#include <optional>
#include <string>

namespace headrace::h5 {

#if H5_VERSION_GE(1, 12, 0)
using LinkInfo = H5L_info2_t;
#else
using LinkInfo = H5L_info_t;
#endif

/// Which object this is: equal for every link that leads to it, also from other files while all of them are open.
/// The order is only good for maps.
struct Identity {
  unsigned long file = 0;              ///< HDF5's number of the open file that it lies in
  std::array<unsigned char, 16> at{};  ///< where in that file
  auto operator<=>(const Identity&) const = default;
};

struct ObjectInfo {
  H5O_type_t type = H5O_TYPE_UNKNOWN;
  Identity identity;
};

/// The object itself: a file stands for its root group.
ObjectInfo object_info(hid_t object);

/// What a path from `group` leads to, soft and external links followed; nothing where it leads nowhere, and `why` in
/// HDF5's words. Error where an external link leads to what is no regular file.
std::optional<ObjectInfo> object_info(hid_t group, const char* path, std::string* why = nullptr);

/// Every link below `group` by name, each group entered once. `visit` must not throw; what is negative ends the walk
/// and is returned.
using LinkVisitor = herr_t (*)(hid_t group, const char* path, const LinkInfo* link, void* data);
herr_t visit_links(hid_t group, LinkVisitor visit, void* data);

}  // namespace headrace::h5
