// The format of NumPy's .npy files, versions 1 to 3. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "inventory/decoders/form.hpp"

namespace headrace::inventory {

struct NpyHeader {
  Form form;
  bool fortran = false;   ///< the first axis varies fastest
  std::size_t bytes = 0;  ///< of the header: the values stand behind it
};

/// Throws Error: no .npy, objects, texts of Unicode, dates, fewer or more bytes behind it than the values take.
NpyHeader npy_header(std::span<const std::byte> file);

/// The values in C order, as they are stored.
void npy_values(const NpyHeader& header, std::span<const std::byte> file, std::byte* to);

}  // namespace headrace::inventory
