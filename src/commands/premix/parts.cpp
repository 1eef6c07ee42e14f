#include "commands/premix/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"
#include "commands/premix/layouts.hpp"
#include "commands/premix/moments.hpp"
#include "commands/premix/old_parts.hpp"
#include "commands/writing/facts.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/verify.hpp"
#include "ipc/own_files.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::premix {

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t contiguous_block = 4, chunked_block = 16;  // chunks' worth of all datasets together
constexpr std::uint64_t most_block_rows = 1 << 20;
constexpr const char* dictionaries[] = {"norm_dict.yaml", "class_dict.yaml"};

/// Nothing where there is no such file.
std::optional<std::string> first_line(const std::string& path) {
  std::string why;
  const auto text = read_file_of_user(path, why);
  return text ? std::optional(text->substr(0, text->find('\n'))) : std::nullopt;
}

/// Rows of a block of such rows: a power of two, so that chunks fill blocks.
std::uint64_t block_rows_of(const writing::Layout& layout, const config::PremixConfig& config) {
  const bool contiguous = config.compression.how == config::Compression::How::none;
  const auto bytes = config.chunk * (contiguous ? contiguous_block : chunked_block);
  const auto rows = bytes / std::max<std::uint64_t>(1, layout.row_bytes());
  return std::bit_floor(std::clamp<std::uint64_t>(rows, 1, most_block_rows));
}

}  // namespace

Parts::Parts(const mpi::Comm& all, const config::OutputConfig& config, std::string path, Schema schema,
             std::uint64_t samples, std::vector<h5::NewAttribute> attributes)
    : all_(all),
      alone_(mpi::Comm::self()),
      config_(config),
      path_(std::move(path)),
      part_(formats::part_of(path_)),
      schema_(std::move(schema)),
      samples_(samples),
      attributes_(std::move(attributes)) {
  if (const auto name = fs::path(path_).filename().string(); several() && !is_text(name))
    throw UsageError(fmt::format("'{}' is no UTF-8, and the file that joins those of premix.file-samples names them in "
                                 "it; name another file",
                                 printable(name)));
  const auto layout = layout_of(config_, schema_, samples_);
  row_bytes_ = layout.row_bytes();
  block_rows_ = block_rows_of(layout, config_.premix);
  std::string names;
  for (const auto& table : layout.tables) names += (names.empty() ? "" : "\n") + table.dataset.path;
  attributes_.push_back({"/", "datasets", names});
  if (several()) parts_ = (samples_ + config_.premix.file_samples - 1) / config_.premix.file_samples;
  finished_.resize(parts_);
  if (config_.premix.layout == config::FileLayout::ftag) moments_ = std::make_unique<Moments>(layout, schema_);
}

Parts::~Parts() = default;

std::string Parts::part_path(std::uint64_t number) const {
  constexpr std::size_t usual_digits = 4;
  const auto digits = std::max(usual_digits, std::to_string(parts_).size());
  const fs::path whole(path_);
  return (whole.parent_path() /
          fmt::format("{}.{:0{}}{}", whole.stem().string(), number + 1, digits, whole.extension().string()))
      .string();
}

std::vector<std::string> Parts::paths() const {
  std::vector<std::string> all{path_};
  for (std::uint64_t number = 0; several() && number < parts_; ++number) all.push_back(part_path(number));
  for (const auto& name : stale()) all.push_back(beside(path_, name));
  return all;
}

void Parts::find_old() {
  old_ = old_parts_of(path_);
}

std::vector<std::string> Parts::stale() const {
  std::set<std::string> left(old_.begin(), old_.end());
  for (std::uint64_t number = 0; several() && number < parts_; ++number)
    left.erase(fs::path(part_path(number)).filename().string());
  return {left.begin(), left.end()};
}

/// Whoever goes on with this run, or begins anew, knows from the journal what may be left of it.
void Parts::remember_parts() {
  auto names = stale();
  for (std::uint64_t number = 0; several() && number < parts_; ++number)
    names.push_back(fs::path(part_path(number)).filename().string());
  if (!names.empty()) facts_[parts_fact] = text_of_parts(names);
}

void Parts::remove_stale() const {
  if (const auto removed = remove_parts(path_, stale()); removed > 0)
    log::info("{} file{} of an earlier run {} beside {}, which joins {} no more, and {} taken away", removed,
              removed == 1 ? "" : "s", removed == 1 ? "was" : "were", path_, removed == 1 ? "it" : "them",
              removed == 1 ? "is" : "are");
}

/// Of those that are replaced one after another it would join some that are old and some that are new, and tell nobody.
void Parts::take_away_old_master() const {
  if (rows_before_ == samples_ || parts_joined_by(path_).empty()) return;
  fs::remove(path_);
  formats::sync_folder_of(path_);
}

