// Which positions of an epoch trainer t of T gets in which step. Pure arithmetic; immutable; any thread.
//
//   shuffle = global   global batch b is positions [bG, (b+1)G), G = T*batch; trainer t takes its t-th part
//   shuffle = none     trainer t walks the t-th contiguous T-th of the stream, batch by batch
//
// Every trainer of a stream has the same number of steps per epoch, always:
//   last = drop      floor(n / G) steps, all full; the last n mod G positions are not delivered
//   last = partial   enough steps for all; a share may be short, even empty
//   last = pad       as partial, but filled up with the stream's first positions (0, 1, ... of the epoch, round and
//                    round if n is smaller; of an order in windows, those of the last window: EpochOrder::repeated());
//                    `rows` still counts the real ones
//
// Parts are equal within one: of m positions over T trainers the first m mod T trainers take one more. This holds for a
// short last global batch too, so that no trainer goes without while another has a full batch. The padding of a global
// batch is dealt out in one sequence: trainer 0 repeats the first positions, trainer 1 goes on where it stopped.
#pragma once

#include <cstdint>

namespace headrace::plan {

enum class Shuffle { global, none };
enum class Last { drop, partial, pad };
/// How the rows of one trainer's batch stand: by ascending sample (of a mix: class by class), in an order of their own,
/// or as they were drawn: row i is the i-th position of the trainer's share.
enum class RowOrder { sorted, shuffled, drawn };

/// What one trainer gets in one step: `rows` real positions from `first`, then `padding` positions padding_first,
/// padding_first + 1, ... (mod n).
struct Share {
  std::uint64_t first = 0;
  std::uint32_t rows = 0;
  std::uint32_t padding = 0;
  std::uint64_t padding_first = 0;
  bool operator==(const Share&) const = default;
};

class Schedule {
 public:
  /// n samples selected, `batch` rows per trainer and step (>= 1), `trainers` >= 1.
  Schedule(std::uint64_t n, std::uint32_t batch, std::uint32_t trainers, Shuffle shuffle, Last last);

  std::uint64_t steps() const { return steps_; }  ///< per epoch; the same for every trainer
  std::uint64_t samples() const { return n_; }
  std::uint32_t batch() const { return batch_; }
  std::uint32_t trainers() const { return trainers_; }
  Shuffle shuffle() const { return shuffle_; }
  /// Rows of the largest share, padding included: batch(), unless the stream has not so many for each trainer.
  std::uint32_t most_rows() const;
  Share share(std::uint64_t step, std::uint32_t trainer) const;  ///< step < steps(), trainer < trainers()
  std::uint64_t rows_of_trainer(std::uint32_t trainer) const;    ///< real rows in one epoch
  std::uint64_t rows_of_epoch() const;                           ///< real rows of all trainers

 private:
  Share share_of_batch(std::uint64_t step, std::uint32_t trainer) const;
  Share share_of_run(std::uint64_t step, std::uint32_t trainer) const;

  std::uint64_t n_, steps_;
  std::uint32_t batch_, trainers_;
  Shuffle shuffle_;
  Last last_;
};

}  // namespace headrace::plan
