// What a node needs, in bytes: pure arithmetic, for the check before memory is taken and for forecasts alike.
#pragma once

#include <cstdint>
#include <span>

#include "config/config.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::service::blueprint {

struct Need {
  std::uint64_t store = 0, rings = 0, buffers = 0;
  std::uint64_t scratch = 0;  ///< on the node's disk
  /// Memory.
  std::uint64_t total() const { return store + rings + buffers; }
};

/// Epochs of a stream whose draws are kept beside epoch 0: two in use while trainers go from one to the next, and the
/// one after that.
constexpr std::size_t drawn_epochs_kept = 3;

/// Bytes of what a node draws; samples: of its slabs. Each of its stagers has it, to serve all slabs of the node.
std::uint64_t draw_bytes_of_node(const Blueprint& blueprint, std::uint64_t samples, std::uint32_t stagers);

/// Bytes of the tables of that many blocks, and of the windows of so many streams, which each stager has.
std::uint64_t table_bytes_of_node(std::uint64_t blocks, std::size_t streams, std::size_t stagers);
/// Of those that the blueprint has; 0 where nothing is shuffled in windows.
std::uint64_t table_bytes_of_node(const Blueprint& blueprint, std::size_t stagers);
/// Before blocks are cut: the most that they may take.
std::uint64_t table_bytes_to_come(const config::Config& config, const Blueprint& blueprint, std::size_t stagers);

/// Bytes of all rings of a node.
std::uint64_t ring_bytes_of_node(const config::Config& config, const Blueprint& blueprint);

/// rows: of each stager of the node, those in memory; on_disk: the others, where there is a disk for them; nodes: of the
/// whole service. Of the blueprint, only fields, streams and trainers are asked.
Need need_of_node(const config::Config& config, const Blueprint& blueprint, std::span<const std::uint64_t> rows,
                  std::size_t nodes, std::span<const std::uint64_t> on_disk = {});

}  // namespace headrace::service::blueprint
