// Made-up data for `headrace bench`.
#pragma once

#include <cstdint>
#include <string>

#include "mpi/comm.hpp"

namespace headrace::commands::bench {

/// A file of made-up samples that goes with the object, written or half written. Collective: all ranks hold one, the
/// first removes it.
class SyntheticFile {
 public:
  /// "69KB x 30000": samples of that size, that many; UsageError where the text is none of that form.
  SyntheticFile(const mpi::Comm& world, const std::string& text);
  void write(const mpi::Comm& world) const;
  ~SyntheticFile();
  SyntheticFile(const SyntheticFile&) = delete;
  SyntheticFile& operator=(const SyntheticFile&) = delete;

  const std::string& path() const { return path_; }
  static void remove(const std::string& path) noexcept;  ///< for ends that run no destructors

 private:
  bool first_;
  std::uint64_t rows_, row_bytes_;
  std::string path_;
};

}  // namespace headrace::commands::bench
