#include "fetch/transfer.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <string_view>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "fetch/pauses.hpp"

namespace headrace::fetch {

namespace {

constexpr std::uint64_t worth_going_on = 1 << 20;  // smaller ones begin anew

double chance() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

/// Such as another try may mend: the connection, not the address or the certificate.
bool passes(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_AGAIN:
      return true;
    default:
      return false;
  }
}

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string value_of(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  const auto first = line.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1));
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = -1;
  const auto* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  return status == std::errc{} && rest == end ? number : -1;
}

/// Decoded; "" where the URL has none.
std::string part_of(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  char* text = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
      curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT | CURLU_URLDECODE) != CURLUE_OK)
    return "";
  std::string found(text);
  curl_free(text);
  return found;
}

/// Scheme, host and port are the same.
bool same_server(const std::string& one, const std::string& other) {
  const auto same = [&](CURLUPart part) {
    const auto mine = part_of(one, part);
    return !mine.empty() && strcasecmp(mine.c_str(), part_of(other, part).c_str()) == 0;
  };
  return same(CURLUPART_SCHEME) && same(CURLUPART_HOST) && same(CURLUPART_PORT);
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const auto code = curl_easy_setopt(easy, option, value); code != CURLE_OK)
    throw Error(fmt::format("libcurl refuses a setting ({})", curl_easy_strerror(code)));
}

}  // namespace

Transfer::Transfer(const Settings& settings, curl_slist* headers)
    : settings_(settings), easy_(curl_easy_init()), headers_(headers) {
  require(easy_ != nullptr, "libcurl cannot be started (curl_easy_init)");
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_PRIVATE, this);
  set(easy_, CURLOPT_ERRORBUFFER, curl_says_.data());
  set(easy_, CURLOPT_USERAGENT, "headrace");
#if LIBCURL_VERSION_NUM >= 0x075500  // 7.85
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(easy_, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.timeout.count()));
  set(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(easy_, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(settings.timeout.count() / 1000)));
  set(easy_, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  set(easy_, CURLOPT_HEADERDATA, this);
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(own_);
}

void Transfer::begin(std::size_t number, std::string url) {
  number_ = number;
  url_ = std::move(url);
  user_ = part_of(url_, CURLUPART_USER);
  password_ = part_of(url_, CURLUPART_PASSWORD);
  begin_at_url();
  content_.clear();
  why_.clear();
  etag_.clear();
  date_.clear();
  tries_ = 0;
}

void Transfer::begin_at_url() {
  where_ = url_;
  redirections_ = 0;
}

void Transfer::prepare_try() {
  curl_slist_free_all(own_);
  own_ = nullptr;
  waits = false;
  // A validator that is weak (W/) does not promise the same bytes.
  const auto same = !etag_.empty() && !etag_.starts_with("W/") ? etag_ : date_;
  const bool go_on = content_.size() >= worth_going_on && !same.empty();
  if (!go_on) content_.clear();
  from_ = content_.size();
  set(easy_, CURLOPT_URL, where_.c_str());
  set(easy_, CURLOPT_RANGE, go_on ? fmt::format("{}-", from_).c_str() : static_cast<const char*>(nullptr));
  const bool trusted = where_ == url_ || same_server(where_, url_);  // with the secrets
  for (const auto* header = trusted ? headers_ : nullptr; header != nullptr; header = header->next)
    own_ = curl_slist_append(own_, header->data);
  if (go_on) own_ = curl_slist_append(own_, ("If-Range: " + same).c_str());
  set(easy_, CURLOPT_HTTPHEADER, own_);
  set(easy_, CURLOPT_USERNAME, trusted && !user_.empty() ? user_.c_str() : nullptr);
  set(easy_, CURLOPT_PASSWORD, trusted && !user_.empty() ? password_.c_str() : nullptr);
  curl_says_[0] = '\0';
  begin_answer();
}

void Transfer::begin_answer() {
  judged_ = wrong_ = false;
  status_ = 0;
  length_ = -1;
  new_etag_.clear();
  new_date_.clear();
  retry_after_.clear();
  range_.clear();
  encoding_.clear();
}

std::size_t Transfer::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  static_cast<Transfer*>(self)->note_header({data, size * count});
  return size * count;
}

void Transfer::note_header(std::string_view line) {
  if (line.starts_with("HTTP/")) return begin_answer();  // of the next one, after one that is not the last
  if (is_header(line, "Content-Length")) length_ = number_in(value_of(line));
  if (is_header(line, "ETag")) new_etag_ = value_of(line);
  if (is_header(line, "Last-Modified")) new_date_ = value_of(line);
  if (is_header(line, "Retry-After")) retry_after_ = value_of(line);
  if (is_header(line, "Content-Range")) range_ = value_of(line);
  if (is_header(line, "Content-Encoding")) encoding_ = value_of(line);
}

std::size_t Transfer::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take({data, size * count});
}

