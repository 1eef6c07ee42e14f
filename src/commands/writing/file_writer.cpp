#include "commands/writing/file_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "commands/writing/funnel.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/verify.hpp"
#include "formats/chunked.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::writing {

namespace {

namespace fs = std::filesystem;
using formats::EncodedBlock;
using By = config::Compression::How;

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

}  // namespace

FileWriter::FileWriter(const mpi::Comm& writers, Job job, Layout layout)
    : writers_(writers),
      job_(std::move(job)),
      layout_(std::move(layout)),
      part_(formats::part_of(job_.path)),
      blocks_(blocks_of(job_.first, job_.samples, job_.block_rows)) {
  if (chunked())
    encodings_ = formats::chunk_tables(layout_.tables, method_of(job_.compression.how), job_.compression.level,
                                       job_.chunk, job_.block_rows);
}

FileWriter::~FileWriter() = default;

void FileWriter::prepare(const formats::Facts& facts, bool resume) {
  made_ = !resume;
  resume ? go_on(facts) : begin_anew(facts);
  std::vector<std::uint64_t> finished;
  for (const auto& [number, entry] : done_) finished.push_back(number);
  for (const auto number : parted(writers_.bcast(joined(finished)))) done_.try_emplace(number);
  offsets_ = parted(writers_.bcast(joined(offsets_)));
  for (const auto& block : blocks_)
    if (done_.count(block.number) != 0) rows_before_ += block.rows;
}

void FileWriter::begin_anew(const formats::Facts& facts) {
  mpi::together(writers_, [&] {
    if (!is_first()) return;
    for (const auto& left : {part_, old_part()}) fs::remove(left);  // a link would be followed
    formats::remove_journal(old_part());
    formats::remove_journal(part_);
    try {
      make();
    } catch (const formats::WriteFailed& error) {
      throw Error(fmt::format("{}; see that there is room, and {}", error.what(),
                              job_.one_of_several ? "go on with --resume" : "try again"));
    }
    formats::write_facts(part_, facts);
    // Here, where all agree on what fails: later the others would wait for the first.
    if (chunked()) log_ = std::make_unique<formats::BlockLog>(part_, 0);
  });
}

