// Streams that live, so that a fork can find them: in the child they are dead, in the parent nothing changes.
// Any thread.
#pragma once

#include "client/stream.hpp"

namespace headrace::client {

/// The stream is known to the fork handler from here to forget_stream().
void remember_stream(Stream& stream);
void forget_stream(Stream& stream);

}  // namespace headrace::client