std::uint64_t Parts::rows_of_part(std::uint64_t number) const {
  const auto most = config_.premix.file_samples;
  return std::min(most, samples_ - number * most);
}

std::unique_ptr<writing::FileWriter> Parts::writer_of(const mpi::Comm& writers, const std::string& path,
                                                      std::uint64_t first, std::uint64_t rows) const {
  writing::Job job{.path = path,
                   .first = first,
                   .samples = rows,
                   .compression = config_.premix.compression,
                   .chunk = config_.premix.chunk,
                   .block_rows = block_rows_,
                   .attributes = attributes_,
                   .one_of_several = several()};
  if (several()) {
    job.attributes.push_back({"/", writing::run_attribute, run_});
    job.attributes.push_back({"/", writing::first_row_attribute, static_cast<std::int64_t>(first)});
  }
  auto writer = std::make_unique<writing::FileWriter>(writers, std::move(job), layout_of(config_, schema_, rows));
  if (moments_)
    writer->watch([this](const writing::Block& block, std::span<const std::byte* const> fields) {
      moments_->add(block, fields);
    });
  return writer;
}

std::vector<writing::Block> Parts::blocks() const {
  std::vector<writing::Block> all;
  for (std::uint64_t number = 0; number < parts_; ++number) {
    const auto first = number * config_.premix.file_samples;
    const auto part = writing::blocks_of(first, several() ? rows_of_part(number) : samples_, block_rows_);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void Parts::prepare(formats::Facts facts, bool resume, bool force) {
  facts_ = std::move(facts);
  force_ = force;
  facts_["rows of a block"] = std::to_string(block_rows_);
  run_ = writing::fingerprint_of(facts_);
  remember_parts();
  mpi::together(all_, [&] {
    if (all_.rank() != 0) return;
    if (resume) formats::require_same_facts(formats::has_journal(part_) ? part_ : part_ + ".old", facts_);
    if (moments_) require_own_dictionaries();
    if (config_.premix.compression.how == config::Compression::How::none)
      writing::require_room(path_, bytes(), bytes_there(resume));
  });
  if (several()) return prepare_several(resume, force);
  writer_ = writer_of(all_, path_, 0, samples_);
  writer_->prepare(facts_, resume);
  rows_before_ = rows_done_ = writer_->rows_before();
}

std::uint64_t Parts::bytes_there(bool resume) const {
  auto bytes = writing::allocated(part_);
  // Only of a resumed run: those that --force replaces stand beside their successors until these are whole.
  for (std::uint64_t number = 0; resume && several() && number < parts_; ++number)
    bytes += writing::allocated(part_path(number)) + writing::allocated(formats::part_of(part_path(number)));
  return bytes;
}

void Parts::prepare_several(bool resume, bool force) {
  // The journal of the whole has a line for each file that is finished.
  mpi::together(all_, [&] {
    if (all_.rank() != 0) return;
    for (std::uint64_t number = 0; number < parts_ && !resume; ++number) {
      const auto path = part_path(number);
      writing::require_regular(path);
      if (force) continue;
      if (fs::exists(path))
        throw UsageError(fmt::format("'{}' exists (it would be lost); name another file, or give --force", path));
      writing::require_nobodys(formats::part_of(path));
    }
    if (resume) return;
    formats::remove_journal(part_);
    made_ = true;
    formats::write_facts(part_, facts_);
  });
  const auto found = all_.bcast(mpi::together(all_, [&] {
    std::string there(parts_, 'n');
    if (all_.rank() == 0 && resume)
      for (const auto& [number, entry] : formats::read_blocks(part_))
        if (number < parts_ && writing::is_part(part_path(number), run_, number * config_.premix.file_samples))
          there[number] = 'y';
    return there;
  }));
  for (std::uint64_t number = 0; number < parts_; ++number) {
    finished_[number] = found[number] == 'y';
    if (finished_[number]) rows_before_ += rows_of_part(number);
  }
  rows_done_ = rows_before_;
}

bool Parts::write(writing::Session& session) {
  if (several()) return write_several(session);
  const bool complete = writer_->write(session);
  rows_done_ = writer_->rows_done();
  return complete;
}

bool Parts::write_several(writing::Session& session) {
  mpi::together(all_, [&] {
    if (all_.rank() == 0) take_away_old_master();
  });
  auto facts = facts_;
  facts.erase(parts_fact);  // of all: the journal of each need not have it
  std::exception_ptr failure;
  std::uint64_t rows = 0;
  try {
    formats::BlockLog log(part_, static_cast<std::uint32_t>(all_.rank()));
    std::uint64_t turn = 0;
    for (std::uint64_t number = 0; number < parts_; ++number) {
      if (finished_[number] || turn++ % session.topology().stagers() != session.topology().me()) continue;
      if (session.stopped()) break;
      const auto writer =
          writer_of(alone_, part_path(number), number * config_.premix.file_samples, rows_of_part(number));
      writer->prepare(facts, false);
      if (!writer->write(session)) {
        writer->abandon();
        break;
      }
      writer->finish({});
      log.add({number, 0, {}});
      log.commit();
      rows += rows_of_part(number);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  session.wait_for_all();
  rows_done_ = rows_before_ + all_.sum(rows);
  mpi::agree(all_, failure);
  return rows_done_ == samples_;
}

void Parts::finish() {
  if (!several()) writer_->finish(late_);
  mpi::together(all_, [&] {
    if (all_.rank() != 0) return;
    several() ? write_master() : remove_stale();
  });
}

void Parts::write_dictionaries(writing::Session& session) {
  if (!moments_) return;
  const auto left = moments_->missing(all_, blocks());
  const std::size_t me = session.topology().me(), all = session.topology().stagers();
  std::vector<writing::Block> mine;
  for (auto i = me; i < left.size(); i += all) mine.push_back(left[i]);
  const auto add = [&](const writing::Block& block, const writing::Buffer& rows) { moments_->add(block, rows.fields); };
  const auto run = mpi::together(all_, [&] {
    return std::make_unique<writing::BlockRun>(session.staging(), session.rows(), std::move(mine), false, add);
  });
  session.run(*run);
  session.wait_for_all();
  mpi::agree(all_, run->failure());
  if (session.any_stopped()) return;
  moments_->collect(all_);
  mpi::together(all_, [&] {
    if (all_.rank() != 0) return;
    late_ = {{"/", "jet_counts", moments_->label_counts()}};
    write_dictionary(dictionaries[0], moments_->norm_yaml());
    write_dictionary(dictionaries[1], moments_->class_yaml());
  });
}

std::string Parts::begin_of_dictionaries() const {
  return "# headrace premix, stream " + facts_.at("stream") + ", file ";
}

std::string Parts::head_of_dictionaries() const {
  return begin_of_dictionaries() + printable(fs::path(path_).filename().string());
}

std::string Parts::path_of_dictionary(const std::string& name) const {
  return (fs::path(path_).parent_path() / name).string();
}

void Parts::require_own_dictionaries() const {
  for (const auto* name : dictionaries) {
    const auto path = path_of_dictionary(name), begin = begin_of_dictionaries();
    writing::require_regular(path);
    const auto head = first_line(path);
    if (force_ || !head || *head == head_of_dictionaries() || !head->starts_with(begin)) continue;
    throw UsageError(
        fmt::format("'{}' is of {} (it would be lost); name a file in another folder, move it away, or "
                    "begin with --force",
                    path, head->substr(begin.size())));
  }
}

void Parts::write_dictionary(const std::string& name, const std::string& text) const {
  const auto path = path_of_dictionary(name);
  const auto head = first_line(path);
  if (head && *head != head_of_dictionaries() && !(force_ && head->starts_with(begin_of_dictionaries()))) {
    log::info("{} is there and stays: it is not that of stream {} in this file", path, facts_.at("stream"));
    return;
  }
  ipc::write_whole(path, head_of_dictionaries() + "\n" + text);
}

void Parts::write_master() const {
  auto names = nlohmann::json::array();
  std::vector<h5::PartFile> parts;
  for (std::uint64_t number = 0; number < parts_; ++number) {
    parts.push_back({fs::path(part_path(number)).filename().string(), rows_of_part(number)});
    names.push_back(parts.back().path);
  }
  const auto layout = layout_of(config_, schema_, samples_);
  std::vector<h5::NewDataset> datasets;
  for (const auto& table : layout.tables) datasets.push_back(table.dataset);
  auto attributes = attributes_;
  attributes.insert(attributes.end(), layout.attributes.begin(), layout.attributes.end());
  attributes.insert(attributes.end(), late_.begin(), late_.end());
  attributes.push_back({"/", writing::run_attribute, run_});
  attributes.push_back({"/", "parts", names.dump()});
  attributes.push_back({"/", "complete", std::int64_t{1}});
  fs::remove(part_);  // a link would be followed
  try {
    h5::write_virtual(part_, datasets, parts, attributes);
    formats::sync_file(part_);
  } catch (const Error& error) {
    throw Error(fmt::format("{}; all samples are written: see that there is room, and go on with --resume",
                            error.what()));
  }
  fs::rename(part_, path_);
  formats::sync_folder_of(path_);
  remove_stale();
  formats::remove_journal(part_);
}

void Parts::unlink() const {
  if (writer_) writer_->unlink();
  if (several() && made_) formats::remove_journal(part_);
}

void Parts::discard() {
  if (writer_) writer_->discard();
  if (several() && made_ && rows_done_ == 0) formats::remove_journal(part_);
}

}  // namespace headrace::commands::premix
