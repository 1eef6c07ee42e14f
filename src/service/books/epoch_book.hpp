// The audit: collects what every trainer released of every epoch, and says whether the epoch's samples were delivered
// exactly once. Lives at stager 0; pure bookkeeping, called from one thread.
//
//   1. Of an epoch with a verdict nothing is kept but its part in the totals of its stream.
//   2. An epoch that not all trainers went through is kept until they have, but not for ever: trainers that seek here
//      and there would fill the memory with them. The ones not touched for longest go first, and are counted. That a
//      trainer left an epoch unfinished changes no verdict, it delays one; so what is lost is a line at the end, unless
//      others had finished that epoch: then it gets no verdict any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/blueprint/blueprint.hpp"
#include "service/books/ledger.hpp"
#include "service/books/left_out.hpp"

namespace headrace::service::books {

/// What the stager that serves a trainer reports when the trainer completes or leaves an epoch.
struct TrainerEpoch {
  std::uint32_t stream = 0, rank = 0, world_size = 1;
  std::uint64_t session = 0;
  bool abandoned = false;
  Tally tally;
  double seconds = 0, trainer_wait = 0, stager_wait = 0;
};

/// All epochs of a stream that have a verdict.
struct Totals {
  std::uint64_t epochs = 0, failed = 0, samples = 0, bytes = 0;
};

/// How much is kept of what is unfinished.
struct BookLimits {
  std::size_t epochs = 1024, reports = 1 << 17, questions = 64;
  std::size_t lines = 20;  ///< of them at the end
};

/// One epoch of all trainers together.
struct Verdict {
  std::uint32_t stream = 0;
  std::uint64_t epoch = 0;
  std::uint64_t samples = 0, bytes = 0;
  double seconds = 0;                        ///< of the slowest trainer
  double trainer_wait = 0, stager_wait = 0;  ///< shares of the trainers' time, mean
  std::uint32_t slowest = 0;                 ///< the trainer that waited least for batches
  bool complete = false;                     ///< all trainers went through it from the first to the last step
  bool exactly_once = false;                 ///< what was released is what should have been
  std::string text;                          ///< a line for people
};

class EpochBook {
 public:
  /// stream_hashes: per stream and set, the sum of hashes of all its samples. nodes: that answer questions.
  EpochBook(const blueprint::Blueprint& blueprint, std::uint64_t seed,
            std::vector<std::vector<std::uint64_t>> stream_hashes, std::uint32_t nodes = 1, BookLimits limits = {});

  /// A verdict once every trainer of the session has reported the epoch; nothing yet where question() must be answered.
  std::optional<Verdict> add(const TrainerEpoch& report);
  /// What every node must be asked, if the last add() left something open: left_out_hash() of its own stagers.
  std::optional<LeftOut> question() { return std::exchange(question_, std::nullopt); }
  /// A node's answer; a verdict with the last of them.
  std::optional<Verdict> answer(const LeftOut& question, std::uint64_t hash);
  /// Whether questions are unanswered.
  bool waiting() const { return !asked_.empty(); }
  const Totals& totals(std::uint32_t stream) const { return totals_[stream]; }
  std::uint64_t epochs_audited() const;
  /// Lines about epochs that some trainer left unfinished or that not all trainers have gone through, the last ones.
  std::vector<std::string> unfinished() const;
  bool all_exactly_once() const;
  /// Epochs that are kept until all trainers went through them.
  std::size_t open() const { return open_.size(); }

 private:
  struct Key {
    std::uint32_t stream;
    std::uint64_t session, epoch;
    auto operator<=>(const Key&) const = default;
  };
  using Reports = std::map<std::uint32_t, TrainerEpoch>;  // by rank
  struct Open {
    Reports reports;
    std::uint64_t touched = 0;  // a count that grows
  };
  struct Asked {
    Reports reports;
    std::uint64_t hash = 0;  // of the answers so far
    std::uint32_t answers = 0;
  };
  void forget_oldest(std::uint32_t world_size);
  std::string line(const Key& key, const Reports& reports) const;
  Verdict judge(const LeftOut& what, const Reports& reports, std::uint64_t left_out_hash);
  std::string sentence(const Verdict& verdict, std::uint64_t rows, bool right_ones, std::uint64_t wrong) const;

  const blueprint::Blueprint& blueprint_;
  std::uint64_t seed_;
  std::vector<std::vector<std::uint64_t>> stream_hashes_;
  std::uint32_t nodes_;
  BookLimits limits_;
  std::map<Key, Open> open_;
  std::map<std::uint64_t, Key> by_touch_;
  std::uint64_t touches_ = 0, forgotten_ = 0;
  std::size_t reports_ = 0;  // in open_
  std::map<LeftOut, Asked> asked_;
  std::optional<LeftOut> question_;
  std::vector<Totals> totals_;  // per stream
};

}  // namespace headrace::service::books
