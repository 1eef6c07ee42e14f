// The border of a collective phase: either every rank goes on, or all leave with the same message.
//
// A rank that throws between collectives leaves the others waiting for ever. So each rank runs its own part of a phase
// without collectives inside, keeps what it threw, and then all agree.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "mpi/comm.hpp"

namespace headrace::mpi {

/// Collective. `mine`: what this rank threw, or null. Returns where no rank failed. Otherwise all ranks throw the same
/// error, that of the lowest failing rank: UsageError stays UsageError, everything else becomes Error. The message
/// names the node where that helps, and counts the other ranks that failed unless all failed alike.
void agree(const Comm& comm, const std::exception_ptr& mine);

/// Collective: runs f here, agrees, and returns what f returned. f must not be collective, unless every rank comes out
/// of it even where one fails inside.
template <class F>
auto together(const Comm& comm, F&& f) {
  using Result = std::invoke_result_t<F>;
  std::exception_ptr mine;
  if constexpr (std::is_void_v<Result>) {
    try {
      std::forward<F>(f)();
    } catch (...) {
      mine = std::current_exception();
    }
    agree(comm, mine);
  } else {
    std::optional<Result> result;
    try {
      result.emplace(std::forward<F>(f)());
    } catch (...) {
      mine = std::current_exception();
    }
    agree(comm, mine);
    return std::move(*result);
  }
}

}  // namespace headrace::mpi
