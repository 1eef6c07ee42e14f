// Memory that processes of one node share: memfds and their mappings; and that of one process alone. No state; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ipc/fd.hpp"

namespace headrace::ipc {

constexpr std::uint64_t huge_page = 2 << 20;  ///< of x86 and of most ARM machines; mappings are aligned for it

/// A memfd of that size, nothing reserved yet. The name shows in /proc/PID/maps only.
Fd make_memfd(const std::string& name, std::uint64_t bytes);
/// Bytes of a memfd or file.
std::uint64_t size_of_file(const Fd& fd);
/// From now on nobody can change the size, so that no peer can make our accesses fault; nor add or lift seals.
void seal(const Fd& fd);
/// The same, and nobody can write any more but through maps that are there already: neither whoever gets the descriptor
/// nor whoever opens it anew. Error where the kernel cannot do that (before Linux 5.1).
void seal_against_writers(const Fd& fd);
/// Throws Error unless the peer's memfd is sealed as by seal().
void require_sealed(const Fd& fd);
/// The memfd opened once more, for a peer: from then on held_by_others() sees whoever has it, its maps and what it
/// passed on included. A plain duplicate where the system does not allow that.
Fd open_for_peer(const Fd& memfd);
/// The same to read only.
Fd open_for_reader(const Fd& memfd);
/// Whether anybody could write into the memfd through what open_for_peer() gave away: a descriptor, also one under way
/// in a socket, or a mapping, in whatever process. Nothing where the kernel cannot tell. For our own memfds.
std::optional<bool> held_by_others(const Fd& memfd);
/// A memfd that holds the text, sealed: nobody can change size or contents any more, the maker included.
Fd make_memfd_of(const std::string& name, std::string_view text);
/// What is in a peer's memfd, which must be sealed as by seal(). Others that read it are not disturbed.
std::string text_of_memfd(const Fd& fd);

/// A shared mapping of a file, or memory of this process alone; unmapped at the end of its life.
class Mapping {
 public:
  Mapping() = default;
  /// bytes > 0; offset is a multiple of the page size.
  static Mapping map(const Fd& fd, std::uint64_t bytes, std::uint64_t offset = 0, bool writable = true);
  /// Memory that nobody shares, of zeros; bytes > 0. Nothing is taken before it is touched (reserve.hpp).
  static Mapping own(std::uint64_t bytes);
  /// Takes over a mapping that was made elsewhere.
  static Mapping adopt(std::span<std::byte> memory) noexcept;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { unmap(); }

  std::byte* data() const noexcept { return data_; }
  std::uint64_t size() const noexcept { return size_; }
  std::span<std::byte> span() const noexcept { return {data_, size_}; }
  /// A forked child will not have it: neither a writer more, nor pages that stay alive with the child.
  void dont_fork();
  struct Part {
    std::uint64_t offset = 0, bytes = 0;  ///< whole pages
  };
  /// Replaces each part (ascending, disjoint) by a private copy of what it holds, at the same address and in one step
  /// for whoever reads it meanwhile; unmaps the rest. The copies stay until the process ends. Error if there is no
  /// memory for them: then all stays as it is. The function is called in between: the parts are private by then, and
  /// the rest is still mapped.
  void keep_only(std::span<const Part> parts, const std::function<void()>& before_the_rest_goes = {});
  /// The address range stays mapped until the process ends.
  void leave() noexcept { data_ = nullptr, size_ = 0; }
  void unmap() noexcept;

 private:
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace headrace::ipc
