#include "commands/pack/failures.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"
#include "formats/journal.hpp"
#include "inventory/csv.hpp"
#include "ipc/own_files.hpp"

namespace headrace::commands::pack {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view end_of_line = " ;";

std::string list_path(const std::string& part, const std::string& of) {
  return part + ".failed." + of;
}

std::vector<std::string> lists_of(const std::string& part) {
  std::vector<std::string> lists;
  const auto begin = fs::path(list_path(part, "")).filename().string();
  auto folder = fs::path(part).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code unread;
  for (const auto& entry : fs::directory_iterator(folder, unread))
    if (entry.path().filename().string().starts_with(begin)) lists.push_back(entry.path().string());
  return lists;
}

std::string line_of(std::uint64_t row, const std::string& why) {
  return fmt::format("{} {}{}\n", row, why, end_of_line);
}

void parse(std::string_view line, FailedRows& all) {
  std::uint64_t row = 0;
  const auto [rest, status] = std::from_chars(line.data(), line.data() + line.size(), row);
  if (status != std::errc{} || !line.ends_with(end_of_line)) return;
  line.remove_prefix(static_cast<std::size_t>(rest - line.data()));
  line.remove_suffix(end_of_line.size());
  if (line.starts_with(' ')) all[row] = line.substr(1);
}

}  // namespace

Failures::Failures(const std::string& part, std::uint32_t stager)
    : path_(list_path(part, std::to_string(stager))), text_("\n") {}  // what was cut off stays a line of its own

void Failures::note(std::uint64_t row, const std::string& why) {
  const Lock lock(mutex_);
  text_ += line_of(row, printable(why));
}

void Failures::commit() {
  const Lock lock(mutex_);
  if (text_.size() <= 1) return;
  if (!file_) file_ = ipc::open_to_append(path_, path_);
  const auto written = ::write(file_.get(), text_.data(), text_.size());
  if (written != static_cast<ssize_t>(text_.size()) || ::fdatasync(file_.get()) != 0) {
    const auto why = errno_text("cannot write " + path_, written < 0 ? errno : ENOSPC);
    if (written > 0) text_.insert(0, 1, '\n');  // as at the beginning
    throw formats::WriteFailed(why);
  }
  text_.clear();
}

FailedRows read_failures(const std::string& part) {
  FailedRows all;
  for (const auto& path : lists_of(part)) {
    std::string why;
    const auto text = read_file_of_user(path, why);
    require(text.has_value(), fmt::format("cannot read {} ({})", path, why));
    std::size_t from = 0;
    for (auto end = text->find('\n'); end != std::string::npos; from = end + 1, end = text->find('\n', from))
      parse(std::string_view(*text).substr(from, end - from), all);
  }
  return all;
}

void keep_failures(const std::string& part, const std::function<bool(std::uint64_t row)>& stays) {
  const auto lists = lists_of(part);
  if (lists.empty()) return;
  std::string text;
  for (const auto& [row, why] : read_failures(part))
    if (stays(row)) text += line_of(row, why);
  const auto kept = list_path(part, "kept");
  ipc::write_whole(kept, text);
  for (const auto& list : lists)
    if (list != kept) fs::remove(list);
}

void remove_failures(const std::string& part) {
  std::error_code gone;
  for (const auto& list : lists_of(part)) fs::remove(list, gone);
}

std::string text_of(const inventory::Inventory& inventory, const FailedRows& failed) {
  const auto& table = inventory.table;
  const auto line = [](const std::string& values, const std::string& why) {
    return values + "," + inventory::csv_value(why) + "\n";
  };
  const auto last_column = inventory::why_column(table);
  auto text = line(table.header(last_column), last_column);
  for (const auto& sample : inventory.left_out) text += line(sample.line, sample.why);
  for (const auto& [row, why] : failed) text += line(table.line(row, last_column), why);
  return text;
}

}  // namespace headrace::commands::pack
