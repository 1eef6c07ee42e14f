#include "store/scratch_readers.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::store {

namespace {

// Measured: 69 KB rows reach the disk's rate with 4 reads at a time here, 4 KB rows gain up to 64; NVMe disks take as
// many. The stagers of a node share its disk.
constexpr std::size_t reads_of_a_node = 64, most_of_a_stager = 32, least_of_a_stager = 8;

// Rather so many bytes for nothing than one operation more.
constexpr std::uint64_t nearly = 4096;

}  // namespace

unsigned ScratchReaders::threads_for(std::size_t stagers) {
  return static_cast<unsigned>(
      std::clamp(reads_of_a_node / std::max<std::size_t>(1, stagers), least_of_a_stager, most_of_a_stager));
}

ScratchReaders::ScratchReaders(const std::vector<Scratch>& files, unsigned threads,
                               std::function<void(const std::string&)> failed)
    : files_(files), failed_(std::move(failed)), thread_count_(threads) {
  // Signals belong to the thread that waits for them; threads inherit the mask of their maker.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ScratchReaders::stop() {
  std::deque<Read> dropped;
  {
    const Lock lock(mutex_);
    stop_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  threads_.clear();
}

DiskFigures ScratchReaders::figures() const {
  // relaxed: counts for people, of no moment in particular.
  return {reads_.load(std::memory_order_relaxed), bytes_.load(std::memory_order_relaxed)};
}

void ScratchReaders::read(std::size_t file, const WantedRows& wanted, std::function<void()> came) {
  EXPECTS(file < files_.size() && !wanted.rows.empty());
  const auto call = std::make_shared<Call>();
  call->from = &files_[file];
  call->rows.assign(wanted.rows.begin(), wanted.rows.end());
  for (auto& row : call->rows) row -= wanted.first_row;
  call->places.assign(wanted.places.begin(), wanted.places.end());
  call->fields.assign(wanted.fields.begin(), wanted.fields.end());
  call->came = std::move(came);
  auto reads = cut(call);
  // relaxed: the queue's lock hands it over.
  call->left.store(reads.size(), std::memory_order_relaxed);
  const auto count = reads.size();
  {
    const Lock lock(mutex_);
    if (stop_) return;
    for (auto& one : reads) queue_.push_back(std::move(one));
  }
  if (count >= thread_count_)
    wake_.notify_all();
  else
    for (std::size_t i = 0; i < count; ++i) wake_.notify_one();
}

std::vector<ScratchReaders::Read> ScratchReaders::cut(const std::shared_ptr<Call>& call) {
  const auto& [file, records] = *call->from;
  const auto& rows = call->rows;
  std::vector<Read> reads;
  for (std::size_t i = 0; i < rows.size();) {
    EXPECTS(rows[i] < records.rows());
    Read read{call, i, i + 1, records.at(rows[i]), records.at(rows[i]) + records.bytes()};
    while (read.last < rows.size()) {
      const auto next = records.at(rows[read.last]);
      if (next > read.end + nearly || next + records.bytes() > read.begin + most_read) break;
      read.end = std::max(read.end, next + records.bytes());
      ++read.last;
    }
    i = read.last;
    // Larger than a bounce buffer: only ever a single record.
    for (; read.end - read.begin > most_read; read.begin += most_read)
      reads.push_back({call, read.first, read.last, read.begin, read.begin + most_read});
    reads.push_back(std::move(read));
  }
  return reads;
}

void ScratchReaders::work() {
  pthread_setname_np(pthread_self(), "scratch");  // `top -H` tells who is busy
  const AlignedBuffer bounce(bytes_a_thread);
  Lock lock(mutex_);
  for (;;) {
    while (!stop_ && queue_.empty()) wake_.wait(lock);
    if (stop_) return;
    auto read = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    run(read, bounce.span());
    read = {};  // what it holds goes before the next wait
    lock.lock();
  }
}

void ScratchReaders::run(const Read& read, std::span<std::byte> bounce) {
  try {
    scatter(read, read.call->from->file.read(read.begin, read.end, bounce));
  } catch (const Error& error) {
    if (!told_.exchange(true, std::memory_order_relaxed)) failed_(error.what());  // relaxed: who is first, no more
    return;
  }
  // relaxed: counts for people.
  reads_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(read.end - read.begin, std::memory_order_relaxed);
  // Release and acquire in one: whoever is last has seen the rows of all others.
  if (read.call->left.fetch_sub(1, std::memory_order_acq_rel) == 1) read.call->came();
}

void ScratchReaders::scatter(const Read& read, const std::byte* bytes) {
  const auto& call = *read.call;
  const auto& records = call.from->records;
  const auto& fields = records.fields();
  for (auto i = read.first; i < read.last; ++i) {
    const auto place = call.places.empty() ? i : call.places[i];
    const auto record = records.at(call.rows[i]);
    for (std::size_t f = 0; f + 1 < fields.size(); ++f) {
      const auto row_bytes = fields[f + 1] - fields[f];
      const auto begin = std::max(read.begin, record + fields[f]), end = std::min(read.end, record + fields[f + 1]);
      if (begin >= end) continue;
      std::memcpy(call.fields[f] + place * row_bytes + (begin - record - fields[f]), bytes + (begin - read.begin),
                  end - begin);
    }
  }
}

}  // namespace headrace::store
