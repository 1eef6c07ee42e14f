// Waits whose length is ours to choose, not the user's: fixed, but for tests, which have less time, or more. Any thread.
#pragma once

#include <chrono>

namespace headrace {

/// The wait, or the seconds in this variable of the environment. One that holds no number from 0 to a day counts for
/// nothing.
std::chrono::milliseconds wait_of(const char* variable, std::chrono::milliseconds usual);

}  // namespace headrace
