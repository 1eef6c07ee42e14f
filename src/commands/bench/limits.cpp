#include "commands/bench/limits.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ipc/reserve.hpp"
#include "service/loading/store_sink.hpp"

namespace headrace::commands::bench {

GatherLimit::GatherLimit(const service::Staging& staging) : staging_(staging) {
  const auto& blueprint = staging.blueprint();
  const auto& topology = staging.topology();
  const auto schedule = blueprint.streams[0].schedule(blueprint.trainers);
  const auto order = blueprint.streams[0].epoch_order(staging.config().seed, 0);
  const auto per_node = staging.config().trainers_per_node;
  plan::BatchPlanner planner;
  for (auto ring = topology.local(); ring < per_node; ring += topology.here().stagers) {
    const auto trainer = topology.my_node * per_node + ring;
    for (std::uint64_t step = 0; step < schedule.steps(); ++step)
      batches_.push_back(
          batch_of(planner(schedule.share(step, trainer), order.get(), blueprint.strata[0].first_ordinals())));
    slots_ += blueprint.slots_of(staging.config(), 0);
  }
  slot_bytes_ = ring::SlotLayout(blueprint.schema, schedule.batch()).bytes();
  slots_ = std::max<std::size_t>(slots_, 1);
  memfd_ = ipc::make_memfd("headrace-limit", slots_ * slot_bytes_);
  memory_ = ipc::Mapping::map(memfd_, slots_ * slot_bytes_);
  ipc::reserve(memfd_, 0, memory_.span(), staging.threads());
}

GatherLimit::Batch GatherLimit::batch_of(const plan::BatchPlan& plan) {
  const auto& blueprint = staging_.blueprint();
  const auto& topology = staging_.topology();
  const auto row = row_bytes(blueprint.schema);
  const auto& layout = staging_.store().layout();
  const auto own_rows = std::max<std::uint64_t>(1, layout.rows(topology.local()));
  Batch batch;
  std::vector<std::int64_t> samples;
  for (const auto& piece : plan.pieces) {
    const auto ordinals = std::span(plan.ordinals).subspan(piece.first_row, piece.rows);
    Run run{topology.local(), std::vector<std::uint32_t>(piece.rows)};
    bytes_ += piece.rows * row;
    const auto stager = blueprint.strata[0].stager_of(piece.run);
    if (topology.is_here(stager)) {
      run.local = stager - topology.here().first;
      if (blueprint.by_windows()) {  // any place in its panes is as far away as another
        for (std::size_t i = 0; i < ordinals.size(); ++i)
          run.rows[i] = static_cast<std::uint32_t>(ordinals[i] % std::max<std::uint64_t>(1, layout.rows(run.local)));
        batch.push_back(std::move(run));
        continue;
      }
      samples.resize(piece.rows);
      blueprint.placement.locate(blueprint.strata[0], piece.run, ordinals, samples, run.rows);
      const auto in_memory = static_cast<std::uint32_t>(layout.rows(run.local));
      for (auto& place : run.rows) {
        if (place < in_memory) continue;
        on_disk_.push_back({run.local, place - in_memory});
        place %= std::max(1u, in_memory);
      }
    } else {
      remote_ += piece.rows * row;
      for (std::size_t i = 0; i < ordinals.size(); ++i)
        run.rows[i] = static_cast<std::uint32_t>(ordinals[i] % own_rows);
    }
    batch.push_back(std::move(run));
  }
  return batch;
}

void GatherLimit::copy(const Batch& batch, std::byte* slot) const {
  const auto& schema = staging_.blueprint().schema;
  for (std::size_t f = 0; f < schema.size(); ++f) {
    const auto bytes = schema[f].row_bytes();
    for (const auto& run : batch) {
      const auto* column = staging_.store().column(run.local, f);
      for (const auto row : run.rows) {
        std::memcpy(slot, column + row * bytes, bytes);
        slot += bytes;
      }
    }
  }
}

double GatherLimit::run() const {
  std::vector<std::thread> threads;
  std::atomic<std::size_t> next = 0;
  const auto begin = Clock::now();
  for (unsigned t = 0; t < staging_.threads(); ++t)
    threads.emplace_back([&] {
      // relaxed: only the number itself is shared.
      for (auto b = next.fetch_add(1, std::memory_order_relaxed); b < batches_.size();
           b = next.fetch_add(1, std::memory_order_relaxed))
        copy(batches_[b], memory_.data() + b % slots_ * slot_bytes_);
    });
  for (auto& thread : threads) thread.join();
  return seconds_since(begin);
}

double GatherLimit::run_disk() const {
  if (on_disk_.empty()) return 0;
  const auto threads = store::ScratchReaders::threads_for(staging_.topology().here().stagers);
  return store::read_raw(staging_.store().scratch(), on_disk_, threads, std::numeric_limits<double>::max()).seconds;
}

std::uint64_t GatherLimit::disk_bytes() const {
  return on_disk_.size() * row_bytes(staging_.blueprint().schema);
}

double time_plain_read(const service::blueprint::Blueprint& blueprint, std::uint32_t stager,
                       std::span<std::byte> memory, std::uint64_t& bytes) {
  constexpr std::uint64_t piece = 1 << 20;
  bytes = 0;
  if (memory.size() < piece) return 0;
  double seconds = 0;
  const auto intervals =
      service::loading::intervals_to_read(blueprint.placement.stored(), stager, blueprint.placement.slab(stager));
  for (std::size_t f = 0; f < blueprint.catalog.files.size(); ++f) {
    const auto& file = blueprint.catalog.files[f];
    if (file.rows) continue;  // its samples lie in files of their own
    const ipc::Fd fd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
    require(static_cast<bool>(fd), errno_text(file.path, errno));
    for (const auto& dataset : blueprint.catalog.datasets) {
      const auto& here = dataset.in_file[f];
      for (const auto& interval : intervals) {
        const auto first = std::max(interval.first, file.first_sample);
        const auto last = std::min(interval.last, file.first_sample + file.samples);
        if (first >= last) continue;
        std::uint64_t offset = here.offset ? *here.offset + (first - file.first_sample) * here.row_bytes() : 0;
        std::uint64_t left = here.offset
                                 ? (last - first) * here.row_bytes()
                                 : here.stored_bytes * (last - first) / std::max<std::uint64_t>(1, file.samples);
        const auto begin = Clock::now();
        for (; left > 0;) {
          const auto want = std::min(left, piece);
          const auto got =
              pread(fd.get(), memory.data() + bytes % (memory.size() - piece + 1), want, static_cast<off_t>(offset));
          if (got <= 0) break;
          offset += static_cast<std::uint64_t>(got);
          left -= static_cast<std::uint64_t>(got);
          bytes += static_cast<std::uint64_t>(got);
        }
        seconds += seconds_since(begin);
      }
    }
  }
  return seconds;
}

}  // namespace headrace::commands::bench
