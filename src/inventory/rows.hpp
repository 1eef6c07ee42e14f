// A run of neighbouring samples on its way: where its rows go, and which of them are not to be had.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/row_source.hpp"
#include "inventory/inventory.hpp"

namespace headrace::inventory {

/// A dataset that is wanted, as the taker counts them: an array, or the table.
struct Wanted {
  const Array* array = nullptr;  ///< nullptr: the table
  std::uint64_t row_bytes = 0;
};

/// One thread at a time.
class Rows {
 public:
  Rows(const std::vector<Wanted>& wanted, std::uint64_t first, std::uint64_t count, catalog::RowTaker& taker);

  std::uint64_t first() const { return first_; }
  std::uint64_t count() const { return count_; }
  std::byte* at(std::size_t dataset, std::uint64_t row) const {
    return to_[dataset] + (row - first_) * wanted_[dataset].row_bytes;
  }
  bool gone(std::uint64_t row) const { return gone_[row - first_]; }
  /// Lets the row go, or throws Error(why).
  void refuse(std::uint64_t row, const std::string& why);
  /// All rows that are left are where at() says.
  void deliver();

 private:
  const std::vector<Wanted>& wanted_;
  std::uint64_t first_, count_;
  catalog::RowTaker& taker_;
  std::vector<std::byte*> to_;
  std::vector<bool> in_place_;
  std::vector<std::vector<std::byte>> own_;
  std::vector<bool> gone_;
};

}  // namespace headrace::inventory
