// A file on a disk of this node that has no name, so that nothing is left of it however the service ends: it goes with
// the last process that has it open. Its room is taken when it is made.
//
// It is read and written around the page cache (O_DIRECT), which would only take the memory that rows need: offsets and
// lengths are multiples of alignment() then, memory is aligned to pages. Where the file system cannot do that, through
// the cache, which is emptied behind.
//
// All functions from any thread, for parts that do not overlap where one writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "ipc/fd.hpp"

namespace headrace::store {

/// Memory for direct reads and writes, aligned to pages.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::uint64_t bytes);
  std::span<std::byte> span() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::uint64_t size_ = 0;
};

class ScratchFile {
 public:
  static constexpr std::uint64_t most_alignment = 4096;
  /// What a buffer must hold so that read() can bring so many bytes, wherever they begin.
  static constexpr std::uint64_t room_for(std::uint64_t bytes) { return bytes + 3 * most_alignment; }

  /// A new file of that many bytes in the folder. Error that says what is missing: the folder, the room, the right.
  static ScratchFile create(const std::string& folder, std::uint64_t bytes);
  /// A file that create() made, here or in another process of this node. folder: for messages.
  ScratchFile(ipc::Fd fd, std::string folder);

  /// Writes whole pages at a multiple of a page.
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  /// After the last write, before the first read.
  void written() const;
  /// Reads [begin, end) by way of the buffer, and says where in it `begin` is. Error that names the folder.
  const std::byte* read(std::uint64_t begin, std::uint64_t end, std::span<std::byte> buffer) const;

  bool direct() const { return direct_; }
  std::uint64_t alignment() const { return alignment_; }
  std::uint64_t bytes() const { return bytes_; }
  const ipc::Fd& fd() const { return fd_; }

 private:
  [[noreturn]] void fail(const char* what, int error) const;

  ipc::Fd fd_;
  std::string folder_;
  bool direct_ = false;
  std::uint64_t alignment_ = 1, bytes_ = 0;
};

}  // namespace headrace::store