/// Before the first byte: is this what was asked for? False: it is not, and outcome() will say more.
bool Transfer::judge_answer() {
  judged_ = true;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status_);
  if (status_ == 206) {
    // A part that nobody asked for, another than that asked for, or of another file.
    wrong_ = from_ == 0 || !range_.starts_with(fmt::format("bytes {}-", from_)) ||
             (!etag_.empty() && !new_etag_.empty() && new_etag_ != etag_);
  } else if (status_ == 200) {
    content_.clear();  // the whole file, whatever was asked for: it has changed, or the server knows no ranges
    from_ = 0;
    if (length_ > 0 && static_cast<std::uint64_t>(length_) <= settings_.most_bytes)
      content_.reserve(static_cast<std::size_t>(std::min<std::int64_t>(length_, 64 << 20)));
  } else {
    return false;
  }
  if (wrong_) return false;
  etag_ = new_etag_;
  date_ = new_date_;
  return true;
}

std::size_t Transfer::take(std::string_view part) {
  if (!judged_ && !judge_answer() && wrong_) return 0;
  if (status_ != 200 && status_ != 206) return part.size();  // what a server says beside its status goes by
  if (content_.size() + part.size() > settings_.most_bytes) {
    wrong_ = true;
    return 0;
  }
  content_ += part;
  return part.size();
}

Transfer::Outcome Transfer::fail(std::string why) {
  why_ = std::move(why);
  content_.clear();
  return Outcome::failed;
}

Transfer::Outcome Transfer::try_again(const std::string& why) {
  if (tries_ >= settings_.retries) return fail(tries_ == 0 ? why : fmt::format("{}; tried {} times", why, tries_ + 1));
  at_ = Clock::now() + pause(settings_, tries_, chance(), retry_after(retry_after_, std::time(nullptr)));
  ++tries_;
  begin_at_url();
  waits = true;
  return Outcome::again;
}

/// Not left to libcurl, which would take all headers along, whatever server it is led to.
Transfer::Outcome Transfer::follow(std::string to) {
  constexpr unsigned most = 10;
  if (++redirections_ > most)
    return fail(fmt::format("it is redirected more than {} times, perhaps in a circle", most));
  where_ = std::move(to);
  at_ = Clock::now();
  waits = true;
  return Outcome::again;
}

Transfer::Outcome Transfer::whole() {
  if (!encoding_.empty() && encoding_ != "identity")
    return fail(fmt::format("the server sends it packed ({}), which was not asked for", printable(encoding_)));
  if (length_ >= 0 && content_.size() != from_ + static_cast<std::uint64_t>(length_))
    return try_again(fmt::format("{} of {} bytes came", content_.size(), from_ + static_cast<std::uint64_t>(length_)));
  // A server may send less of the rest than it was asked for.
  const auto all = status_ == 206 ? number_in(std::string_view(range_).substr(range_.find('/') + 1)) : -1;
  if (all >= 0 && content_.size() < static_cast<std::uint64_t>(all))
    return try_again(fmt::format("{} of {} bytes came", content_.size(), all));
  return Outcome::done;
}

Transfer::Outcome Transfer::outcome(CURLcode result) {
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status_);
  if (wrong_ && content_.size() >= settings_.most_bytes / 2)
    return fail(fmt::format("it is larger than {} bytes", settings_.most_bytes));
  if (wrong_) {  // another part of it than that asked for
    content_.clear();
    return try_again("the server sent another part of it than was asked for");
  }
  const char* to = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &to);
  if (result == CURLE_OK && status_ / 100 == 3 && to != nullptr) return follow(to);
  // So curl calls an answer without a first line of HTTP, which it takes for that of an age before HTTP/1.0.
  if (result == CURLE_UNSUPPORTED_PROTOCOL && std::strstr(curl_says_.data(), "HTTP/0.9") != nullptr)
    return fail("the server's answer is no HTTP; ask for the file yourself, as with curl");
  if (result == CURLE_UNSUPPORTED_PROTOCOL) return fail("it leads to what is neither http nor https");
  if (result == CURLE_OK && (status_ == 200 || status_ == 206)) {
    if (!judged_) judge_answer();  // nothing came
    return whole();
  }
  if (status_ == 416 && from_ > 0) {  // it has become shorter
    content_.clear();
    return try_again("the server has less of it than before");
  }
  if (result == CURLE_OK) {
    const auto why = fmt::format("the server answers {}", status_);
    return fetch::passes(status_) ? try_again(why) : fail(why);
  }
  const auto told = curl_says_[0] != '\0' ? std::string(curl_says_.data()) : curl_easy_strerror(result);
  auto why = printable(told);
  if (result == CURLE_PARTIAL_FILE) why = fmt::format("it was cut off after {} bytes", content_.size());
  if (result == CURLE_OPERATION_TIMEDOUT) why = fmt::format("nothing came for {} ms", settings_.timeout.count());
  return passes(result) ? try_again(why) : fail(why);
}

}  // namespace headrace::fetch
