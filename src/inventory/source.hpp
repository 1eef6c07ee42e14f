// An inventory as a source of rows: files opened, read and decoded by several threads, rows placed by their number.
#pragma once

#include <memory>

#include "catalog/row_source.hpp"
#include "inventory/inventory.hpp"

namespace headrace::inventory {

class Source : public catalog::RowSource {
 public:
  explicit Source(std::shared_ptr<const Inventory> inventory) : inventory_(std::move(inventory)) {}
  void read(const std::vector<std::string>& datasets, std::uint64_t row, std::uint64_t rows, unsigned threads,
            catalog::RowTaker& taker) const override;
  void rest() const override;
  bool reads(const std::string& path) const override { return has_file(*inventory_, path); }
  std::string how() const override;
  const Inventory& inventory() const { return *inventory_; }

 private:
  std::shared_ptr<const Inventory> inventory_;
};

/// Threads that read files, where so many may compute.
unsigned readers_of(const Settings& settings, unsigned threads);

}  // namespace headrace::inventory
