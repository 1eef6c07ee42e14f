// Which decoders there are.
#pragma once

#include <memory>
#include <string>

#include "inventory/decoders/decoder.hpp"

namespace headrace::inventory {

/// How a decoder was written: "npz:KEY" is kind npz with argument KEY.
struct DecoderName {
  enum class Kind { npy, npz, text, raw, hdf5, python, plugin } kind;
  std::string argument;
};
/// Throws UsageError that tells which there are.
DecoderName parse_decoder(const std::string& text);

/// Of the kinds that work on content alone (not hdf5); of python: of what a worker makes. folder: with its slash,
/// that plug-ins are looked for from. Throws UsageError.
std::unique_ptr<Decoder> make_decoder(const DecoderName& name, const std::string& folder = "");

}  // namespace headrace::inventory
