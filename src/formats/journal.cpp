#include "formats/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/printable.hpp"
#include "base/user_file.hpp"
#include "ipc/own_files.hpp"

namespace headrace::formats {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t text_shown = 200;

std::string facts_path(const std::string& part) {
  return part + ".json";
}

std::string log_prefix(const std::string& part) {
  return part + ".blocks.";
}

/// The files in its folder whose names are wanted.
template <class Wanted>
std::vector<std::string> files_beside(const std::string& part, const Wanted& wanted) {
  std::vector<std::string> found;
  auto folder = fs::path(part).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code unread;
  for (const auto& entry : fs::directory_iterator(folder, unread))
    if (wanted(entry.path().filename().string())) found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

/// The logs of all stagers.
std::vector<std::string> logs_of(const std::string& part) {
  const auto prefix = fs::path(log_prefix(part)).filename().string();
  return files_beside(part, [&](const std::string& name) { return name.starts_with(prefix); });
}

std::string text_of(const BlockEntry& entry) {
  auto line = fmt::format("{} {:08x}", entry.block, entry.crc);
  for (const auto& chunk : entry.chunks) line += fmt::format(" {} {} {}", chunk.offset, chunk.bytes, chunk.skipped);
  return line + " ;\n";
}

/// Nothing where the line says something else.
std::optional<BlockEntry> parse(const std::string& line) {
  std::istringstream in(line);
  BlockEntry entry;
  if (!(in >> entry.block >> std::hex >> entry.crc >> std::dec)) return std::nullopt;
  StoredChunk chunk;
  std::string end;
  while (in >> std::ws && in.peek() != ';') {
    if (!(in >> chunk.offset >> chunk.bytes >> chunk.skipped)) return std::nullopt;
    entry.chunks.push_back(chunk);
  }
  if (!(in >> end) || end != ";") return std::nullopt;  // cut off
  return entry;
}

/// JSON takes no bytes that are no UTF-8, as a name in a file system may have: they are written out, so that they are
/// compared like all others.
Facts as_text(const Facts& facts) {
  const auto text = [](const std::string& bytes) { return is_text(bytes) ? bytes : printable(bytes); };
  Facts all;
  for (const auto& [key, value] : facts) all[text(key)] = text(value);
  return all;
}

/// What is in its way may be mended: nothing is wrong with what is written.
ipc::Fd open_log(const std::string& path) try { return ipc::open_to_append(path, path); } catch (const Error& error) {
  throw WriteFailed(error.what());
}

std::string shortened(const std::string& text) {
  return text.size() <= text_shown ? text : text.substr(0, text_shown - 3) + "...";
}

}  // namespace

std::string part_of(const std::string& path) {
  return path + ".part";
}

BlockLog::BlockLog(const std::string& part, std::uint32_t stager)
    : path_(log_prefix(part) + std::to_string(stager)), file_(open_log(path_)) {
  text_ = "\n";  // what was cut off before stays a line of its own
}

void BlockLog::add(const BlockEntry& entry) {
  text_ += text_of(entry);
  ++pending_;
}

void BlockLog::commit() {
  if (pending_ == 0) return;
  for (std::size_t done = 0; done < text_.size();) {
    const auto written = ::write(file_.get(), text_.data() + done, text_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const auto why = errno_text("cannot write " + path_, errno);
      if (done > 0) text_.insert(0, 1, '\n');  // what is cut off stays a line of its own
      throw WriteFailed(why);
    }
    done += static_cast<std::size_t>(written);
  }
  const bool there = fdatasync(file_.get()) == 0 || errno == EINVAL;  // some file systems know no such thing
  if (!there) throw WriteFailed(errno_text("cannot write " + path_, errno));
  text_.clear();
  pending_ = 0;
}

bool has_journal(const std::string& part) {
  return fs::exists(facts_path(part));
}

void write_facts(const std::string& part, const Facts& facts) {
  ipc::write_whole(facts_path(part), nlohmann::json(as_text(facts)).dump(1) + "\n");
}

Facts read_facts(const std::string& part) {
  std::string why;
  Facts facts;
  const auto there = nlohmann::json::parse(read_file_of_user(facts_path(part), why).value_or(""), nullptr, false);
  if (!there.is_object()) return facts;
  for (const auto& [key, value] : there.items())
    if (value.is_string()) facts[key] = value.get<std::string>();
  return facts;
}

void require_same_facts(const std::string& part, const Facts& now) {
  const auto facts = as_text(now);
  std::string why;
  const auto text = read_file_of_user(facts_path(part), why);
  require(text.has_value(), fmt::format("there is nothing to resume: {} cannot be read ({}); run without --resume",
                                        facts_path(part), why));
  const auto there = nlohmann::json::parse(*text, nullptr, false);
  require(there.is_object(), fmt::format("{} is damaged; run with --force instead of --resume", facts_path(part)));
  const auto compare = [&](const std::string& key, const std::string& before, const std::string& value) {
    if (before == value || key.starts_with('@')) return;
    throw UsageError(fmt::format(
        "{} was begun with another configuration ({} = {}, now {}); set that again, or begin anew with --force", part,
        key, shortened(before.empty() ? "unset" : before), shortened(value.empty() ? "unset" : value)));
  };
  for (const auto& [key, value] : facts) compare(key, there.value(key, std::string()), value);
  // A fact that is no more says as much: a field that is gone leaves the others at other places.
  for (const auto& [key, before] : there.items())
    if (facts.count(key) == 0) compare(key, before.is_string() ? before.get<std::string>() : before.dump(), "");
}

std::map<std::uint64_t, BlockEntry> read_blocks(const std::string& part) {
  std::map<std::uint64_t, BlockEntry> all;
  for (const auto& path : logs_of(part)) {
    std::string why;
    const auto text = read_file_of_user(path, why);
    require(text.has_value(), fmt::format("cannot read {} ({})", path, why));
    std::size_t from = 0;
    for (auto end = text->find('\n'); end != std::string::npos; from = end + 1, end = text->find('\n', from))
      if (const auto entry = parse(text->substr(from, end - from))) all[entry->block] = *entry;
  }
  return all;
}

void remove_journal(const std::string& part) {
  const auto prefix = fs::path(log_prefix(part)).filename().string();
  const auto facts = fs::path(facts_path(part)).filename().string();
  const auto all = files_beside(part, [&](const std::string& name) {
    return name.starts_with(prefix) || ipc::drafted(name) == facts;  // drafts: of runs that were killed
  });
  std::error_code gone;
  for (const auto& path : all) fs::remove(path, gone);
  fs::remove(facts_path(part), gone);
}

void move_journal(const std::string& part, const std::string& to) {
  for (const auto& path : logs_of(part)) {
    const auto name = fs::path(log_prefix(part)).filename().string().size();
    fs::rename(path, log_prefix(to) + fs::path(path).filename().string().substr(name));
  }
  move_facts(part, to);
}

void move_facts(const std::string& part, const std::string& to) {
  if (fs::exists(facts_path(part))) fs::rename(facts_path(part), facts_path(to));
}

}  // namespace headrace::formats
