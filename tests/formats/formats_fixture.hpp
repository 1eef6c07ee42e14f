// A folder of its own for each test.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace headrace::formats {

struct FormatsFixture {
  FormatsFixture() { std::filesystem::create_directories(folder); }
  ~FormatsFixture() { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("headrace-formats-" + std::to_string(getpid()));
};

}  // namespace headrace::formats
