// The folder that an export makes. Beside it, until it is complete, stands the journal FOLDER.part.json with a line for
// each shard that is there: readers refuse folders with files that they do not know. One stager calls all of this, but
// for path().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/journal.hpp"

namespace headrace::commands::exporting {

class Folder {
 public:
  explicit Folder(const std::string& path);

  /// As it is called itself: a link is followed.
  const std::string& path() const { return path_; }
  /// The journal's place.
  std::string part() const { return formats::part_of(path_); }

  /// Error where something is in the way, or nothing to resume.
  void require_free(bool force, bool resume) const;
  /// Makes the folder, or takes it up. fields: that files are made of. Returns the shards that an earlier run has finished.
  std::vector<std::uint64_t> prepare(formats::Facts facts, const std::vector<std::string>& fields, bool force,
                                     bool resume);
  /// A file in it, whole or not at all.
  void write(const std::string& name, const std::string& text) const;
  void complete() const;
  /// Bytes of all its files; 0 where there is no folder.
  std::uint64_t bytes() const;
  /// Takes away what prepare() made, and files that were begun.
  void discard() const;

 private:
  bool is_empty() const;
  void clear() const;
  void sweep() const;

  std::string path_;
  bool made_ = false;  ///< by this run; one that was there stays
};

}  // namespace headrace::commands::exporting
