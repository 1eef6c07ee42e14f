// How the service is doing, for whoever asks: a tool, or a signal. Host's thread only.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "service/host/event_log.hpp"
#include "service/host/front_desk.hpp"
#include "service/host/views.hpp"

namespace headrace::service::host {

/// The answers to "stat" of this leader, one after the other, now or soon; the last one is of type "viewed". views:
/// null while the service is loading, when there is nothing to see elsewhere.
void tell_status(const config::Config& config, const Seat& seat, const FrontDesk& desk, Views* views,
                 const std::function<void(const nlohmann::json& part)>& tell);

/// The same for people, into the log, and as an event.
void log_status(const config::Config& config, const Seat& seat, const FrontDesk& desk, Views* views, EventLog& events);

}  // namespace headrace::service::host
