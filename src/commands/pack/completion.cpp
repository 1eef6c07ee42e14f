#include "commands/pack/completion.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/user_file.hpp"
#include "commands/pack/provenance.hpp"
#include "commands/writing/muster.hpp"
#include "commands/writing/place.hpp"
#include "ipc/own_files.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::pack {

namespace fs = std::filesystem;

namespace {

/// Whether pack wrote it: what somebody else put there stays.
bool is_list(const std::string& path) {
  std::string why;
  const auto text = read_file_of_user(path, why);
  if (!text) return false;
  const auto header = text->substr(0, text->find('\n'));
  const auto comma = header.rfind(',');
  return comma != std::string::npos && inventory::is_why_column(std::string_view(header).substr(comma + 1));
}

}  // namespace

writing::Layout layout_of(const Schema& schema, std::uint64_t samples) {
  writing::require_writable(schema);
  auto layout = writing::plain_layout({}, schema, samples);
  writing::require_distinct(layout.tables);
  return layout;
}

Completion::Completion(const mpi::Comm& all, const inventory::Inventory& inventory, const Schema& schema,
                       writing::Job job, formats::Facts facts, writing::FileWriter& writer)
    : all_(all),
      inventory_(inventory),
      schema_(schema),
      job_(std::move(job)),
      facts_(std::move(facts)),
      writer_(writer),
      part_(formats::part_of(job_.path)),
      kept_(part_ + ".kept") {}

void Completion::remove_kept() const {
  std::error_code gone;
  fs::remove(formats::part_of(kept_), gone);
  fs::remove(kept_, gone);
  formats::remove_journal(formats::part_of(kept_));
}

h5::NewAttribute Completion::left_out(std::uint64_t rows) const {
  return {"/", "left_out", static_cast<std::int64_t>(inventory_.left_out.size() + rows)};
}

writing::LateTexts Completion::ids(const KeptRows* kept) const {
  return {ids_path, [this, kept](std::uint64_t row) {
            return std::string(inventory_.table.id(kept != nullptr ? kept->origin(row) : row));
          }};
}

std::uint64_t Completion::run() {
  const auto failed = mpi::together(all_, [&] { return is_first() ? read_failures(part_) : FailedRows(); });
  const auto tell = [&] {
    mpi::together(all_, [&] {
      if (is_first()) list(failed);
    });
  };
  const auto lost = all_.max(static_cast<std::uint64_t>(failed.size()));
  if (lost == job_.samples) {
    tell();
    writer_.abandon();
    throw Error(fmt::format("no sample's file could be read, so that nothing is written; {}{} says why", job_.path,
                            inventory::failed_suffix));
  }
  // The list is there before the file that it is of: nothing else would tell of a run that is killed in between. That of
  // a file that stood here before goes last.
  if (lost > 0) {
    finish_without(failed);
    return lost;
  }
  const bool lacks = !inventory_.left_out.empty();
  if (lacks) tell();
  writer_.finish({left_out(0)}, {ids(nullptr)});
  if (!lacks) tell();
  return lost;
}

void Completion::finish_without(const FailedRows& failed) {
  writing::Muster muster(all_);
  std::exception_ptr failure;
  try {
    if (is_first()) move_together(failed);
  } catch (...) {
    failure = std::current_exception();
  }
  if (all_.size() > 1)
    muster.wait(failure != nullptr, [this] { return formats::read_blocks(formats::part_of(kept_)).size(); });
  mpi::agree(all_, failure);
}

void Completion::move_together(const FailedRows& failed) {
  const auto alone = mpi::Comm::self();
  auto job = job_;
  job.path = kept_;
  job.one_of_several = true;
  job.samples -= failed.size();
  const auto layout = layout_of(schema_, job.samples);
  writing::require_room(kept_, job.samples * layout.row_bytes(), writing::allocated(formats::part_of(kept_)));
  std::vector<std::uint64_t> without;
  for (const auto& [row, why] : failed) without.push_back(row);
  KeptRows rows(part_, writer_, schema_, std::move(without));
  writing::FileWriter writer(alone, job, layout);
  writer.prepare(facts_, false);
  writer.write(rows);
  writer.finish({left_out(failed.size())}, {ids(&rows)});
  list(failed);
  fs::rename(kept_, job_.path);
  formats::sync_folder_of(job_.path);
  writer_.abandon();
  remove_failures(part_);
}

void Completion::list(const FailedRows& failed) const {
  const auto lost = failed.size() + inventory_.left_out.size();
  const auto path = job_.path + inventory::failed_suffix;
  if (lost == 0) {
    std::error_code gone;
    if (is_list(path)) fs::remove(path, gone);  // of a file that stood here before
    return;
  }
  ipc::write_whole(path, text_of(inventory_, failed));
  log::warn("{} sample{} left out; {} lists {}, and why{}", lost, lost == 1 ? " is" : "s are", path,
            lost == 1 ? "it" : "them", beside_the_table(path) ? "" : " (to try again, put it beside the table)");
}

void Completion::require_no_input() const {
  std::error_code unknown;
  const auto list = job_.path + inventory::failed_suffix;
  writing::require_regular(list);
  if (fs::equivalent(list, inventory_.settings.csv, unknown))
    throw UsageError(
        fmt::format("'{}' is the table that is read (it would be lost: it is where samples are listed that "
                    "the file lacks); name another file than '{}'",
                    list, job_.path));
}

/// Paths of files are relative to the folder of their table.
bool Completion::beside_the_table(const std::string& path) const {
  if (inventory_.path.is_url() || fs::path(inventory_.settings.path).is_absolute()) return true;
  const auto folder_of = [](const std::string& file) { return fs::absolute(file).parent_path(); };
  std::error_code unknown;
  return fs::equivalent(folder_of(path), folder_of(inventory_.settings.csv), unknown);
}

}  // namespace headrace::commands::pack
