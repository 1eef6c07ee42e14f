// A decoder of the user's from a shared library (include/headrace/decoder.h), which is closed with the object.
#pragma once

#include <memory>
#include <string>

#include "inventory/decoders/decoder.hpp"

namespace headrace::inventory {

/// argument: "lib.so" or "lib.so:args". Throws UsageError: no such library, one that others may write, no decoder,
/// another version, refused to open.
std::unique_ptr<Decoder> open_plugin_decoder(const std::string& argument);

}  // namespace headrace::inventory