void FileWriter::make() try {
  auto file = std::make_unique<h5::NewFile>(part_, datasets(), all_attributes());
  if (chunked()) {
    file_ = std::move(file);
    return;
  }
  offsets_ = file->offsets();
  file->close();
  reserve(part_);
} catch (const Error& error) {
  throw formats::WriteFailed(error.what());
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

std::vector<Block> FileWriter::share() const {
  std::vector<Block> left, mine;
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

std::exception_ptr FileWriter::write_contiguous(BlockSource& source, std::uint64_t& written) {
  log_ = std::make_unique<formats::BlockLog>(part_, static_cast<std::uint32_t>(writers_.rank()));
  formats::ContiguousFile file(part_, layout_.tables, source.schema(), offsets_, *log_);
  auto failure = source.run(
      share(),
      [&](const Block& block, std::span<const std::byte* const> fields) {
        file.write(block.number, block.first - job_.first, block.rows, fields);
        if (watcher_) watcher_(block, fields);
      },
      written);
  try {
    file.commit();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  return failure;
}

std::exception_ptr FileWriter::write_chunked(Session& session, std::uint64_t& written) {
  const auto& rows = session.rows();
  std::vector<std::uint64_t> left;
  for (const auto& block : blocks_)
    if (done_.count(block.number) == 0) left.push_back(block.number);
  BlockRun* running = nullptr;
  Funnel funnel(
      writers_, left, [&](const EncodedBlock& block) { put(block); }, [&] { running->release(); });
  const auto encode = [&](const Block& block, const Buffer& buffer) {
    funnel.add(formats::encode(block.number, block.first - job_.first, block.rows, layout_.tables, encodings_,
                               rows.schema(), buffer.fields));
    if (watcher_) watcher_(block, buffer.fields);
  };
  // Together: whoever has no memory for its buffers would be waited for.
  const auto run = mpi::together(
      writers_, [&] { return std::make_unique<BlockRun>(session.staging(), rows, share(), true, encode); });
  running = run.get();
  session.run(*run, [&] {
    const bool over = funnel.pump(run->finished());
    if (funnel.told_to_stop()) run->stop();
    return over;
  });
  auto failure = run->failure() ? run->failure() : funnel.failure();
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

bool FileWriter::write(Session& session) {
  if (!chunked()) {
    SessionBlocks source(session);
    return write(source);
  }
  std::uint64_t written = 0;
  std::exception_ptr failure;
  try {
    failure = write_chunked(session, written);
  } catch (...) {
    failure = std::current_exception();
  }
  if (writers_.size() > 1) session.wait_for_all();
  return conclude(failure, written);
}

bool FileWriter::write(BlockSource& source) {
  EXPECTS(!chunked());
  std::uint64_t written = 0;
  std::exception_ptr failure;
  try {
    failure = write_contiguous(source, written);
  } catch (...) {
    failure = std::current_exception();
  }
  if (writers_.size() > 1) source.wait_for_all(failure != nullptr);
  return conclude(failure, written);
}

bool FileWriter::conclude(const std::exception_ptr& failure, std::uint64_t written) {
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
  const bool keep = job_.keep && rows > 0;
  const auto progress =
      fmt::format("{} of {} samples{} are written", rows, job_.samples, job_.one_of_several ? " of this file" : "");
  if (failed > 0 && kept == 0 && !keep && rows_before_ == 0) abandon();
  mpi::together(writers_, [&] {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const formats::WriteFailed& error) {
      throw Error(fmt::format("{}; {}: make room and go on with --resume", error.what(), progress));
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      if (!keep) throw;
      throw Error(fmt::format("{}; {}: mend it and go on with --resume", error.what(), progress));
    }
  });
  return rows == job_.samples;
}

void FileWriter::finish(const std::vector<h5::NewAttribute>& late, const std::vector<LateTexts>& texts) {
  mpi::together(writers_, [&] {
    if (!is_first()) return;
    log_.reset();
    auto sums = nlohmann::json::array();
    for (const auto& [number, entry] : formats::read_blocks(part_)) sums.push_back(entry.crc);
    require(sums.size() == blocks_.size(), fmt::format("{} has {} of {} blocks in its journal; go on with --resume",
                                                       part_, sums.size(), blocks_.size()));
    nlohmann::json checksums{{"crc32c", sums}, {"rows", job_.block_rows}};
    try {
      complete(checksums, late, texts);
    } catch (const Error& error) {
      throw Error(fmt::format("{}; all samples{} are written: see that there is room, and go on with --resume",
                              error.what(), job_.one_of_several ? " of this file" : ""));
    }
    fs::rename(part_, job_.path);
    formats::sync_folder_of(job_.path);
    formats::remove_journal(part_);
  });
}

void FileWriter::complete(nlohmann::json& checksums, const std::vector<h5::NewAttribute>& late,
                          const std::vector<LateTexts>& texts) {
  if (!file_) file_ = std::make_unique<h5::NewFile>(part_, datasets());
  for (const auto& [path, text] : texts) {
    std::uint32_t crc = 0;
    file_->add_texts(path, job_.samples, [&, &text = text](std::uint64_t row) {
      auto one = text(row);
      crc = crc_of_text(one, crc);
      return one;
    });
    checksums["texts"][path] = crc;
  }
  for (const auto& attribute : late) file_->add(attribute);
  file_->add({"/", "checksums", checksums.dump()});
  file_->add({"/", "complete", std::int64_t{1}});
  file_->close();
  file_.reset();
  formats::sync_file(part_);
}

void FileWriter::discard() {
  if (made_ && done_.empty() && rows_done_ == 0) abandon();
}

void FileWriter::abandon() {
  file_.reset();
  log_.reset();
  take_away();
}

void FileWriter::unlink() const {
  if (made_ && rows_before_ == 0) take_away();
}

void FileWriter::take_away() const {
  if (!is_first()) return;
  std::error_code gone;
  fs::remove(part_, gone);
  fs::remove(part_ + ".new", gone);
  formats::remove_journal(part_);
}

}  // namespace headrace::commands::writing
