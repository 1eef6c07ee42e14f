// What decoders in Python are told, and what they answer. Plain values.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace headrace::inventory {

/// What a worker is told of a sample.
struct PythonSample {
  std::size_t row = 0;
  std::string path;
  std::string_view content{};  ///< where it is in no file
  bool in_file = true;
};

struct PythonOptions {
  std::string program = "python3", name;        ///< name: "my_decoders:decode"
  unsigned workers = 0;                         ///< 0: see at_most()
  std::chrono::milliseconds silence{60'000};    ///< after which a worker is given up
  std::chrono::milliseconds starting{600'000};  ///< the same while it starts, and is fitted to the table
};

/// What was made of each: a .npy, or why there is none.
using PythonMade = std::function<void(std::size_t which, std::string_view npy)>;
using PythonFailed = std::function<void(std::size_t which, const std::string& why)>;

}  // namespace headrace::inventory
