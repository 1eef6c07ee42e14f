// What one trainer rank of a stream has consumed, and what it gets next. Pure bookkeeping: no clock, no memory of its
// own beyond a few numbers per open epoch. It travels as JSON between stagers, so that whoever takes the rank goes on.
//
//   1. Every step below `low` of an open epoch, and every step in `above`, was released by the trainer.
//   2. next() never yields a released step: a batch leased at a trainer's death comes again, a released one never.
//   3. An epoch is complete when all its steps from `first` on are released; it then leaves the open ones.
//   4. Its size follows from what is held, not from what was done: a batch that is held for ever, with millions of
//   steps
//      and epochs released behind it, leaves a few runs of numbers.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "service/books/runs.hpp"

namespace headrace::service::books {

struct Step {
  std::uint64_t epoch = 0, step = 0;
  auto operator<=>(const Step&) const = default;
};

/// The released steps of one epoch.
struct Tally {
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;           ///< where counting starts: 0, or where a seek went
  std::uint64_t low = 0;             ///< all of first .. low-1 are released
  Runs above{};                      ///< released beyond low
  std::uint64_t rows = 0, hash = 0;  ///< over all released steps: count, and sum of hashes of sample numbers
  std::uint64_t wrong = 0;           ///< rows that were not the planned ones (full audit)
  bool touched() const { return low > first || !above.empty(); }
};

class Ledger {
 public:
  /// Of a stream of one batch; to be assigned to.
  Ledger() : Ledger(1, 0) {}
  /// steps >= 1 per epoch; epochs = 0 is endless.
  Ledger(std::uint64_t steps, std::uint64_t epochs, Step start = {});

  /// The next step to fill, or nothing at the end of the last epoch. Moves on.
  std::optional<Step> next();
  /// What next() would give.
  std::optional<Step> coming() const { return next_unreleased(); }
  /// next() has nothing more to give.
  bool at_end() const;
  /// The trainer released a batch. Returns the tally of an epoch that this completes.
  std::optional<Tally> released(Step step, std::uint64_t rows, std::uint64_t hash, std::uint64_t wrong = 0);
  /// Goes on at `to` (step < steps()). Returns the epochs that are left unfinished by it.
  std::vector<Tally> seek(Step to);
  /// Fills again what was given out but not released: the trainer is gone.
  void rewind();
  /// The trainer left on purpose: an epoch begun is abandoned, the next one comes next. Returns what is abandoned.
  std::vector<Tally> leave();

  /// The first step that is not released.
  Step position() const;
  bool finished() const { return epochs_ > 0 && position().epoch >= epochs_; }
  std::uint64_t steps() const { return steps_; }

  nlohmann::json to_json() const;
  static Ledger from_json(const nlohmann::json& json);

 private:
  /// Where looking for an unreleased step goes on behind this one; nothing if it is none itself.
  std::optional<Step> behind_released(Step step) const;
  std::optional<Step> next_unreleased() const;

  std::uint64_t steps_, epochs_;
  Step cursor_;                          // next() looks from here on
  std::map<std::uint64_t, Tally> open_;  // none is complete; never empty; the first is where position() is
  Runs complete_;                        // epochs behind the first open one
};

}  // namespace headrace::service::books
