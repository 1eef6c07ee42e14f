#include "commands/premix/file_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "commands/premix/funnel.hpp"
#include "commands/writing/place.hpp"
#include "formats/chunked.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::premix {

namespace {

namespace fs = std::filesystem;
using formats::EncodedBlock;
using By = config::Compression::How;
constexpr std::uint64_t contiguous_block = 4, chunked_block = 16;  // chunks' worth of all datasets together
constexpr std::uint64_t most_block_rows = 1 << 20;

h5::codecs::Method method_of(By how) {
  switch (how) {
    case By::none:
      return h5::codecs::Method::none;
    case By::gzip:
      return h5::codecs::Method::gzip;
    case By::lzf:
      return h5::codecs::Method::lzf;
    case By::lz4:
      return h5::codecs::Method::lz4;
    case By::zstd:
      return h5::codecs::Method::zstd;
  }
  return h5::codecs::Method::none;
}

std::string old_of(const std::string& part) {
  return part + ".old";
}

/// Takes the room now where the file system can, so that it is not gone later.
void reserve(const std::string& part) {
  const ipc::Fd file(::open(part.c_str(), O_RDWR | O_CLOEXEC));
  require(static_cast<bool>(file), errno_text("cannot write " + part, errno));
  const auto size = lseek(file.get(), 0, SEEK_END);
  if (size > 0 && fallocate(file.get(), 0, 0, size) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    throw Error(errno_text("cannot write " + part, errno));
}

std::string joined(const std::vector<std::uint64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, " "));
}

std::vector<std::uint64_t> parted(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; in >> number;) numbers.push_back(number);
  return numbers;
}

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

std::uint64_t block_rows_of(const Layout& layout, const config::PremixConfig& config) {
  const auto bytes = config.chunk * (config.compression.how == By::none ? contiguous_block : chunked_block);
  const auto rows = bytes / std::max<std::uint64_t>(1, layout.row_bytes());
  return std::bit_floor(std::clamp<std::uint64_t>(rows, 1, most_block_rows));
}

FileWriter::FileWriter(const mpi::Comm& writers, Job job, Layout layout)
    : writers_(writers),
      job_(std::move(job)),
      layout_(std::move(layout)),
      part_(formats::part_of(job_.path)),
      blocks_(writing::blocks_of(job_.first, job_.samples, job_.block_rows)) {
  if (chunked())
    encodings_ = formats::chunk_tables(layout_.tables, method_of(job_.compression.how), job_.compression.level,
                                       job_.chunk, job_.block_rows);
}

FileWriter::~FileWriter() = default;

void FileWriter::prepare(const formats::Facts& facts, bool resume) {
  mpi::together(writers_, [&] {
    if (!is_first()) return;
    if (resume) return take_up();
    fs::remove(old_of(part_));
    formats::remove_journal(old_of(part_));
    formats::remove_journal(part_);
    make();
    formats::write_facts(part_, facts);
  });
  std::vector<std::uint64_t> finished;
  for (const auto& [number, entry] : done_) finished.push_back(number);
  for (const auto number : parted(writers_.bcast(joined(finished)))) done_.try_emplace(number);
  offsets_ = parted(writers_.bcast(joined(offsets_)));
  for (const auto& block : blocks_)
    if (done_.count(block.number) != 0) rows_before_ += block.rows;
}

void FileWriter::make() {
  auto file = std::make_unique<h5::NewFile>(part_, datasets(), all_attributes());
  if (chunked()) {
    file_ = std::move(file);
    return;
  }
  offsets_ = file->offsets();
  file->close();
  reserve(part_);
}

void FileWriter::take_up() {
  if (chunked()) {
    // What HDF5 knew of the chunks died with the earlier run: they are copied. One that died while it copied has left
    // the older file whole.
    if (!fs::exists(old_of(part_))) {
      fs::rename(part_, old_of(part_));
      formats::move_journal(part_, old_of(part_));
    } else {
      formats::remove_journal(part_);
    }
    make();
    return copy_blocks();
  }
  restore();
  done_ = formats::read_blocks(part_);
}

