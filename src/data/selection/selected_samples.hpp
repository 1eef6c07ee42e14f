// Finds out which samples the streams deliver, before anything is stored: each stager looks at an equal part of the
// data, all learn how many there are, and once the slabs are known each node learns which of its own they are.
//
// Classes are found in the same way. Where the data decide what is of them, streams have only what is of one; and of a
// stream that mixes them, the samples of each class are a set of their own. Where streams draw how often a sample comes
// (drawing.hpp), they have what any epoch may bring.
//
//   choices -> (where the data decide: columns read, conditions evaluated) -> bits of my part -> counts
//   counts  -> slabs of equal work -> bits travel to the nodes that will hold the samples -> Members
//
// Nobody holds more than the bits of its own part and of its node. Every function but sizes(), stored() and shared() is
// collective over all stagers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/config.hpp"
#include "data/selection/choice.hpp"
#include "data/selection/drawing.hpp"
#include "data/selection/questions.hpp"
#include "data/selection/shared_samples.hpp"
#include "job/topology.hpp"
#include "plan/blocks.hpp"
#include "plan/members.hpp"
#include "plan/placement.hpp"
#include "plan/strata.hpp"
#include "reader/load.hpp"

namespace headrace::data::selection {

/// Who holds what, and which of it each stream delivers.
struct Placed {
  plan::Placement placement;
  std::vector<plan::Strata> strata;  ///< per stream, in epoch 0: one set, or one for each class that it mixes
  std::vector<std::shared_ptr<const plan::NodeDraw>> draws;  ///< per stream that draws its samples; else null
  std::vector<plan::Members> once;                           ///< per such stream, each of its samples once; else empty
  std::shared_ptr<const SlabWeights> weights{};              ///< of this stager's slab; null: none are wanted
  std::vector<plan::Members> classes;                        ///< per class, whoever delivers its samples
};

class SelectedSamples {
 public:
  using Bits = std::vector<std::uint64_t>;

  SelectedSamples(const config::Config& config, const catalog::Contents& contents, const catalog::Catalog& catalog,
                  std::vector<Choice> choices, const job::Topology& topology, const reader::LoadOptions& options);

  const std::vector<std::uint64_t>& sizes() const { return sizes_; }  ///< samples of each stream
  /// Samples that an epoch of each stream brings, a sample as often as it comes.
  std::vector<std::uint64_t> positions() const;
  /// What a stream draws; of null draw: each sample comes once.
  const StreamDraw& draw(std::size_t stream) const { return drawing_.stream(stream); }
  /// Per stream the samples of each class; empty where it does not mix them.
  const std::vector<std::vector<std::uint64_t>>& class_sizes() const { return class_sizes_; }
  /// Samples of the stream's choice that are of no class, and so are left out.
  std::uint64_t of_no_class(std::size_t stream) const { return of_no_class_[stream]; }
  std::uint64_t stored() const { return stored_size_; }                 ///< samples that some stream delivers
  const std::vector<SharedSamples>& shared() const { return shared_; }  ///< pairs of streams that have some in common
  /// One slab per stager, each with its share of what is stored.
  std::vector<plan::Slab> divide(std::span<const double> weights) const;
  /// The same, with borders where blocks begin.
  std::vector<plan::Slab> divide(std::span<const double> weights, const plan::Blocks& blocks) const;
  Placed place(std::vector<plan::Slab> slabs) const;

 private:
  /// A set of samples that are placed: that of a choice, all that is stored, or what a stream has of a class.
  struct Set {
    bool by_data = false;
    Bits bits;  ///< of my part, where the data decide
    plan::Selection selection{};
    plan::SampleSet::Ask ask = plan::SampleSet::Ask::members;
  };
  bool by_data(std::size_t stream) const { return by_data_[stream]; }
  std::size_t classes() const { return choices_.size() - streams_; }
  void settle_classes();
  void check_disjoint() const;
  void settle_draws();
  Set set_of(std::size_t stream, std::size_t one) const;
  std::vector<Set> all_sets() const;
  void look();
  void keep_parts(std::size_t stream);
  void keep_listed_numbers(std::size_t stream);
  void look_at_columns();
  void look_at(std::uint64_t first, std::uint64_t last);
  void ask(const Question& question, std::uint64_t first, std::vector<std::uint8_t>& keep) const;
  [[noreturn]] void throw_bad_row(const Question& question, std::uint64_t sample, const UsageError& error) const;
  void check_found() const;
  void count();
  void count_shared();
  void place_draw(std::size_t stream, const std::vector<plan::Slab>& slabs, Placed& placed) const;
  std::vector<std::vector<plan::SampleSet>> sets_here(const std::vector<Set>& sets,
                                                      const std::vector<plan::Slab>& slabs) const;

  const config::Config& config_;
  const catalog::Catalog& catalog_;
  std::size_t streams_;
  std::vector<Choice> choices_;  // of streams, then of classes
  std::vector<bool> by_data_;    // of each
  const job::Topology& topology_;
  const reader::LoadOptions& options_;
  std::uint64_t align_;
  std::vector<plan::Slab> parts_;  // who looks at what
  plan::Slab mine_;
  SampleColumns columns_;
  Drawing drawing_;
  std::vector<std::vector<std::uint32_t>>
      times_;  // per stream with repeats: how often each sample of my part is listed
  Questions questions_;
  std::vector<Bits> bits_;  // per stream whose samples the data decide (empty for others), and last: what is stored
  bool stored_by_data_ = false;
  plan::Selection stored_;     // unless the data decide
  plan::Histogram histogram_;  // where they do
  std::vector<std::uint64_t> sizes_, of_no_class_;
  std::vector<std::vector<std::uint64_t>> class_sizes_;
  std::uint64_t stored_size_ = 0;
  std::vector<SharedSamples> shared_;
};

}  // namespace headrace::data::selection
