// What becomes of a file's content: an array of the same form for every sample. Decoders know no rows and no places.
//
// form_of(), prefix() and decode() are called by any number of threads at once. Errors say what is wrong with the
// content, beginning with "it": whoever calls knows whose it is.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "inventory/decoders/form.hpp"

namespace headrace::inventory {

using Content = std::span<const std::byte>;

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual Form form_of(Content content) const = 0;
  /// The values, as `form` has them. Throws Error where they are of another form.
  virtual void decode(Content content, const Form& form, std::byte* to) const = 0;
  /// Where files are these bytes and then the values as they are: the bytes. Others may come, which decode() takes.
  virtual std::optional<std::string> prefix(Content) const { return std::nullopt; }
};

/// Throws Error unless both are the same.
void require_form(const Form& found, const Form& expected);

}  // namespace headrace::inventory
