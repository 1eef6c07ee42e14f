// The rows of a file that is written, without some: what is left moves together, into another file. One process; the
// thread that owns it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/writing/block_source.hpp"
#include "commands/writing/file_writer.hpp"
#include "ipc/fd.hpp"

namespace headrace::commands::pack {

class KeptRows : public writing::BlockSource {
 public:
  /// path: where the rows of `from` are. without: ascending.
  KeptRows(const std::string& path, const writing::FileWriter& from, const Schema& schema,
           std::vector<std::uint64_t> without);

  const Schema& schema() const override { return schema_; }
  std::exception_ptr run(std::vector<writing::Block> blocks, const Take& take, std::uint64_t& rows) override;
  void wait_for_all(bool) override {}

  /// Where the row is that becomes this one.
  std::uint64_t origin(std::uint64_t row) const;

 private:
  void read(std::size_t table, std::uint64_t row, std::uint64_t rows, std::byte* to) const;

  const std::string path_;
  const writing::FileWriter& from_;
  const Schema& schema_;
  const std::vector<std::uint64_t> without_;
  std::vector<std::uint64_t> gone_before_;  ///< without_[i] - i: the first row, of those that stay, behind the i-th
  ipc::Fd file_;
};

}  // namespace headrace::commands::pack
