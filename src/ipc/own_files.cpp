#include "ipc/own_files.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/error.hpp"

namespace headrace::ipc {

namespace {

namespace fs = std::filesystem;

const char* kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO or pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device";
}

[[noreturn]] void refuse(const std::string& what, const char* kind) {
  throw UsageError(what + " is " + kind + ", not a regular file; name another");
}

/// Where a link leads to. The link is that very one that was looked at, whatever is at its place by now.
std::string target_of(const Fd& link, const std::string& path, const std::string& what) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlinkat(link.get(), "", target.data(), target.size() - 1);
  require(length > 0, errno_text(what + " cannot be followed", errno));
  const fs::path to(target.data());
  return to.is_absolute() ? to.string() : (fs::path(path).parent_path() / to).string();
}

constexpr std::size_t random_digits = 16;
constexpr std::string_view draft_ending = ".part";

std::string random_name() {
  std::uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) throw_errno("getrandom");
  std::array<char, random_digits + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, number);
  return digits.data();
}

}  // namespace

Fd open_to_append(const std::string& path, const std::string& what) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) refuse(what, kind_of(info.st_mode));
  auto at = path;
  constexpr int most_links = 20;
  for (int links = 0; links < most_links; ++links) {
    const Fd there(open(at.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!there || fstat(there.get(), &info) != 0 || !S_ISLNK(info.st_mode)) break;
    if (info.st_uid != geteuid() && info.st_uid != 0)
      throw UsageError(what + " leads over a link of another user (uid " + std::to_string(info.st_uid) + "), '" + at +
                       "'; name another file");
    at = target_of(there, at, what);
  }
  Fd file(open(at.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644));
  require(static_cast<bool>(file), errno_text(what + " cannot be written", errno));
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) refuse(what, kind_of(info.st_mode));
  return file;
}

void require_replaceable(const std::string& path, const std::string& what) {
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) refuse(what, kind_of(info.st_mode));
  const auto folder = fs::absolute(path).parent_path();
  require(access(folder.c_str(), W_OK) == 0, errno_text(what + " cannot be written", errno));
}

Draft::Draft(std::string path) : path_(std::move(path)) {
  name_ = path_ + "." + random_name() + std::string(draft_ending);
  file_ = Fd(open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file_) return;
  const auto why = errno_text("open", errno);
  name_.clear();
  throw Error(why);
}

Draft::~Draft() {
  if (!name_.empty()) ::unlink(name_.c_str());
}

void Draft::write(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(file_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno("write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Draft::sync() {
  if (fdatasync(file_.get()) != 0 && errno != EINVAL) throw_errno("fdatasync");  // some file systems know no such thing
}

void Draft::put_in_place() {
  // Some file systems say only now that there was no room.
  if (::close(file_.release()) != 0) throw_errno("close");
  if (std::rename(name_.c_str(), path_.c_str()) != 0) throw_errno("rename");
  name_.clear();
}

void write_whole(const std::string& path, std::string_view text) {
  try {
    Draft draft(path);
    draft.write(text);
    draft.sync();
    draft.put_in_place();
  } catch (const Error& error) {
    throw Error("cannot write " + path + " (" + error.what() +
                "); see that there is room, and that its folder may be written");
  }
}

std::optional<std::string> drafted(const std::string& name) {
  constexpr auto behind = 1 + random_digits + draft_ending.size();
  if (name.size() <= behind || !name.ends_with(draft_ending)) return std::nullopt;
  const auto dot = name.size() - behind;
  const auto digits = name.substr(dot + 1, random_digits);
  if (name[dot] != '.' || digits.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return name.substr(0, dot);
}

}  // namespace headrace::ipc
