// Everything that is decided before the first byte is read: fields, streams, who holds what, and what it costs. The
// same on every stager; a plain value, read by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "data/fields/field_plan.hpp"
#include "data/selection/drawing.hpp"
#include "job/topology.hpp"
#include "plan/blocks.hpp"
#include "plan/node_draw.hpp"
#include "plan/placement.hpp"
#include "plan/strata.hpp"
#include "service/blueprint/arrival.hpp"
#include "service/blueprint/cells.hpp"
#include "service/blueprint/stream_facts.hpp"

namespace headrace::service::blueprint {

struct Blueprint {
  catalog::Catalog catalog;
  Schema schema;                                ///< what trainers get
  std::vector<data::fields::FieldPlan> fields;  ///< how its arrays come to be
  std::vector<StreamFacts> streams;             ///< in the order of the configuration
  plan::Placement placement;
  std::vector<plan::Strata> strata;  ///< per stream: what it draws from; in epoch 0, where epochs have other samples
  std::vector<std::shared_ptr<const plan::NodeDraw>> draws{};     ///< per stream, what this node draws; null: nothing
  std::vector<plan::Members> classes;                             ///< per class of the configuration
  std::shared_ptr<const data::selection::SlabWeights> weights{};  ///< of this stager's samples; null: none are wanted
  std::uint32_t trainers = 1;                                     ///< that the configuration expects, on all nodes
  /// Per stager how many of its rows lie in memory, the others on its disk (residence.hpp); empty: all, everywhere.
  std::vector<std::uint64_t> in_memory{};
  plan::Blocks blocks{};                            ///< of the files, where a stream is shuffled in windows
  std::vector<std::optional<StreamCells>> cells{};  ///< per stream that is read window by window; or empty

  /// In which rows come to memory while trainers are served (start = early); null: all are there before.
  std::shared_ptr<const Arrival> arrival{};

  /// Rows of a full batch of one of the expected trainers.
  std::uint32_t expected_batch(std::uint32_t stream) const;
  /// Rows that a slot of its rings must hold: no more than the stream has.
  std::uint32_t slot_rows(std::uint32_t stream) const;
  /// Bytes of each of its rings.
  std::uint64_t ring_bytes(const config::Config& config, std::uint32_t stream) const;
  /// Slots of each of its rings: as configured, else enough for 8 MiB, from 4 to 16.
  std::uint32_t slots_of(const config::Config& config, std::uint32_t stream) const;
  /// Rows of each stager of a node.
  std::vector<std::uint64_t> rows_of_node(const job::Node& node) const;
  /// Those of them in memory, and those of panes.
  std::vector<std::uint64_t> rows_in_memory_of(const job::Node& node) const;
  bool on_disk() const { return !in_memory.empty(); }
  bool by_windows() const { return !cells.empty(); }
  const char* regime() const { return on_disk() ? "scratch" : by_windows() ? "window" : "resident"; }
};

/// What was found out about the samples of a stream.
struct StreamSamples {
  std::uint64_t positions = 0;              ///< of an epoch, where it mixes nothing
  std::vector<std::uint64_t> of_classes{};  ///< samples of each class, where it mixes them
  std::shared_ptr<const plan::Draw> draw{};
  std::vector<std::string> draw_lines{};  ///< what an epoch brings of each class
};

/// Draws the blueprint, but for who holds what: placement, strata, draws and classes are empty. Errors name section, key
/// and what would do.
Blueprint draw(const config::Config& config, catalog::Catalog catalog, data::fields::FieldPlans fields,
               const std::vector<StreamSamples>& samples, const job::Topology& topology);

/// What each stager can take of `rows` rows: equal shares, but no node gets more bytes than its budget.
std::vector<double> weights(const std::vector<job::Node>& nodes, const std::vector<std::uint64_t>& node_budgets,
                            std::uint64_t total_bytes);

/// Per set of a stream the sum of its samples' hashes, of those in the slab of `stager`: of a stream that is drawn anew
/// each epoch, of what all epochs have in common.
std::vector<std::uint64_t> slab_hashes(const Blueprint& blueprint, std::uint32_t stream, std::uint32_t stager);

/// The sum over what an epoch brings of the slab beyond that.
std::uint64_t hash_of_more(const plan::Multiset& slab);

}  // namespace headrace::service::blueprint
