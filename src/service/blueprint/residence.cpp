#include "service/blueprint/residence.hpp"

#include <algorithm>
#include <numeric>

#include "base/bytes.hpp"
#include "store/node_store.hpp"
#include "store/scratch_writer.hpp"

namespace headrace::service::blueprint {

namespace {

/// Two panes of half of it; few users will have so little, and it works.
constexpr std::uint64_t least_bytes = 1 << 20;

/// What alignment of columns and slabs may add.
std::uint64_t slack(const Schema& schema, std::size_t stagers) {
  constexpr std::uint64_t column = 256, page = 4096;
  return stagers * (schema.size() * column + page);
}

}  // namespace

std::uint64_t scratch_buffer_bytes(const Schema& schema, std::uint64_t rows, std::size_t stagers) {
  // First the one, then the other.
  const auto reading = store::ScratchReaders::threads_for(stagers) * store::ScratchReaders::bytes_a_thread;
  return std::max(reading, store::write_bytes(store::Records(schema, rows), store::writing_threads));
}

std::uint64_t fewest_in_memory(const Schema& schema, std::uint64_t rows) {
  const auto bytes = std::max<std::uint64_t>(1, row_bytes(schema));
  const auto two_panes = 2 * store::Records(schema, rows).rows_a_piece(0);
  return std::min(rows, std::max(two_panes, least_bytes / bytes));
}

std::vector<std::uint64_t> rows_in_memory(const Schema& schema, std::span<const std::uint64_t> rows,
                                          std::uint64_t store_bytes) {
  std::vector<std::uint64_t> in_memory(rows.begin(), rows.end());
  if (store::Layout(schema, rows).bytes() <= store_bytes) return in_memory;
  const auto bytes = static_cast<double>(std::accumulate(rows.begin(), rows.end(), std::uint64_t{0})) *
                     static_cast<double>(row_bytes(schema));
  const auto room = store_bytes - std::min(store_bytes, slack(schema, rows.size()));
  for (auto& count : in_memory) {
    const auto share = static_cast<std::uint64_t>(static_cast<double>(count) * static_cast<double>(room) / bytes);
    count = std::max(fewest_in_memory(schema, count), std::min(count, share));
  }
  return in_memory;
}

}  // namespace headrace::service::blueprint
