#include "inventory/inventory.hpp"

#include <fmt/format.h>

#include "base/printable.hpp"
#include "fetch/fetcher.hpp"
#include "inventory/decoders/checksum.hpp"

namespace headrace::inventory {

std::string array_dataset(const std::string& decoder) {
  return "@file:" + decoder;
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
