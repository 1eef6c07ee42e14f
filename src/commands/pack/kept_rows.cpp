#include "commands/pack/kept_rows.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.hpp"

namespace headrace::commands::pack {

KeptRows::KeptRows(const std::string& path, const writing::FileWriter& from, const Schema& schema,
                   std::vector<std::uint64_t> without)
    : path_(path),
      from_(from),
      schema_(schema),
      without_(std::move(without)),
      file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  require(static_cast<bool>(file_), errno_text("cannot read " + path, errno));
  for (std::size_t i = 0; i < without_.size(); ++i) gone_before_.push_back(without_[i] - i);
}

std::uint64_t KeptRows::origin(std::uint64_t row) const {
  const auto behind = std::upper_bound(gone_before_.begin(), gone_before_.end(), row);
  return row + static_cast<std::uint64_t>(behind - gone_before_.begin());
}

void KeptRows::read(std::size_t table, std::uint64_t row, std::uint64_t rows, std::byte* to) const {
  const auto row_bytes = from_.layout().tables[table].dataset.row_bytes();
  auto offset = from_.offsets()[table] + row * row_bytes;
  for (auto left = rows * row_bytes; left > 0;) {
    const auto got = ::pread(file_.get(), to, left, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    require(got > 0, fmt::format("cannot read {} ({})", path_, got < 0 ? errno_text("read", errno) : "it is cut off"));
    to += got;
    left -= static_cast<std::uint64_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
}

std::exception_ptr KeptRows::run(std::vector<writing::Block> blocks, const Take& take, std::uint64_t& rows) {
  std::vector<std::vector<std::byte>> held(schema_.size());
  std::vector<const std::byte*> fields(schema_.size());
  try {
    for (const auto& block : blocks) {
      for (std::size_t f = 0; f < held.size(); ++f) held[f].resize(block.rows * schema_[f].row_bytes());
      for (std::size_t at = 0; at < block.rows;) {
        const auto from = origin(block.first + at);
        auto end = at + 1;
        while (end < block.rows && origin(block.first + end) == from + (end - at)) ++end;
        for (std::size_t f = 0; f < held.size(); ++f)
          read(f, from, end - at, held[f].data() + at * schema_[f].row_bytes());
        at = end;
      }
      for (std::size_t f = 0; f < held.size(); ++f) fields[f] = held[f].data();
      take(block, fields);
      rows += block.rows;
    }
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace headrace::commands::pack
