#include "h5/object.hpp"

#include <cstring>

#include "h5/error.hpp"
#include "h5/outside.hpp"

namespace headrace::h5 {

namespace {

#if H5_VERSION_GE(1, 12, 0)
using Told = H5O_info2_t;
herr_t ask(hid_t object, Told& told) {
  return H5Oget_info3(object, &told, H5O_INFO_BASIC);
}
herr_t ask(hid_t group, const char* path, Told& told) {
  return H5Oget_info_by_name3(group, path, &told, H5O_INFO_BASIC, link_access());
}
// H5Otoken_cmp gives no order and may fail; files of HDF5's own format compare the bytes as we do.
const auto& place(const Told& told) {
  return told.token;
}
#else
using Told = H5O_info_t;
herr_t ask(hid_t object, Told& told) {
  return H5Oget_info2(object, &told, H5O_INFO_BASIC);
}
herr_t ask(hid_t group, const char* path, Told& told) {
  return H5Oget_info_by_name2(group, path, &told, H5O_INFO_BASIC, link_access());
}
const haddr_t& place(const Told& told) {
  return told.addr;
}
#endif

ObjectInfo info(const Told& told) {
  ObjectInfo object{told.type, {told.fileno, {}}};
  static_assert(sizeof(place(told)) <= sizeof(object.identity.at));
  std::memcpy(object.identity.at.data(), &place(told), sizeof(place(told)));
  return object;
}

}  // namespace

ObjectInfo object_info(hid_t object) {
  Told told{};
  check(ask(object, told), "H5Oget_info");
  return info(told);
}

std::optional<ObjectInfo> object_info(hid_t group, const char* path, std::string* why) {
  Told told{};
  if (ask(group, path, told) >= 0) return info(told);
  require_followed();
  if (why != nullptr) *why = reason();
  H5Eclear2(H5E_DEFAULT);
  return std::nullopt;
}

herr_t visit_links(hid_t group, LinkVisitor visit, void* data) {
#if H5_VERSION_GE(1, 12, 0)
  return H5Lvisit2(group, H5_INDEX_NAME, H5_ITER_INC, visit, data);
#else
  return H5Lvisit(group, H5_INDEX_NAME, H5_ITER_INC, visit, data);
#endif
}

}  // namespace headrace::h5
