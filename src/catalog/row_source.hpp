// Rows that no HDF5 file holds: whoever makes a catalog may say where else they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace headrace::catalog {

/// Where rows go. place(), accept() and refused() are called by any thread; each row comes once, through one of them.
class RowTaker {
 public:
  virtual ~RowTaker() = default;
  /// dataset: which of those asked for. Where rows may be written straight to; null: hand them to accept().
  virtual std::byte* place(std::size_t dataset, std::uint64_t row, std::uint64_t rows) = 0;
  /// Rows that were written to their place.
  virtual void placed(std::size_t dataset, std::uint64_t row, std::uint64_t rows) = 0;
  virtual void accept(std::size_t dataset, std::uint64_t row, std::uint64_t rows, const std::byte* raw) = 0;
  /// The row is not to be had. Whether the rest goes on without it, in all datasets; else the reason is thrown.
  virtual bool refused(std::uint64_t row, const std::string& why) = 0;
  /// Called now and then by the thread that reads.
  virtual void tell() = 0;
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Rows [row, row + rows) of these datasets. `threads`: that may compute. The thread that owns HDF5. Errors name file,
  /// row and what to do.
  virtual void read(const std::vector<std::string>& datasets, std::uint64_t row, std::uint64_t rows, unsigned threads,
                    RowTaker& taker) const = 0;
  /// Lets go of what was kept for the next read().
  virtual void rest() const {}
  /// Whether this is one of the files that it reads: who writes asks.
  virtual bool reads(const std::string& path) const = 0;
  /// How, for people: "files, 8 at a time".
  virtual std::string how() const = 0;
};

}  // namespace headrace::catalog
