// The rows of a stream by position: row i of a buffer is position first + i of epoch 0, whichever stager holds it.
// take() from any worker; the rest by anybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/schema.hpp"
#include "plan/epoch_order.hpp"
#include "service/staging.hpp"

namespace headrace::commands::writing {

/// Memory for some rows: all fields of the schema, and their samples' numbers.
struct Buffer {
  std::vector<std::int64_t> index;
  std::vector<const std::byte*> fields;  ///< first row of each

  std::vector<std::byte> memory;
  std::vector<std::byte*> into;
};

/// The fields of the stream; with provenance two more, the number of the file and the row in it.
Schema schema_of(const service::Staging& staging, bool provenance);

class Rows {
 public:
  /// Of the first stream.
  Rows(const service::Staging& staging, bool provenance);

  std::uint64_t size() const { return samples_; }
  const Schema& schema() const { return schema_; }
  Buffer make_buffer(std::size_t rows) const;
  /// Begins to gather. True: they are there, for settle(); false: done() will be called, once, in any thread.
  bool take(std::uint64_t first, std::size_t rows, Buffer& buffer, std::function<void()> done) const;
  /// Adds what no store holds: where gathered rows come from.
  void settle(std::size_t rows, Buffer& buffer) const;

 private:
  const service::Staging& staging_;
  const std::uint64_t samples_;
  Schema schema_;
  std::size_t served_;  ///< fields that come from the store
  std::shared_ptr<const plan::EpochOrder> order_;
};

}  // namespace headrace::commands::writing
