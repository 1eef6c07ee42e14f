// What streams that draw their samples anew each epoch (plan/draw.hpp) have in an epoch, as far as this node is asked.
//
//   a node's own part   is a function of the epoch: drawn when somebody asks for it, and kept for a while
//   who holds how much  is told by each stager: a batch cannot be planned before all have said
//
//   feed: strata()  --want--> stager 0 --AskDraw--> all stagers --Drawn--> stager 0 --DrawRows--> all: came() --> ready()
//
// The next epoch is asked for when the first batch of one is planned, so that nobody waits but after a seek. Of each
// stream the last epochs that somebody used are kept, `kept` of them; one in use stays as long as it is used. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/workers.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/blueprint/need.hpp"

namespace headrace::service::delivery {

class DrawnEpochs {
 public:
  static constexpr std::size_t kept = blueprint::drawn_epochs_kept;
  /// Asks stager 0 how much of an epoch each stager holds; came() follows. Any thread.
  using Want = std::function<void(std::uint32_t stream, std::uint64_t epoch)>;

  /// local: this stager's number on its node.
  DrawnEpochs(const blueprint::Blueprint& blueprint, std::uint32_t local) : blueprint_(blueprint), local_(local) {}
  /// Before the first epoch but 0 is asked for.
  void connect(Workers& workers, Want want);

  /// Whether the epoch has other samples than epoch 0, which the blueprint holds.
  bool changes(std::uint32_t stream, std::uint64_t epoch) const;
  /// Null until all stagers have said how much they hold; then ready() is called, once, by a worker.
  std::shared_ptr<const plan::Strata> strata(std::uint32_t stream, std::uint64_t epoch,
                                             const std::function<void()>& ready) EXCLUDES(mutex_);
  void prepare(std::uint32_t stream, std::uint64_t epoch) EXCLUDES(mutex_);
  /// This node's part, of the others nothing.
  std::shared_ptr<const plan::Strata> here(std::uint32_t stream, std::uint64_t epoch) {
    return mine(stream, epoch).strata;
  }
  /// How much this stager holds of the epoch.
  std::uint64_t rows(std::uint32_t stream, std::uint64_t epoch);
  /// What each stager holds. Nothing happens where nobody has asked for the epoch lately.
  void came(std::uint32_t stream, std::uint64_t epoch, const std::vector<std::uint64_t>& rows) EXCLUDES(mutex_);

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;  // stream, epoch
  /// This node's part: slab by slab, and as a stream of which others hold nothing.
  struct Mine {
    std::shared_ptr<const std::vector<plan::Multiset>> slabs{};
    std::shared_ptr<const plan::Strata> strata{};
  };
  struct Epoch {
    Mine mine{};
    std::shared_ptr<const plan::Strata> all{};
    std::vector<std::function<void()>> waiting{};
    bool asked = false;
    std::uint64_t touched = 0;
  };
  Mine mine(std::uint32_t stream, std::uint64_t epoch) EXCLUDES(mutex_);
  Epoch& touch(const Key& key) REQUIRES(mutex_);
  bool ask(Epoch& epoch) REQUIRES(mutex_) { return !std::exchange(epoch.asked, true); }
  void forget(std::uint32_t stream) REQUIRES(mutex_);

  const blueprint::Blueprint& blueprint_;
  const std::uint32_t local_;
  Workers* workers_ = nullptr;
  Want want_;
  Mutex mutex_, drawing_;  // drawing_: one epoch is drawn at a time, so that nobody draws what another is drawing
  std::map<Key, Epoch> epochs_ GUARDED_BY(mutex_);
  std::uint64_t touches_ GUARDED_BY(mutex_) = 0;
};

}  // namespace headrace::service::delivery
