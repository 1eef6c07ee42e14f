// One file on its way. Not for other rooms.
#pragma once

#include <curl/curl.h>

#include <array>
#include <string>

#include "base/clock.hpp"
#include "fetch/settings.hpp"

namespace headrace::fetch {

class Transfer {
 public:
  /// headers: outlive it.
  Transfer(const Settings& settings, curl_slist* headers);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  enum class Outcome { done, failed, again };

  void begin(std::size_t number, std::string url);
  /// What is to be handed to curl for the next try.
  CURL* handle() const { return easy_; }
  void prepare_try();
  /// What came of a try. again: at() says when.
  Outcome outcome(CURLcode result);

  std::size_t number() const { return number_; }
  std::string& content() { return content_; }
  const std::string& why() const { return why_; }
  Clock::time_point at() const { return at_; }
  bool waits = false;  ///< for at()

 private:
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  std::size_t take(std::string_view part);
  void note_header(std::string_view line);
  void begin_at_url();
  void begin_answer();
  bool judge_answer();
  Outcome try_again(const std::string& why);
  Outcome follow(std::string to);
  Outcome fail(std::string why);
  Outcome whole();

  const Settings& settings_;
  CURL* easy_;
  curl_slist* headers_;        // of all requests to the servers of the URLs themselves
  curl_slist* own_ = nullptr;  // of this try
  std::array<char, CURL_ERROR_SIZE> curl_says_{};
  std::size_t number_ = 0;
  std::string url_, user_, password_, content_, why_;
  std::string where_;  // the URL, or where it leads
  unsigned tries_ = 0, redirections_ = 0;
  Clock::time_point at_{};
  // Of the answer.
  bool judged_ = false, wrong_ = false;
  long status_ = 0;
  std::string etag_, date_, new_etag_, new_date_, retry_after_, range_, encoding_;
  std::int64_t length_ = -1;  // of the body that follows; -1: not told
  std::uint64_t from_ = 0;    // where this try began
};

}  // namespace headrace::fetch
