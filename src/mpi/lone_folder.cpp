#include "mpi/lone_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "mpi/temporary_files.hpp"

namespace headrace::mpi {

namespace {

namespace fs = std::filesystem;

/// Ascending.
std::vector<std::string> session_folders() {
  std::vector<std::string> found;
  std::error_code error;
  const auto end = "." + std::to_string(geteuid());
  for (const auto& top : fs::directory_iterator(folder_for_temporary_files(), error)) {
    const auto name = top.path().filename().string();
    if (!name.starts_with("ompi.") || !name.ends_with(end)) continue;
    for (const auto& job : fs::directory_iterator(top.path() / "jf.0", error)) found.push_back(job.path().string());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

void LoneFolder::look_before() {
  before_ = session_folders();
}

void LoneFolder::look_after() {
  std::ranges::set_difference(session_folders(), before_, std::back_inserter(ours_));
}

void LoneFolder::remove() const noexcept {
  for (const auto& folder : ours_) {
    rmdir(folder.c_str());  // fails where somebody has files in it
    for (auto above = fs::path(folder).parent_path();
         above.filename() == "jf.0" || above.filename().string().starts_with("ompi."); above = above.parent_path())
      rmdir(above.c_str());
  }
}

}  // namespace headrace::mpi
