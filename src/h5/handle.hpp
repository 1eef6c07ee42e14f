// Move-only owners of HDF5 identifiers. One thread owns HDF5: the main one, which also owns MPI.
#pragma once

#include <hdf5.h>

#include <utility>

#include "base/contract.hpp"

namespace headrace::h5 {

/// Owns one identifier and closes it with Close; moved from, it holds none.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t owned) : id_(owned) { EXPECTS(owned >= 0); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      close();
      id_ = std::exchange(other.id_, H5I_INVALID_HID);
    }
    return *this;
  }
  ~Handle() { close(); }

  hid_t id() const { return id_; }
  /// For who closes it himself, to hear of what fails.
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }
  explicit operator bool() const { return id_ >= 0; }

 private:
  void close() noexcept {
    if (id_ >= 0) Close(id_);
    id_ = H5I_INVALID_HID;
  }
  hid_t id_ = H5I_INVALID_HID;
};

using File = Handle<H5Fclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Plist = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;
using Group = Handle<H5Gclose>;
using AttributeId = Handle<H5Aclose>;

}  // namespace headrace::h5