void FileWriter::restore() {
  // A run that died while it completed the file has left it in between. All but the rows is put back as it was made.
  const auto fresh = part_ + ".new";
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

std::vector<h5::NewDataset> FileWriter::datasets() const {
  std::vector<h5::NewDataset> all;
  for (const auto& table : layout_.tables) all.push_back(table.dataset);
  return all;
}

std::vector<h5::NewAttribute> FileWriter::all_attributes() const {
  auto all = job_.attributes;
  all.insert(all.end(), layout_.attributes.begin(), layout_.attributes.end());
  return all;
}

void FileWriter::copy_blocks() {
  const auto old = old_of(part_);
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

void FileWriter::put(const EncodedBlock& encoded) {
  const auto& block = blocks_[encoded.entry.block];
  const auto entry = formats::put(*file_, layout_.tables, block.first - job_.first, block.rows, encoded);
  done_[block.number] = entry;
  log_->add(entry);
  uncommitted_ += encoded.bytes.size();
  if (pace_.is_due(uncommitted_)) commit_chunks();
}

void FileWriter::commit_chunks() {
  formats::sync_file(part_);
  log_->commit();
  uncommitted_ = 0;
  pace_.done();
}

std::vector<writing::Block> FileWriter::share() const {
  std::vector<writing::Block> left, mine;
  for (const auto& block : blocks_)
    if (done_.count(block.number) == 0) left.push_back(block);
  const auto me = static_cast<std::size_t>(writers_.rank()), all = static_cast<std::size_t>(writers_.size());
  if (chunked()) {  // in turn, so that they come in order
    for (auto i = me; i < left.size(); i += all) mine.push_back(left[i]);
  } else {  // neighbours stay together
    mine.assign(left.begin() + static_cast<std::ptrdiff_t>(left.size() * me / all),
                left.begin() + static_cast<std::ptrdiff_t>(left.size() * (me + 1) / all));
  }
  return mine;
}

std::exception_ptr FileWriter::write_contiguous(writing::Session& session, std::uint64_t& written) {
  const auto& rows = session.rows();
  log_ = std::make_unique<formats::BlockLog>(part_, static_cast<std::uint32_t>(writers_.rank()));
  formats::ContiguousFile file(part_, layout_.tables, rows.schema(), offsets_, *log_);
  writing::BlockRun run(session.staging(), rows, share(), false,
                        [&](const writing::Block& block, const writing::Buffer& buffer) {
                          file.write(block.number, block.first - job_.first, block.rows, buffer.fields);
                        });
  session.run(run);
  written = run.rows_done();
  auto failure = run.failure();
  try {
    file.commit();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  return failure;
}

std::exception_ptr FileWriter::write_chunked(writing::Session& session, std::uint64_t& written) {
  const auto& rows = session.rows();
  std::vector<std::uint64_t> left;
  for (const auto& block : blocks_)
    if (done_.count(block.number) == 0) left.push_back(block.number);
  if (is_first() && !log_) log_ = std::make_unique<formats::BlockLog>(part_, 0);
  writing::BlockRun* running = nullptr;
  Funnel funnel(
      writers_, left, [&](const EncodedBlock& block) { put(block); }, [&] { running->release(); });
  writing::BlockRun run(session.staging(), rows, share(), true,
                        [&](const writing::Block& block, const writing::Buffer& buffer) {
                          funnel.add(formats::encode(block.number, block.first - job_.first, block.rows, layout_.tables,
                                                     encodings_, rows.schema(), buffer.fields));
                        });
  running = &run;
  session.run(run, [&] {
    const bool over = funnel.pump(run.finished());
    if (funnel.told_to_stop()) run.stop();
    return over;
  });
  auto failure = run.failure() ? run.failure() : funnel.failure();
  if (is_first()) {
    written = 0;
    for (const auto number : left)
      if (done_.count(number) != 0) written += blocks_[number].rows;
    try {
      commit_chunks();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  return failure;
}

bool FileWriter::write(writing::Session& session) {
  std::uint64_t written = 0;
  std::exception_ptr failure;
  try {
    failure = chunked() ? write_chunked(session, written) : write_contiguous(session, written);
  } catch (...) {
    failure = std::current_exception();
  }
  if (writers_.size() > 1) session.wait_for_all();
  const auto rows = rows_done_ = rows_before_ + writers_.sum(written);
  // What is there is worth keeping where there was no room; where values do not fit, another configuration must come.
  const auto [failed, kept] = [&] {
    bool room = false;
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const formats::WriteFailed&) {
      room = true;
    } catch (...) {
    }
    return std::pair{writers_.sum(std::uint64_t{failure ? 1u : 0u}), writers_.sum(std::uint64_t{room ? 1u : 0u})};
  }();
  if (failed > 0 && kept == 0) abandon();
  mpi::together(writers_, [&] {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const formats::WriteFailed& error) {
      throw Error(fmt::format("{}; {} of {} samples are written: make room and go on with --resume", error.what(), rows,
                              job_.samples));
    }
  });
  return rows == job_.samples;
}

void FileWriter::finish(const std::vector<h5::NewAttribute>& late) {
  mpi::together(writers_, [&] {
    if (!is_first()) return;
    log_.reset();
    auto sums = nlohmann::json::array();
    for (const auto& [number, entry] : formats::read_blocks(part_)) sums.push_back(entry.crc);
    require(sums.size() == blocks_.size(), fmt::format("{} has {} of {} blocks in its journal; go on with --resume",
                                                       part_, sums.size(), blocks_.size()));
    if (!file_) file_ = std::make_unique<h5::NewFile>(part_, datasets());
    const nlohmann::json checksums{{"crc32c", sums}, {"rows", job_.block_rows}};
    for (const auto& attribute : late) file_->add(attribute);
    file_->add({"/", "checksums", checksums.dump()});
    file_->add({"/", "complete", std::int64_t{1}});
    file_->close();
    file_.reset();
    formats::sync_file(part_);
    fs::rename(part_, job_.path);
    formats::sync_folder_of(job_.path);
    formats::remove_journal(part_);
  });
}

void FileWriter::discard() {
  if (done_.empty() && rows_done_ == 0) abandon();
}

void FileWriter::abandon() {
  file_.reset();
  log_.reset();
  take_away();
}

void FileWriter::unlink() const {
  if (rows_before_ == 0) take_away();
}

void FileWriter::take_away() const {
  if (!is_first()) return;
  std::error_code gone;
  fs::remove(part_, gone);
  fs::remove(part_ + ".new", gone);
  formats::remove_journal(part_);
}

}  // namespace headrace::commands::premix
