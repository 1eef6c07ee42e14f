// Memory that is there before it is used: no surprise later, and no page fault while a trainer waits. No state; any
// thread.
//
//   memfd     | 2 MB            | 2 MB            | 2 MB       |
//   taken        ^ small pages  |   one huge page |  small ^
//                offset                       offset + bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "ipc/fd.hpp"

namespace headrace::ipc {

/// Called before each piece of memory is taken (32 MB at most), with its bytes; all together they are those that are
/// reserved. By any of the threads, also by several at once. Who throws, throws from then on: that ends the reserving,
/// and comes out of it when no thread takes any more.
using BeforeTaking = std::function<void(std::uint64_t bytes)>;

/// Takes the memory of `memory`, which maps the memfd from `offset` (in whole pages) on, and faults it in for writing
/// with that many threads. What it holds stays. Error that names the size if there is too little.
///
/// In huge pages where the kernel has them (Linux 6.1, whatever its shmem_enabled says; else as that allows): rows of
/// 512 B at random are then delivered at 1.4 times the rate (jobs/peers.py), and the memory is there sooner, too.
void reserve(const Fd& fd, std::uint64_t offset, std::span<std::byte> memory, unsigned threads,
             const BeforeTaking& tell = {});

/// Faults in memory that nobody shares (Mapping::own), in huge pages at a fault each where the kernel has them. No
/// Error: who has too little is killed, so callers reckon first.
void reserve_own(std::span<std::byte> memory, unsigned threads, const BeforeTaking& tell = {});

}  // namespace headrace::ipc
