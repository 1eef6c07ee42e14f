// What `headrace pack` is told beside its configuration. Plain values.
#pragma once

#include <string>

namespace headrace::commands::pack {

struct Options {
  std::string output;
  bool force = false, resume = false, verify = false;
};

}  // namespace headrace::commands::pack
