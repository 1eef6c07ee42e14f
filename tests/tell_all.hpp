// A word that each rank waits for from every other, so that a test can end.
#pragma once

#include <string>

#include "exchange/engine.hpp"

/// Itself last: with its own word a rank may have heard all that it waits for, and end its engine. What was still to be
/// said to others then would never leave, and they would wait for ever. Any thread.
inline void tell_all(headrace::exchange::Engine& engine, const headrace::mpi::Comm& world, const std::string& text) {
  for (int i = 1; i <= world.size(); ++i) engine.control((world.rank() + i) % world.size(), text);
}
