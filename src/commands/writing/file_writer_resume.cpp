// FileWriter: a file that an earlier run began.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "commands/writing/file_writer.hpp"
#include "commands/writing/muster.hpp"
#include "commands/writing/place.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::writing {

namespace {

namespace fs = std::filesystem;
using formats::EncodedBlock;

EncodedBlock read_back(int file, const std::string& path, const formats::BlockEntry& entry) {
  EncodedBlock block{entry, {}};
  for (const auto& chunk : entry.chunks) {
    const auto from = block.bytes.size();
    block.bytes.resize(from + chunk.bytes);
    for (std::uint64_t done = 0; done < chunk.bytes;) {
      const auto got =
          ::pread(file, block.bytes.data() + from + done, chunk.bytes - done, static_cast<off_t>(chunk.offset + done));
      if (got < 0 && errno == EINTR) continue;
      require(got > 0, fmt::format("cannot read {} ({}); begin anew with --force", path,
                                   got < 0 ? errno_text("read", errno) : "it is cut off"));
      done += static_cast<std::uint64_t>(got);
    }
  }
  return block;
}

}  // namespace

/// Chunks may be copied for longer than patience lasts: the others wait for as long as the file grows.
void FileWriter::go_on(const formats::Facts& facts) {
  Muster muster(writers_);
  std::exception_ptr failure;
  try {
    if (is_first()) take_up(facts);
  } catch (...) {
    failure = std::current_exception();
  }
  muster.wait(failure != nullptr, [this] { return allocated(part_); });
  mpi::agree(writers_, failure);
}

void FileWriter::take_up(const formats::Facts& facts) {
  const auto begun = chunked() && fs::exists(old_part()) ? old_part() : part_;
  require(fs::is_regular_file(fs::symlink_status(begun)),
          fmt::format("'{0}' is gone, or no file, and its journal ({0}.json) is there; put it back and go on with "
                      "--resume, or begin anew with --force",
                      begun));
  if (chunked()) {
    // What HDF5 knew of the chunks died with the earlier run: they are copied. One that died while it copied has left
    // the older file whole. The journal goes first: wherever this ends, file and journal find each other.
    if (!fs::exists(old_part())) {
      formats::move_journal(part_, old_part());
      fs::rename(part_, old_part());
    } else {
      formats::remove_journal(part_);
    }
    // One that died when it had copied all but for taking the older file away had moved them.
    if (!formats::has_journal(old_part())) formats::write_facts(old_part(), facts);
    try {
      make();
      return copy_blocks();
    } catch (const formats::WriteFailed& error) {
      throw Error(fmt::format("{}; it is copied before it goes on: make room for another {}, and go on with --resume",
                              error.what(), format_bytes(fs::file_size(old_part()))));
    }
  }
  restore();
  done_ = formats::read_blocks(part_);
}

void FileWriter::restore() {
  // A run that died while it completed the file has left it in between. All but the rows is put back as it was made.
  const auto fresh = part_ + ".new";
  fs::remove(fresh);  // a link would be followed
  {
    h5::NewFile file(fresh, datasets(), all_attributes());
    offsets_ = file.offsets();
    file.close();
  }
  const auto size = fs::file_size(fresh);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> rows;
  for (std::size_t t = 0; t < layout_.tables.size(); ++t)
    rows.emplace_back(offsets_[t], offsets_[t] + job_.samples * layout_.tables[t].dataset.row_bytes());
  rows.emplace_back(size, size);
  std::sort(rows.begin(), rows.end());
  const ipc::Fd from(::open(fresh.c_str(), O_RDONLY | O_CLOEXEC)), to(::open(part_.c_str(), O_WRONLY | O_CLOEXEC));
  require(static_cast<bool>(from) && static_cast<bool>(to), errno_text("cannot write " + part_, errno));
  std::uint64_t at = 0;
  for (const auto& [begin, end] : rows) {
    if (begin > at) {
      const auto between = read_back(from.get(), fresh, {0, 0, {{at, begin - at, 0}}}).bytes;
      formats::write_at(to.get(), part_, between, at);
    }
    at = std::max(at, end);
  }
  require(ftruncate(to.get(), static_cast<off_t>(size)) == 0, errno_text("cannot write " + part_, errno));
  fs::remove(fresh);
}

void FileWriter::copy_blocks() {
  const auto old = old_part();
  const auto before = formats::read_blocks(old);
  const ipc::Fd from(::open(old.c_str(), O_RDONLY | O_CLOEXEC));
  require(static_cast<bool>(from), errno_text("cannot read " + old, errno));
  log_ = std::make_unique<formats::BlockLog>(part_, 0);
  for (const auto& block : blocks_) {
    const auto entry = before.find(block.number);
    if (entry == before.end()) break;
    put(read_back(from.get(), old, entry->second));
  }
  commit_chunks();
  formats::move_facts(old, part_);
  fs::remove(old);
  formats::remove_journal(old);
}

}  // namespace headrace::commands::writing
