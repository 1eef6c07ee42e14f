#include "plan/figures/flow.hpp"

#include <algorithm>
#include <numeric>

#include "base/contract.hpp"
#include "plan/batch_plan.hpp"

namespace headrace::plan {

namespace {

class Counter {
 public:
  Counter(const Machine& machine, std::uint64_t rows_per_answer)
      : machine_(machine), rows_per_answer_(rows_per_answer) {
    flow_.from_stager.resize(machine.stagers());
    flow_.planned.resize(machine.stagers());
    for (auto* of_nodes : {&flow_.from_node, &flow_.out, &flow_.in}) of_nodes->resize(machine.nodes);
  }

  void add(std::uint32_t trainer, const BatchPlan& plan) {
    const auto home = trainer / machine_.trainers_per_node;
    const auto server =
        home * machine_.stagers_per_node + trainer % machine_.trainers_per_node % machine_.stagers_per_node;
    flow_.rows += plan.ordinals.size();
    flow_.planned[server] += plan.ordinals.size();
    const auto before = flow_.requests;
    std::uint64_t run = 0;
    for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
      const auto& piece = plan.pieces[i];
      const auto stager = piece.run % machine_.stagers(), node = stager / machine_.stagers_per_node;
      flow_.from_stager[stager] += piece.rows;
      flow_.from_node[node] += piece.rows;
      if (node == home) continue;
      flow_.out[node] += piece.rows;
      flow_.in[home] += piece.rows;
      run += piece.rows;
      // Rows of one node follow each other, and are asked for together.
      if (i + 1 == plan.pieces.size() ||
          plan.pieces[i + 1].run % machine_.stagers() / machine_.stagers_per_node != node) {
        flow_.requests += (run + rows_per_answer_ - 1) / rows_per_answer_;
        run = 0;
      }
    }
    flow_.most_requests_of_batch = std::max(flow_.most_requests_of_batch, flow_.requests - before);
  }
  Flow take(std::uint64_t steps) {
    flow_.steps = steps;
    return std::move(flow_);
  }

 private:
  const Machine machine_;
  const std::uint64_t rows_per_answer_;
  Flow flow_;
};

std::uint64_t sum(std::span<const std::uint64_t> amounts) {
  return std::accumulate(amounts.begin(), amounts.end(), std::uint64_t{0});
}

}  // namespace

std::uint64_t Flow::remote() const {
  return sum(in);
}

Flow flow(const Machine& machine, const Schedule& schedule, const EpochOrder* order,
          std::span<const std::uint64_t> first_ordinal, std::uint64_t first, std::uint64_t steps,
          std::uint64_t rows_per_answer) {
  EXPECTS(schedule.trainers() == machine.trainers() &&
          first_ordinal.size() % machine.stagers() == 1 % machine.stagers());
  EXPECTS(first + steps <= schedule.steps() && rows_per_answer > 0);
  Counter counter(machine, rows_per_answer);
  BatchPlanner planner;
  for (auto step = first; step < first + steps; ++step)
    for (std::uint32_t trainer = 0; trainer < machine.trainers(); ++trainer)
      counter.add(trainer, planner(schedule.share(step, trainer), order, first_ordinal));
  return counter.take(steps);
}

double balance(std::span<const std::uint64_t> amounts) {
  const auto total = sum(amounts);
  if (total == 0) return 1;
  return static_cast<double>(*std::max_element(amounts.begin(), amounts.end())) * static_cast<double>(amounts.size()) /
         static_cast<double>(total);
}

}  // namespace headrace::plan
