#include "mpi/lone_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/host_name.hpp"
#include "mpi/temporary_files.hpp"

namespace headrace::mpi {

namespace {

namespace fs = std::filesystem;

/// And machine: a folder that several share need not have locks across them.
std::string name_for_user() {
  return fmt::format("headrace-mpi.{}.{}.", geteuid(), host_name());
}

/// As long as it lives: another folder for temporary files, by all the names that Open MPI looks at.
class Elsewhere {
 public:
  explicit Elsewhere(const std::string& folder) {
    for (auto& [name, before] : names_) {
      if (const char* value = std::getenv(name)) before = value;
      ::setenv(name, folder.c_str(), 1);
    }
  }
  ~Elsewhere() {
    for (const auto& [name, before] : names_) {
      if (before)
        ::setenv(name, before->c_str(), 1);
      else
        ::unsetenv(name);
    }
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  struct Name {
    const char* name;
    std::optional<std::string> before = {};
  };
  std::array<Name, 2> names_{{{"TMPDIR"}, {"OMPI_MCA_orte_tmpdir_base"}}};
};

/// The lock of a folder; -1 where somebody has it, or it is not a folder of this user.
int lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat opened {}, named {};
  if (fd >= 0 && fstat(fd, &opened) == 0 && opened.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
      lstat(path.c_str(), &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
    return fd;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

void LoneFolder::start(const std::function<void()>& start_mpi) {
  make();
  if (path_.empty()) return start_mpi();
  const Elsewhere elsewhere(path_);
  start_mpi();
}

// Between being made and being locked another may take it for one of the dead; then it is gone, and the next one is made.
void LoneFolder::make() {
  const auto temporary = folder_for_temporary_files();
  remove_lone_folders_in(temporary);
  constexpr int most_attempts = 16;
  for (int i = 0; i < most_attempts && lock_ < 0; ++i) {
    auto path = (temporary / (name_for_user() + "XXXXXX")).string();
    if (mkdtemp(path.data()) == nullptr) return;
    lock_ = lock(path);
    if (lock_ >= 0)
      path_ = path;
    else
      rmdir(path.c_str());  // no locks here, or another is just taking it away
  }
}

LoneFolder::~LoneFolder() {
  std::error_code failure;
  if (!path_.empty()) fs::remove_all(path_, failure);
  if (lock_ >= 0) close(lock_);
}

void remove_lone_folders_in(const std::string& temporary) noexcept try {
  std::error_code failure;
  for (fs::directory_iterator entry(temporary, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (!entry->path().filename().string().starts_with(name_for_user())) continue;
    const int dead = lock(entry->path());
    if (dead < 0) continue;
    std::error_code gone;
    fs::remove_all(entry->path(), gone);
    close(dead);
  }
} catch (...) {  // whatever it is, nobody needs it
}

}  // namespace headrace::mpi
