// Files behind URLs, many at a time, over connections that are kept open. One thread at a time; each thread has its own.
//
//   1. Each file is asked for until it is there whole, or `retries` are used up, or the server says what does not pass.
//   2. What broke off is gone on with behind what has come, if it is still the same file (its ETag or date); a file that
//      has changed meanwhile begins anew.
//   3. What has come is as long as the server said.
//   4. No error, and nothing else that leaves this, holds a header of the settings, or the password of a URL; a server
//      to which a URL is redirected gets neither, unless scheme, host and port are those of the URL.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "fetch/settings.hpp"

namespace headrace::fetch {

class Transfer;

class Fetcher {
 public:
  explicit Fetcher(Settings settings);
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// The next URL; false: there are no more.
  using Next = std::function<bool(std::size_t& number, std::string& url)>;
  /// content: may be taken. why: "" where it is there, else why it is not.
  using Done = std::function<void(std::size_t number, std::string& content, const std::string& why)>;
  /// Returns once all are done. What `done` throws ends it.
  void run(const Next& next, const Done& done);

 private:
  friend class Transfer;
  bool begin_next(const Next& next);
  Clock::time_point begin_again();
  void wait(Clock::time_point until);
  bool look_at_finished(const Done& done);
  void drop_all();

  const Settings settings_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;  // all there are: at work, waiting for their time, or free
  std::vector<Transfer*> free_;
};

/// "https://host/a": without what stands between // and @, as it may be a secret.
std::string shown_url(const std::string& url);

}  // namespace headrace::fetch
