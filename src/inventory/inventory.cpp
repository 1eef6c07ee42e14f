#include "inventory/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/printable.hpp"
#include "fetch/fetcher.hpp"
#include "inventory/decoders/checksum.hpp"

namespace headrace::inventory {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view why = "why", more = "_left_out";

}  // namespace

bool is_why_column(std::string_view name) {
  if (!name.starts_with(why)) return false;
  for (name.remove_prefix(why.size()); name.starts_with(more);) name.remove_prefix(more.size());
  return name.empty();
}

std::string why_column(const Table& table) {
  const auto& all = table.columns();
  if (table.path().ends_with(failed_suffix) && is_why_column(all.back())) return all.back();
  std::string name(why);
  while (std::find(all.begin(), all.end(), name) != all.end()) name += more;
  return name;
}

std::string array_dataset(const std::string& decoder) {
  return "@file:" + decoder;
}

bool has_file(const Inventory& inventory, const std::string& path) {
  std::error_code unknown;
  if (fs::equivalent(inventory.settings.csv, path, unknown)) return true;
  if (inventory.arrays.empty() || inventory.path.is_url() || !fs::exists(path, unknown)) return false;
  const auto name = fs::path(path).filename().string();
  std::string sample;
  for (std::size_t row = 0; row < inventory.table.rows(); ++row) {
    inventory.path.make(inventory.table, row, sample);
    if (sample.ends_with(name) && fs::equivalent(sample, path, unknown)) return true;
  }
  return false;
}

void verify(const Inventory& inventory, std::size_t row, std::string_view content) {
  if (inventory.checksum)
    require_checksum(inventory.settings.checksum, inventory.table.at(row, *inventory.checksum), content);
}

void verify(const Inventory& inventory, std::size_t row, Content content) {
  verify(inventory, row, std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
}

std::string explained(const Inventory& inventory, std::size_t row, const std::string& why) {
  std::string path;
  inventory.path.make(inventory.table, row, path);
  return fmt::format("cannot read {} ({}; {})", printable(fetch::shown_url(path)), why, inventory.table.place(row));
}

}  // namespace headrace::inventory
