// Errors that a user, a file or a peer can cause. They read "what is wrong (why); what to do".
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// A failure with a message for the user. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user asked for something that makes no sense (flag, key, value). Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Throws Error(message) unless the condition holds. Always on.
inline void require(bool condition, const std::string& message) {
  if (!condition) [[unlikely]]
    throw Error(message);
}

/// "open: No such file or directory" for a failed system call.
[[noreturn]] void throw_errno(std::string_view call);
std::string errno_text(std::string_view call, int error);

/// The candidate nearest to name by edit distance, or "" if none is near enough to be meant.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// "; did you mean 'batch'? (available: batch, epochs, seed)": the tail of a message about an unknown name.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

/// "a, b, c": names in a message; of many the first ones, "and 12 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace headrace
