// Every MPI call goes through check(): a failure becomes an Error that carries the call's name. Communicators made here
// have MPI_ERRORS_RETURN set, without which MPI would end the job before we could say why.
#pragma once

#include <mpi.h>

#include <array>
#include <string>

#include "base/error.hpp"

namespace headrace::mpi {

inline std::string error_text(int code) {
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) return "error " + std::to_string(code);
  return {text.data(), static_cast<std::size_t>(length)};
}

/// check(MPI_Barrier(handle), "MPI_Barrier"): throws Error("MPI_Barrier failed (why)").
inline void check(int code, const char* call) {
  if (code != MPI_SUCCESS) [[unlikely]]
    throw Error(std::string(call) + " failed (" + error_text(code) + ")");
}

}  // namespace headrace::mpi
