// What an inventory is to be. A plain value.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "fetch/settings.hpp"

namespace headrace::inventory {

struct Settings {
  std::string csv, id = "id", path;   ///< path: with {COLUMN}; "": no files are wanted
  bool skip_missing = false;          ///< samples whose file is not there are left out
  unsigned readers = 0, workers = 0;  ///< 0: as many as seem good
  std::string python = "python3";
  std::chrono::milliseconds decoder_timeout{60'000};  ///< without an answer
  fetch::Settings fetch{};
  std::string checksum{};             ///< a column; "": none
  std::vector<std::string> decoders;  ///< of the arrays that are wanted, each once
};

}  // namespace headrace::inventory
