#include "service/delivery/memory_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::service::delivery {

namespace {
constexpr std::uint64_t page_bytes = 4096;
static_assert(std::atomic<std::int64_t>::is_always_lock_free);  // processes share it
}  // namespace

ipc::Fd MemoryWatch::make_page(std::uint64_t to_come) {
  auto fd = ipc::make_memfd("headrace-to-come", page_bytes);
  const auto page = ipc::Mapping::map(fd, page_bytes);
  new (page.data()) std::atomic<std::int64_t>(narrow<std::int64_t>(to_come));
  return fd;
}

MemoryWatch::MemoryWatch(const ipc::Fd& page, Setup setup)
    : setup_(std::move(setup)), page_(ipc::Mapping::map(page, page_bytes)) {}

std::atomic<std::int64_t>& MemoryWatch::to_come() const {
  return *std::launder(reinterpret_cast<std::atomic<std::int64_t>*>(page_.data()));
}

void MemoryWatch::before_taking(std::uint64_t bytes) {
  const auto piece = narrow<std::int64_t>(bytes);
  to_come().fetch_sub(piece, std::memory_order_relaxed);  // relaxed: a sum, and nothing else hangs on it
  Lock lock(mutex_);
  if (const auto now = Clock::now(); why_.empty() && now >= next_look_) {
    next_look_ = now + setup_.every;
    lock.unlock();  // others take on meanwhile
    auto why = look(bytes);
    lock.lock();
    if (why_.empty()) why_ = std::move(why);
  }
  if (why_.empty()) return;
  to_come().fetch_add(piece, std::memory_order_relaxed);  // it is not taken; relaxed: as above
  throw Error(why_);
}

void MemoryWatch::at_end() {
  const Lock lock(mutex_);
  if (why_.empty()) why_ = look(0);
  require(why_.empty(), why_);
}

std::string MemoryWatch::look(std::uint64_t mine) const {
  // In this order: what others take in between counts as available still, and not as to come any more.
  const auto limit = setup_.available();
  const auto others = to_come().load(std::memory_order_relaxed);  // relaxed: see before_taking()
  // Below zero at the end: rings are made of whole pages, and reckoned without.
  const auto still = static_cast<std::uint64_t>(std::max<std::int64_t>(0, others)) + mine;
  const auto needed = still + setup_.beside;
  if (limit.available >= needed) return "";
  return fmt::format(
      "too little memory on {} by now: {} are still to be taken for samples and rings, and {} kept for buffers, but {} "
      "allows {}, {} too little (it was enough when this start began to take it, so somebody else took some meanwhile: "
      "another service that starts, trainers, another job; or the kernel's own tables of so much memory); start again "
      "when that is through, or {}",
      setup_.host, format_bytes(still), format_bytes(setup_.beside), limit.by, format_bytes(limit.available),
      format_bytes(needed - limit.available), setup_.way_out);
}

}  // namespace headrace::service::delivery
