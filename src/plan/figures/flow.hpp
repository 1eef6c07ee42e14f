// What a run of steps moves between nodes, worked out by planning every batch of it as the service does: for forecasts
// and for the tests of balance and cost. Pure arithmetic; any thread.
//
//   stager s is on node s / stagers_per_node; trainer t on node t / trainers_per_node, served by the stager of its node
//   whose number is that of its ring modulo stagers_per_node
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/epoch_order.hpp"
#include "plan/schedule.hpp"

namespace headrace::plan {

struct Machine {
  std::uint32_t nodes = 1, stagers_per_node = 1, trainers_per_node = 1;
  std::uint32_t stagers() const { return nodes * stagers_per_node; }
  std::uint32_t trainers() const { return nodes * trainers_per_node; }
};

struct Flow {
  std::uint64_t steps = 0, rows = 0;         ///< rows of all trainers, padding included
  std::vector<std::uint64_t> from_stager;    ///< rows read from each stager's slab
  std::vector<std::uint64_t> from_node;      ///< rows read from the slabs of each node
  std::vector<std::uint64_t> out, in;        ///< rows that leave each node, and that come to it
  std::vector<std::uint64_t> planned;        ///< by each stager: positions whose sample it worked out
  std::uint64_t requests = 0;                ///< of all nodes; an answer each
  std::uint64_t most_requests_of_batch = 0;  ///< by the batch with the most

  std::uint64_t remote() const;
};

/// Steps first .. first + steps - 1 (below schedule.steps()) of all trainers. order: the epoch's, or null where
/// the stream is not shuffled. first_ordinal: as for BatchPlanner. rows_per_answer: of one answer at most.
Flow flow(const Machine& machine, const Schedule& schedule, const EpochOrder* order,
          std::span<const std::uint64_t> first_ordinal, std::uint64_t first, std::uint64_t steps,
          std::uint64_t rows_per_answer);

/// The most over the mean; 1 where there is nothing at all.
double balance(std::span<const std::uint64_t> amounts);

}  // namespace headrace::plan
