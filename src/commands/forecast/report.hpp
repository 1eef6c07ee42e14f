// A forecast as text for people and as JSON. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "commands/forecast/forecast.hpp"

namespace headrace::commands::forecast {

std::string text_of(const Forecast& forecast);
nlohmann::json json_of(const Forecast& forecast);

}  // namespace headrace::commands::forecast
