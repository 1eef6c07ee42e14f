// Samples that are not to be had, while a file is being written: beside FILE.part each stager notes its own, before the
// blocks that lack them are told to be written, so that a run that goes on knows them. A line that was cut off is none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/mutex.hpp"
#include "inventory/inventory.hpp"
#include "ipc/fd.hpp"

namespace headrace::commands::pack {

/// Why, by row of the table.
using FailedRows = std::map<std::uint64_t, std::string>;

class Failures {
 public:
  /// Goes on with the list of this stager.
  Failures(const std::string& part, std::uint32_t stager);
  /// Any thread.
  void note(std::uint64_t row, const std::string& why) EXCLUDES(mutex_);
  /// What was noted is on the disk.
  void commit() EXCLUDES(mutex_);

 private:
  const std::string path_;
  Mutex mutex_;
  std::string text_ GUARDED_BY(mutex_);
  ipc::Fd file_ GUARDED_BY(mutex_);
};

/// Of all stagers there ever were.
FailedRows read_failures(const std::string& part);
/// Forgets those that are tried again. Nobody writes meanwhile.
void keep_failures(const std::string& part, const std::function<bool(std::uint64_t row)>& stays);
void remove_failures(const std::string& part);

/// An inventory of those that are not there, with a column that says why: their lines of the table.
std::string text_of(const inventory::Inventory& inventory, const FailedRows& failed);

}  // namespace headrace::commands::pack
