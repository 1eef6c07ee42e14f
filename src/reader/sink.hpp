// Where rows go that were read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.hpp"

namespace headrace::reader {

/// What a sink throws where rows cannot be what they should be: passed on as it is.
class SinkError : public Error {
 public:
  using Error::Error;
};

/// Of a row that is not to be had, and why; whether the load goes on without it. Any thread.
using Refused = std::function<bool(std::uint64_t sample, const std::string& why)>;

/// Where rows go. Both functions are called from several threads at once, for ranges of rows that do not overlap; each
/// row of what was asked for comes exactly once, either through place() or through accept(). The rows of one call are
/// all of one file.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Where the file's bytes of these rows may be written straight to; null: hand them to accept() instead. A pure
  /// question, that may be asked more than once: it does not say that the rows have come.
  virtual std::byte* place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) = 0;
  /// Rows as they are in the file, valid during the call.
  virtual void accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) = 0;
};

}  // namespace headrace::reader
