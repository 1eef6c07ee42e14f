// Files that this program has written, read again as they are: rows without conversion, attributes that hold text. One
// thread: that which owns HDF5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "h5/handle.hpp"

namespace headrace::h5 {

class WrittenFile {
 public:
  explicit WrittenFile(const std::string& path);

  /// Of the root; nothing where it is not there or is no text.
  std::optional<std::string> text(const std::string& attribute) const;
  std::optional<std::int64_t> number(const std::string& attribute) const;
  /// All datasets, in the order in which they were made; and their rows.
  const std::vector<std::string>& datasets() const { return names_; }
  std::uint64_t rows() const { return rows_; }
  /// Adds the bytes of these rows of a dataset.
  void read(const std::string& dataset, std::uint64_t first, std::uint64_t rows, std::vector<std::byte>& out) const;
  /// All texts of a dataset that has no other axis.
  void read_texts(const std::string& dataset, const std::function<void(std::string_view text)>& take) const;

 private:
  std::string path_;
  File file_;
  std::vector<std::string> names_;
  std::uint64_t rows_ = 0;
};

}  // namespace headrace::h5
