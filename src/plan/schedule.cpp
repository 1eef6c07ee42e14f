#include "plan/schedule.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace headrace::plan {

namespace {

struct Part {
  std::uint64_t first, count;
};

/// The t-th of T parts of m things, equal within one.
Part part(std::uint64_t m, std::uint64_t t, std::uint64_t of) {
  const std::uint64_t each = m / of, more = m % of;
  return {each * t + std::min(t, more), each + (t < more ? 1 : 0)};
}

std::uint64_t divide_up(std::uint64_t n, std::uint64_t by) {
  return n / by + (n % by != 0 ? 1 : 0);
}

std::uint64_t count_steps(std::uint64_t n, std::uint64_t batch, std::uint64_t trainers, Shuffle shuffle, Last last) {
  const std::uint64_t global_batch = batch * trainers;  // below 2^64: both have 32 bits
  if (last == Last::drop) return n / global_batch;
  if (shuffle == Shuffle::global) return divide_up(n, global_batch);
  return divide_up(part(n, 0, trainers).count, batch);
}

}  // namespace

Schedule::Schedule(std::uint64_t n, std::uint32_t batch, std::uint32_t trainers, Shuffle shuffle, Last last)
    : n_(n), steps_(0), batch_(batch), trainers_(trainers), shuffle_(shuffle), last_(last) {
  EXPECTS(batch >= 1 && trainers >= 1);
  steps_ = count_steps(n, batch, trainers, shuffle, last);
}

std::uint32_t Schedule::most_rows() const {
  if (last_ != Last::partial) return batch_;
  const auto each = n_ / trainers_ + (n_ % trainers_ != 0);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(each, 1, batch_));
}

Share Schedule::share(std::uint64_t step, std::uint32_t trainer) const {
  EXPECTS(step < steps_ && trainer < trainers_);
  return shuffle_ == Shuffle::global ? share_of_batch(step, trainer) : share_of_run(step, trainer);
}

Share Schedule::share_of_batch(std::uint64_t step, std::uint32_t trainer) const {
  const std::uint64_t global_batch = std::uint64_t{batch_} * trainers_;
  const std::uint64_t first = step * global_batch;
  const auto mine = part(std::min(n_ - first, global_batch), trainer, trainers_);
  Share share{first + mine.first, static_cast<std::uint32_t>(mine.count)};
  if (last_ == Last::pad && share.rows < batch_) {
    share.padding = batch_ - share.rows;
    share.padding_first = (std::uint64_t{batch_} * trainer - mine.first) % n_;
  }
  return share;
}

Share Schedule::share_of_run(std::uint64_t step, std::uint32_t trainer) const {
  const auto run = part(rows_of_epoch(), trainer, trainers_);
  const std::uint64_t done = std::min(step * batch_, run.count);
  Share share{run.first + done, static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count - done, batch_))};
  if (last_ == Last::pad && share.rows < batch_) {
    share.padding = batch_ - share.rows;
    const std::uint64_t before = steps_ * batch_ * trainer - run.first;  // padding of the trainers in front
    share.padding_first = (before + step * batch_ - done) % n_;
  }
  return share;
}

std::uint64_t Schedule::rows_of_trainer(std::uint32_t trainer) const {
  EXPECTS(trainer < trainers_);
  if (shuffle_ == Shuffle::none) return part(rows_of_epoch(), trainer, trainers_).count;
  const std::uint64_t global_batch = std::uint64_t{batch_} * trainers_;
  const std::uint64_t full = n_ / global_batch * batch_;
  return last_ == Last::drop ? full : full + part(n_ % global_batch, trainer, trainers_).count;
}

std::uint64_t Schedule::rows_of_epoch() const {
  return last_ == Last::drop ? steps_ * batch_ * trainers_ : n_;
}

}  // namespace headrace::plan
