#include "service/need.hpp"

#include <algorithm>

#include "exchange/engine.hpp"
#include "service/guests.hpp"
#include "store/node_store.hpp"

namespace headrace::service {

namespace {
/// MPI, HDF5 and the reader's buffers, per stager.
constexpr std::uint64_t overhead_bytes = 64u << 20;
}  // namespace

Need need_of_node(const Config& config, const Blueprint& blueprint, std::span<const std::uint64_t> rows,
                  std::size_t nodes) {
  Need need;
  need.store = store::Layout(blueprint.schema, rows).bytes();
  need.rings = Rings::bytes_of_node(config, blueprint);
  need.buffers = rows.size() * overhead_bytes;
  if (nodes > 1) {
    const auto settings = exchange::Settings::of(nodes, sizeof(std::int64_t) + row_bytes(blueprint.schema));
    need.buffers += rows.size() * settings.bytes();
  }
  return need;
}

}  // namespace headrace::service
