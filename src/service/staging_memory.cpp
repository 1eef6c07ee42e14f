// The part of the staging that is about memory: whether there is enough, and taking it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "mpi/agree.hpp"
#include "service/delivery/memory_watch.hpp"
#include "service/scratch_disk.hpp"
#include "service/staging.hpp"
#include "service/window_memory.hpp"

namespace headrace::service {

namespace {

/// Of each stager of a node between two looks at the memory while it is taken: at that node, ten looks a second.
constexpr std::chrono::milliseconds looks_of_a_node{100};
/// What is to be left for buffers when everything else is taken is this part of them: the system's figures waver, and
/// its own tables of so much memory are in no need of ours.
constexpr std::uint64_t part_of_buffers = 2;

std::string ways_to_need_less(Purpose purpose) {
  return purpose == Purpose::files
             ? "use more nodes, leave fields out, or write parts of the samples (select) one after the other"
             : "use more nodes, select fewer samples or fields, or lower slots or batch";
}

}  // namespace

blueprint::MemoryLimit Staging::look_again(const MemoryLook& first) {
  const auto own = blueprint::own_memory();
  buffers_taken_ = std::min(need(topology_.here()).buffers, topology_.node.sum(own - std::min(own, first.own)));
  auto now = blueprint::available_memory();
  now.available += buffers_taken_;
  return now;
}

void Staging::check_memory(const blueprint::MemoryLimit& first, const blueprint::MemoryLimit& now) {
  mpi::together(topology_.all, [&] {
    const auto what = need(topology_.here());
    const bool own_limit = config_.memory > 0 && config_.memory < now.available;
    const auto allowed = own_limit ? config_.memory : now.available;
    const bool was_enough = !own_limit && what.total() <= first.available;
    require(
        what.total() <= allowed,
        fmt::format(
            "too little memory on {}: samples {}, rings of {} trainer{} {}, buffers {} make {}, but {} allows {}{}; "
            "{}{}",
            topology_.here().host, format_bytes(what.store), config_.trainers_per_node,
            config_.trainers_per_node == 1 ? "" : "s", format_bytes(what.rings), format_bytes(what.buffers),
            format_bytes(what.total()), own_limit ? "the option memory" : now.by, format_bytes(allowed),
            was_enough ? fmt::format(" by now (somebody else took some meanwhile: {} were there when this start began)",
                                     format_bytes(first.available))
                       : "",
            (was_enough ? "start again when that is through, or " : "") + ways_to_need_less(purpose_),
            way_out_by_windows(config_, *blueprint_, topology_.here()) +
                way_out_by_disk(config_, *blueprint_, topology_.here())));
  });
}

void Staging::make_store() {
  store::Layout layout(blueprint_->schema, blueprint_->rows_in_memory_of(topology_.here()));
  auto memfd = mpi::together(topology_.all,
                             [&] { return topology_.is_leader() ? store::NodeStore::create(layout) : ipc::Fd(); });
  store_ = mpi::together(topology_.all, [&] {
    return std::make_unique<store::NodeStore>(host_->share(std::move(memfd)), std::move(layout));
  });
  if (blueprint_->on_disk()) store_->add_scratch(make_scratch(config_, *blueprint_, topology_, *host_));
}

std::unique_ptr<delivery::MemoryWatch> Staging::make_memory_watch() {
  const auto what = need(topology_.here());
  auto page = mpi::together(topology_.all, [&] {
    return topology_.is_leader() ? delivery::MemoryWatch::make_page(what.store + what.rings) : ipc::Fd();
  });
  return mpi::together(topology_.all, [&] {
    return std::make_unique<delivery::MemoryWatch>(
        host_->share(std::move(page)),
        delivery::MemoryWatch::Setup{
            .host = topology_.here().host,
            .beside = (what.buffers - std::min(what.buffers, buffers_taken_)) / part_of_buffers,
            .way_out = ways_to_need_less(purpose_),
            .every = looks_of_a_node * topology_.here().stagers,
            .available = [] { return blueprint::available_memory(); }});
  });
}

void Staging::reserve() {
  const auto begin = Clock::now();
  host_->loading("reserving memory", -1);
  make_store();
  const auto watch = make_memory_watch();
  mpi::together(topology_.all, [&] {
    const auto tell = [&](std::uint64_t bytes) { watch->before_taking(bytes); };
    store_->reserve(topology_.local(), threads_, tell);
    rings_ = std::make_unique<delivery::Rings>(config_, *blueprint_, topology_, threads_, tell);
    watch->at_end();
  });
  reserve_seconds_ = seconds_since(begin);
}

}  // namespace headrace::service
