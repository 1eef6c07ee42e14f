// What `headrace premix` is told beside its configuration. Plain values.
#pragma once

#include <string>

namespace headrace::commands::premix {

struct Options {
  std::string output, stream;
  bool force = false, resume = false, verify = false;
};

}  // namespace headrace::commands::premix
