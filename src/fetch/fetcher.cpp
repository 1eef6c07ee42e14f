#include "fetch/fetcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "fetch/transfer.hpp"

namespace headrace::fetch {

namespace {

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl cannot be started"); });
}

void check(CURLMcode code) {
  if (code != CURLM_OK) throw Error(fmt::format("libcurl fails ({})", curl_multi_strerror(code)));
}

}  // namespace

Fetcher::Fetcher(Settings settings) : settings_(std::move(settings)) {
  start_library();
  multi_ = curl_multi_init();
  require(multi_ != nullptr, "libcurl cannot be started (curl_multi_init)");
  const auto most = static_cast<long>(settings_.connections);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most);
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  for (const auto& header : settings_.headers) headers_ = curl_slist_append(headers_, header.c_str());
}

Fetcher::~Fetcher() {
  drop_all();
  transfers_.clear();
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

void Fetcher::drop_all() {
  free_.clear();
  for (const auto& transfer : transfers_) {
    curl_multi_remove_handle(multi_, transfer->handle());
    transfer->waits = false;
    free_.push_back(transfer.get());
  }
}

bool Fetcher::begin_next(const Next& next) {
  if (free_.empty()) {
    if (transfers_.size() >= settings_.connections) return false;
    transfers_.push_back(std::make_unique<Transfer>(settings_, headers_));
    free_.push_back(transfers_.back().get());
  }
  std::size_t number = 0;
  std::string url;
  if (!next(number, url)) return false;
  auto* transfer = free_.back();
  free_.pop_back();
  transfer->begin(number, std::move(url));
  transfer->prepare_try();
  check(curl_multi_add_handle(multi_, transfer->handle()));
  return true;
}

/// Those whose time has come; when the next one's does.
Clock::time_point Fetcher::begin_again() {
  auto soonest = Clock::time_point::max();
  for (const auto& transfer : transfers_) {
    if (!transfer->waits) continue;
    if (transfer->at() <= Clock::now()) {
      transfer->prepare_try();
      check(curl_multi_add_handle(multi_, transfer->handle()));
    } else {
      soonest = std::min(soonest, transfer->at());
    }
  }
  return soonest;
}

void Fetcher::wait(Clock::time_point until) {
  constexpr std::int64_t longest_ms = 200;
  auto timeout = longest_ms;
  if (until != Clock::time_point::max())
    timeout = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count() + 1;
  check(
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::clamp<std::int64_t>(timeout, 0, longest_ms)), nullptr));
}

/// Whether there were any.
bool Fetcher::look_at_finished(const Done& done) {
  bool any = false;
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    any = true;
    const auto result = message->data.result;  // the message is gone with its handle
    auto* const handle = message->easy_handle;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
    check(curl_multi_remove_handle(multi_, handle));
    if (transfer->outcome(result) == Transfer::Outcome::again) continue;
    done(transfer->number(), transfer->content(), transfer->why());
    free_.push_back(transfer);
  }
  return any;
}

void Fetcher::run(const Next& next, const Done& done) {
  drop_all();
  try {
    for (bool more = true;;) {
      while (more && (!free_.empty() || transfers_.size() < settings_.connections)) more = begin_next(next);
      const auto soonest = begin_again();
      int running = 0;
      check(curl_multi_perform(multi_, &running));
      if (look_at_finished(done)) continue;
      if (!more && free_.size() == transfers_.size()) return;
      wait(soonest);
    }
  } catch (...) {
    drop_all();
    throw;
  }
}

std::string shown_url(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return url;
  const auto end = std::min(url.find('/', begin + 3), url.size());
  const auto at = url.rfind('@', end);
  if (at == std::string::npos || at < begin || at > end) return url;
  return url.substr(0, begin + 3) + url.substr(at + 1);
}

}  // namespace headrace::fetch
