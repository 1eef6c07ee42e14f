// Words by which one service, or one meeting of its stagers, is told from all others.
#pragma once

#include <string>

namespace headrace::job {

/// 16 digits, not to be guessed: of the kernel's own randomness. Any thread.
std::string random_word();

}  // namespace headrace::job
