// One file of a load, opened in each way when that is first asked for. The thread that owns HDF5.
#pragma once

#include <memory>
#include <optional>

#include "base/error.hpp"
#include "catalog/catalog.hpp"
#include "h5/file.hpp"
#include "reader/plain_file.hpp"

namespace headrace::reader {

class FileInHand {
 public:
  FileInHand(const catalog::FileInfo& info, ReadingHints hints) : info_(info), hints_(hints) {}

  const h5::File& hdf5() {
    if (!hdf5_) hdf5_ = h5::open_file(info_.path);
    return *hdf5_;
  }
  /// Jobs may keep it.
  const std::shared_ptr<const PlainFile>& plain() {
    if (!plain_) plain_ = std::make_shared<const PlainFile>(info_.path, hints_);
    return plain_;
  }
  /// Advice to the system, which never fails.
  void forget_what_hdf5_read() {
    if (!hdf5_) return;
    try {
      plain()->forget();
    } catch (const Error&) {  // it cannot be opened once more, and stays in memory
    }
  }

 private:
  const catalog::FileInfo& info_;
  ReadingHints hints_;
  std::optional<h5::File> hdf5_;
  std::shared_ptr<const PlainFile> plain_;
};

}  // namespace headrace::reader
