// Fills slots: works out which rows a batch has, gathers those of this node from its stores, asks other nodes for
// theirs.
//
//   batch plan -> pieces -> on this node:  store --copy_rows--> slot
//                                          its scratch file --reads of the disk--> slot
//                                          a pane, where windows of the stream pass through memory (panes.hpp)
//                        -> elsewhere:     request --> (pack there) --> answer lands in the slot
//
// One per stager; fill() and pack() from any worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/copy_rows.hpp"
#include "base/workers.hpp"
#include "exchange/engine.hpp"
#include "job/topology.hpp"
#include "plan/batch_plan.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/delivery/arrivals.hpp"
#include "service/delivery/drawn_epochs.hpp"
#include "service/delivery/panes.hpp"
#include "store/node_store.hpp"

namespace headrace::service::delivery {

/// Where a batch goes: memory that a trainer may already be scribbling on, so it is written, and read only for sums.
struct Target {
  std::int64_t* index = nullptr;
  std::vector<std::byte*> fields;  ///< first row of each
};

/// One batch of one trainer.
struct Order {
  std::uint32_t stream = 0;
  plan::Share share;
  std::shared_ptr<const plan::EpochOrder> epoch_order;  ///< null where the stream is not shuffled
  std::optional<std::uint64_t> row_order{};             ///< key of an order of rows within the batch; none: sorted
  bool drawn = false;                                   ///< instead: row i is position i of the share
  std::uint64_t epoch = 0;
  std::shared_ptr<const plan::Strata> strata{};  ///< of that epoch: Supply::strata(); null: those of epoch 0
};

class Supply {
 public:
  Supply(const blueprint::Blueprint& blueprint, const job::Topology& topology, const store::NodeStore& store)
      : blueprint_(blueprint), topology_(topology), store_(store) {}
  /// Where rows of other nodes come from; before the first fill, unless there is one node only.
  void connect(exchange::Engine& engine) { engine_ = &engine; }
  /// What streams draw anew each epoch; likewise, where any does.
  void connect(DrawnEpochs& draws) { draws_ = &draws; }

  /// What a stream has in an epoch. Null where that is not known yet: it is asked for, and ready() follows, once, in a
  /// worker.
  std::shared_ptr<const plan::Strata> strata(std::uint32_t stream, std::uint64_t epoch,
                                             const std::function<void()>& ready) const;
  /// The epoch will be wanted soon.
  void prepare(std::uint32_t stream, std::uint64_t epoch) const;
  /// Where rows come from that the store has on its disk; before the first fill, where it has any.
  void connect(store::ScratchReaders& readers) { readers_ = &readers; }
  /// Where rows lie of streams that are read window by window; likewise.
  void connect(Panes& panes) { panes_ = &panes; }
  /// What is there already of rows that come to memory while trainers are served; likewise.
  void connect(Arrivals& arrivals) { arrivals_ = &arrivals; }
  /// Null where all rows were there from the beginning.
  Arrivals* arrivals() const { return arrivals_; }
  /// Null where the stream is in memory as a whole.
  Panes* panes_of(std::uint32_t stream) const { return panes_ != nullptr && panes_->covers(stream) ? panes_ : nullptr; }

  /// Fills the target. True: it is filled. False: rows of other nodes or of the disk are still to come, and done()
  /// follows, once, in the thread that owns MPI, a worker, or a thread that reads the disk.
  bool fill(const Order& order, const Target& target, std::function<void()> done) const;
  /// Packs the rows that another stager asks for. Where some come from the disk, done() follows as above. Error on a
  /// request that makes no sense.
  exchange::Packed pack(const exchange::Request& request, std::span<std::byte> out, exchange::Answers::Done done) const;
  /// Bytes of the largest single row in an answer: sample number and fields.
  std::size_t answer_row_bytes() const { return sizeof(std::int64_t) + row_bytes(blueprint_.schema); }
  const blueprint::Blueprint& blueprint() const { return blueprint_; }
  bool is_whole() const { return topology_.nodes.size() == 1; }  ///< this node holds all samples

 private:
  /// Counts the parts of a batch: this node's rows in memory, each call for those on its disk, and each answer of
  /// another node.
  class Parts;
  using SharedParts = std::shared_ptr<Parts>;  ///< null where all is in memory here
  /// Rows that a stager of this node holds.
  struct Rows {
    const plan::Strata& strata;
    std::uint32_t stream = 0, run = 0;
    std::uint64_t epoch = 0;
    std::span<const std::uint64_t> ordinals{};
  };
  /// Rows and sample numbers one after another.
  void gather(const Rows& wanted, std::byte* index, std::span<std::byte* const> fields, Reuse reuse,
              const SharedParts& parts) const;
  /// The same, each to its place in the batch.
  void scatter(const Rows& wanted, std::span<const std::uint32_t> places, const Target& target,
               const SharedParts& parts) const;
  void locate(const Rows& wanted) const;
  /// Those of the located rows, from number `first` on, that are on the disk.
  void read_scratch(const Rows& wanted, std::size_t first, std::span<const std::uint32_t> places,
                    std::span<std::byte* const> fields, const SharedParts& parts) const;
  const plan::Strata& strata_of(const Order& order) const {
    return order.strata ? *order.strata : blueprint_.strata[order.stream];
  }
  /// What this node has of a stream in an epoch: of ordinals, only their places within their runs are right.
  std::shared_ptr<const plan::Strata> here(std::uint32_t stream, std::uint64_t epoch) const;
  /// Where the rows of a plan go; empty where they stay in its order. Padding stays behind the real rows.
  static std::span<const std::uint32_t> places_of(const Order& wanted, const plan::BatchPlan& plan);
  /// Rows of a batch that a stager of this node holds.
  void gather_piece(const Order& order, const plan::Piece& piece, const plan::BatchPlan& plan,
                    std::span<const std::uint32_t> places, const Target& target, const SharedParts& parts) const;
  /// Sends the requests. The parts call done() if one of the answers is the last part.
  void ask_other_nodes(const Order& order, const plan::BatchPlan& plan, std::span<const std::uint32_t> places,
                       const Target& target, const SharedParts& parts) const;
  std::vector<exchange::Fetch> remote_fetches(const Order& order, const plan::BatchPlan& plan,
                                              std::span<const std::uint32_t> places, const Target& target) const;

  const blueprint::Blueprint& blueprint_;
  const job::Topology& topology_;
  const store::NodeStore& store_;
  exchange::Engine* engine_ = nullptr;
  DrawnEpochs* draws_ = nullptr;
  store::ScratchReaders* readers_ = nullptr;
  Panes* panes_ = nullptr;
  Arrivals* arrivals_ = nullptr;
};

}  // namespace headrace::service::delivery
