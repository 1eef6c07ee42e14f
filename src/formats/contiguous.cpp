#include "formats/contiguous.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/crc32c.hpp"
#include "base/error.hpp"
#include "base/wait.hpp"

namespace headrace::formats {

namespace {
constexpr std::uint64_t bytes_per_commit = 256 << 20;
constexpr std::chrono::seconds commit_every{5};
}  // namespace

CommitPace::CommitPace() : every_(wait_of("HEADRACE_WAIT_COMMIT", commit_every)) {}

bool CommitPace::is_due(std::uint64_t bytes) const {
  return bytes >= bytes_per_commit || Clock::now() - last_ >= every_;
}

void write_at(int file, const std::string& path, std::span<const std::byte> bytes, std::uint64_t offset) {
  const auto begin = static_cast<off_t>(offset);
  const auto size = static_cast<off_t>(bytes.size());
  while (!bytes.empty()) {
    const auto written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw WriteFailed(errno_text("cannot write " + path, written < 0 ? errno : ENOSPC));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  // The disk begins at once, so that little is left to wait for when the file is to be safe. A hint: errors come then.
  ::sync_file_range(file, begin, size, SYNC_FILE_RANGE_WRITE);
}

void sync_file(int file, const std::string& path) {
  if (fdatasync(file) != 0) throw WriteFailed(errno_text("cannot write " + path, errno));
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);  // a hint
}

void sync_file(const std::string& path) {
  const ipc::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw WriteFailed(errno_text("cannot write " + path, errno));
  sync_file(file.get(), path);
}

void sync_folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const ipc::Fd file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file) fsync(file.get());  // some file systems know no such thing
}

ContiguousFile::ContiguousFile(const std::string& part, const std::vector<Table>& tables, const Schema& schema,
                               std::vector<std::uint64_t> offsets, BlockLog& log)
    : part_(part),
      tables_(tables),
      schema_(schema),
      offsets_(std::move(offsets)),
      file_(::open(part.c_str(), O_WRONLY | O_CLOEXEC)),
      log_(log) {
  if (!file_) throw WriteFailed(errno_text("cannot write " + part, errno));
}

void ContiguousFile::write(std::uint64_t block, std::uint64_t first, std::size_t rows,
                           std::span<const std::byte* const> fields) {
  thread_local std::vector<std::byte> made;
  BlockEntry entry{block, 0, {}};
  std::uint64_t bytes = 0;
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    const auto& table = tables_[t];
    const auto row = table.dataset.row_bytes();
    const auto* from = fields[table.parts[0].field];
    if (!table.is_copy()) {
      made.resize(rows * row);
      assemble(table, schema_, first, rows, fields, made.data());
      from = made.data();
    }
    const std::span<const std::byte> values(from, rows * row);
    entry.crc = crc32c(values, entry.crc);
    write_at(file_.get(), part_, values, offsets_[t] + first * row);
    bytes += values.size();
  }
  note(entry, bytes);
}

void ContiguousFile::note(const BlockEntry& entry, std::uint64_t bytes) {
  Lock lock(mutex_);
  pending_.push_back(entry);
  pending_bytes_ += bytes;
  if (committing_ || !pace_.is_due(pending_bytes_)) return;
  committing_ = true;
  const auto batch = std::exchange(pending_, {});
  pending_bytes_ = 0;
  lock.unlock();
  std::exception_ptr failure;
  try {
    sync_file(file_.get(), part_);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  committing_ = false;
  pace_.done();
  if (failure) std::rethrow_exception(failure);
  for (const auto& one : batch) log_.add(one);
  log_.commit();
}

void ContiguousFile::commit() {
  sync_file(file_.get(), part_);
  const Lock lock(mutex_);
  for (const auto& one : std::exchange(pending_, {})) log_.add(one);
  log_.commit();
}

}  // namespace headrace::formats
