// What commands that write are told beside their configuration, and the flags it stands in. Plain values.
#pragma once

#include <string>

#include "config/command_line.hpp"

namespace headrace::commands::writing {

struct Orders {
  std::string output, stream;
  bool force = false, resume = false, verify = false;
};

inline const config::Flag of_stream{"stream", 0, "NAME", "train, or the only one", "which stream is written"};
inline const config::Flag force{"force", 0, "", "", "replace the file, and what is left of an earlier run"};
inline const config::Flag resume{"resume", 0, "", "", "go on where an earlier run ended"};
inline const config::Flag read_again{"verify", 0, "", "",
                                     "read the file again and compare its checksums; of one that is there, only that"};

/// output: the command's own flag. missing: what is wrong without it; empty: it may be left out.
Orders orders_of(const config::Arguments& arguments, const config::Flag& output, const std::string& missing,
                 config::Mistakes& mistakes);

}  // namespace headrace::commands::writing
