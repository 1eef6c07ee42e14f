// How often the samples of streams come, where that is not once: those that [resample] draws, and those of lists with
// repeats. Part of finding out which samples streams have (selected_samples.hpp): each stager looks at its part, what they
// found is counted together, and once slabs are known the cells of samples travel to where these will be.
//
//   values of the binned variables -> bins of my part's samples -> cells (class, bin) -> how many of each, everywhere
//   -> how many are wanted (wanted.hpp) -> plan::Draw -> (slabs) -> plan::DrawnSlab of each slab of this node
//
// For the thread that owns MPI.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "data/selection/cell_numbers.hpp"
#include "data/selection/sample_columns.hpp"
#include "data/selection/wanted.hpp"
#include "job/topology.hpp"
#include "plan/draw.hpp"
#include "plan/node_draw.hpp"

namespace headrace::data::selection {

/// What a stream draws, as far as all stagers know it.
struct StreamDraw {
  std::shared_ptr<const plan::Draw> draw;   ///< null: each sample comes once
  std::shared_ptr<const BinCounts> counts;  ///< of [resample]; else null
  std::vector<double> weights{};            ///< of its samples, as counts.there is ordered, where weights are wanted
  std::uint64_t outside = 0;                ///< samples in none of the bins, which do not come
};

/// The weights of the samples of one slab (source = "@weight").
struct SlabWeights {
  plan::Slab slab;
  std::vector<std::uint16_t> cells;  ///< of each sample
  std::vector<double> weights;       ///< of each cell
};

/// What an epoch brings, a line each: of each class, of what max-repeat makes less, and of what is outside the bins.
std::vector<std::string> lines_of(const StreamDraw& draw);

class Drawing {
 public:
  using Bits = std::vector<std::uint64_t>;

  /// mine: the part that this stager looks at.
  Drawing(const config::Config& config, const catalog::Catalog& catalog, const job::Topology& topology,
          plan::Slab mine);

  /// Whether values of columns must be asked, and of which: before the first read.
  bool asks() const { return asks_; }
  bool asks(std::size_t stream) const;
  void add_columns(SampleColumns& columns);
  /// Sorts samples first, first + 1, ... into bins, as far as they are kept.
  void look(std::uint64_t first, std::span<const std::uint8_t> kept, const SampleColumns& columns);

  /// Collective. A resampled stream has these samples of my part, of which classes[c] are of class c (none: there are no
  /// classes); those that do not come are taken out. Throws UsageError, the same on all.
  void settle(std::size_t stream, Bits& bits, std::span<const Bits> classes);
  /// Collective. The same of a list: how often each sample of my part is listed.
  void settle_list(std::size_t stream, std::span<const std::uint32_t> times);

  const StreamDraw& stream(std::size_t number) const { return settled_[number].draw; }
  /// Collective. What this node will hold.
  plan::NodeDraw place(std::size_t stream, const std::vector<plan::Slab>& slabs) const;
  /// Collective. The weights of this stager's slab; null where none are wanted.
  std::shared_ptr<const SlabWeights> place_weights(const std::vector<plan::Slab>& slabs) const;

 private:
  struct Settled {
    StreamDraw draw;
    std::vector<std::uint16_t> cells;  // of each sample of my part
  };
  void check_outside(std::size_t stream, const SampleCells& cells, const CellCounts& counts);
  std::uint64_t first_of(std::uint32_t what, const SampleCells& cells) const;
  std::vector<std::uint16_t> make_draw(std::size_t stream, const std::vector<std::uint64_t>& members,
                                       const std::vector<std::uint64_t>& wanted);
  void drop_undrawn(std::size_t stream, Bits& bits);
  void weigh(std::size_t stream, const SampleCells& cells, BinCounts counts, Bits& bits);
  std::vector<std::uint64_t> before_me(const std::vector<std::uint64_t>& mine) const;

  const config::Config& config_;
  const catalog::Catalog& catalog_;
  const job::Topology& topology_;
  const plan::Slab mine_;
  Bins bins_;
  bool asks_;
  std::vector<std::size_t> columns_;
  std::vector<std::uint32_t> bin_;  // of each sample of my part
  std::vector<Settled> settled_;    // of each stream
  // Where weights are wanted: of each sample of my part, and what the cells of all streams weigh; the first is 1.
  std::vector<std::uint16_t> weight_cells_;
  std::vector<double> weights_{1};
};

}  // namespace headrace::data::selection
