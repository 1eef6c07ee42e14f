// Hybrid validation: what is written for validation is scaled as the training sample was.
#pragma once

#include "config/outputs.hpp"

namespace headrace::commands::premix {

/// UsageError where a field's scale file says that it was measured on this stream, and the stream is not the training's
/// (`train`, or the first).
void require_scales_of_training(const config::OutputConfig& config, const config::StreamConfig& stream);

}  // namespace headrace::commands::premix
