// The audit: collects what every trainer released of every epoch, and says whether the epoch's samples were delivered
// exactly once. Lives at stager 0; pure bookkeeping, called from one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/blueprint.hpp"
#include "service/ledger.hpp"
#include "service/left_out.hpp"

namespace headrace::service {

/// What the stager that serves a trainer reports when the trainer completes or leaves an epoch.
struct TrainerEpoch {
  std::uint32_t stream = 0, rank = 0, world_size = 1;
  std::uint64_t session = 0;
  bool abandoned = false;
  Tally tally;
  double seconds = 0, trainer_wait = 0, stager_wait = 0;
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
  /// stream_hashes: per stream, the sum of hashes of all its samples. nodes: that answer questions.
  EpochBook(const Blueprint& blueprint, std::uint64_t seed, std::vector<std::uint64_t> stream_hashes,
            std::uint32_t nodes = 1);

  /// A verdict once every trainer of the session has reported the epoch; nothing yet where question() must be answered.
  std::optional<Verdict> add(const TrainerEpoch& report);
  /// What every node must be asked, if the last add() left something open: left_out_hash() of its own stagers.
  std::optional<LeftOut> question() { return std::exchange(question_, std::nullopt); }
  /// A node's answer; a verdict with the last of them.
  std::optional<Verdict> answer(const LeftOut& question, std::uint64_t hash);
  /// Whether questions are unanswered.
  bool waiting() const { return !asked_.empty(); }
  /// Verdicts so far, in the order of completion.
  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  /// Lines about epochs that some trainer left unfinished or that not all trainers have gone through.
  std::vector<std::string> unfinished() const;
  bool all_exactly_once() const;

 private:
  struct Key {
    std::uint32_t stream;
    std::uint64_t session, epoch;
    auto operator<=>(const Key&) const = default;
  };
  using Reports = std::map<std::uint32_t, TrainerEpoch>;  // by rank
  struct Asked {
    Reports reports;
    std::uint64_t hash = 0;  // of the answers so far
    std::uint32_t answers = 0;
  };
  Verdict judge(const LeftOut& what, const Reports& reports, std::uint64_t left_out_hash);
  std::string sentence(const Verdict& verdict, std::uint64_t rows, bool right_ones, std::uint64_t wrong) const;

  const Blueprint& blueprint_;
  std::uint64_t seed_;
  std::vector<std::uint64_t> stream_hashes_;
  std::uint32_t nodes_;
  std::map<Key, Reports> open_;
  std::map<LeftOut, Asked> asked_;
  std::optional<LeftOut> question_;
  std::vector<Verdict> verdicts_;
};

}  // namespace headrace::service
