#include "service/blueprint/need.hpp"

#include <algorithm>

#include "exchange/engine.hpp"
#include "service/blueprint/blocks.hpp"
#include "service/blueprint/residence.hpp"
#include "store/node_store.hpp"

namespace headrace::service::blueprint {

namespace {
/// MPI, HDF5 and the reader's buffers, per stager.
constexpr std::uint64_t overhead_bytes = 64u << 20;
}  // namespace

std::uint64_t ring_bytes_of_node(const config::Config& config, const Blueprint& blueprint) {
  std::uint64_t bytes = 0;
  for (std::uint32_t s = 0; s < blueprint.streams.size(); ++s)
    bytes += config.trainers_per_node * blueprint.ring_bytes(config, s);
  return bytes;
}

std::uint64_t draw_bytes_of_node(const Blueprint& blueprint, std::uint64_t samples, std::uint32_t stagers) {
  double bytes = 0;  // of a sample
  for (const auto& stream : blueprint.streams) {
    if (!stream.draw) continue;
    const auto epochs = 1 + (stream.draw->redrawn() ? drawn_epochs_kept : 0);
    std::uint64_t members = 1;
    for (const auto& cell : stream.draw->cells()) members += cell.members;
    const auto copies = static_cast<double>(stream.draw->positions()) / static_cast<double>(members);
    bytes += sizeof(std::uint16_t) + sizeof(std::uint32_t) + 1.0 / 4 +
             static_cast<double>(epochs) * (plan::Multiset::bytes_a_sample + copies * plan::Multiset::bytes_a_copy);
  }
  return static_cast<std::uint64_t>(bytes * static_cast<double>(samples) * stagers);
}

std::uint64_t table_bytes_of_node(std::uint64_t blocks, std::size_t streams, std::size_t stagers) {
  constexpr auto of_stream =
      plan::Windows::bytes_a_block + WindowedOrders::kept * plan::WindowedOrder::bytes_a_block;
  return stagers * blocks * (sizeof(std::uint64_t) + streams * of_stream);
}

std::uint64_t table_bytes_of_node(const Blueprint& blueprint, std::size_t stagers) {
  const auto streams = std::ranges::count_if(
      blueprint.streams, [](const auto& stream) { return stream.windows != nullptr || stream.straight != nullptr; });
  return table_bytes_of_node(blueprint.blocks.size(), static_cast<std::size_t>(streams), stagers);
}

std::uint64_t table_bytes_to_come(const config::Config& config, const Blueprint& blueprint, std::size_t stagers) {
  if (!config.in_blocks()) return 0;
  return table_bytes_of_node(most_blocks_of(blueprint.catalog, config.block), blueprint.streams.size(), stagers);
}

Need need_of_node(const config::Config& config, const Blueprint& blueprint, std::span<const std::uint64_t> rows,
                  std::size_t nodes, std::span<const std::uint64_t> on_disk) {
  Need need;
  need.store = store::Layout(blueprint.schema, rows).bytes();
  need.rings = ring_bytes_of_node(config, blueprint);
  need.buffers = rows.size() * overhead_bytes;
  if (nodes > 1) {
    const auto settings = exchange::Settings::of(nodes, sizeof(std::int64_t) + row_bytes(blueprint.schema));
    need.buffers += rows.size() * settings.bytes();
  }
  for (const auto count : on_disk) {
    need.scratch += store::Records(blueprint.schema, count).file_bytes();
    need.buffers += scratch_buffer_bytes(blueprint.schema, count, on_disk.size());
  }
  return need;
}

}  // namespace headrace::service::blueprint
