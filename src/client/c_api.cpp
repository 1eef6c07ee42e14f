// The border: no exception leaves, every failure becomes a code and this thread's text.
#include <memory>
#include <string>
#include <vector>

#include "client/fork_guard.hpp"
#include "client/handshake.hpp"
#include "client/sized.hpp"
#include "client/stream.hpp"
#include "headrace/headrace.h"

using namespace headrace::client;

struct hr_stream {
  explicit hr_stream(Session session) : stream(std::move(session)) {}
  Stream stream;
};

namespace {

std::string& last_error() {
  thread_local std::string text;
  return text;
}

int finish(int code, std::string text) {
  if (code != HR_OK) last_error() = std::move(text);
  return code;
}

/// Runs a call, and turns whatever it throws into a code.
template <class Call>
int guarded(Call call) noexcept {
  try {
    Result result = call();
    return finish(result.code, std::move(result.text));
  } catch (const Failure& failure) {
    return finish(failure.code(), failure.what());
  } catch (const headrace::ring::VersionMismatch& error) {
    return finish(HR_REFUSED, error.what());
  } catch (const std::exception& error) {
    return finish(HR_INVALID, error.what());
  } catch (...) {
    return finish(HR_INVALID, "unknown failure");
  }
}

/// The same for calls on a stream, which may be a forked child's.
template <class Call>
int visit(hr_stream* stream, Call call) noexcept {
  return guarded([&]() -> Result {
    if (stream == nullptr) return {HR_INVALID, "the stream is NULL; connect first"};
    if (stream->stream.forked())
      return {HR_FORKED,
              "this stream belongs to the parent of this forked process; connect in the process that uses it "
              "(a DataLoader: num_workers=0)"};
    const Calls::Visit visit(stream->stream.calls());
    if (!visit) return closed();
    return call(stream->stream);
  });
}

}  // namespace

int hr_connect(const hr_options* options, hr_stream** stream) {
  return guarded([&]() -> Result {
    if (options == nullptr || stream == nullptr) return {HR_INVALID, "hr_connect was given NULL"};
    *stream = nullptr;
    auto made = std::make_unique<hr_stream>(shake_hands(checked(*options)));
    remember_stream(made->stream);
    *stream = made.release();
    return {};
  });
}

int hr_get_info(hr_stream* stream, hr_info* info) {
  return visit(stream, [&](Stream& s) -> Result {
    if (info == nullptr) return {HR_INVALID, "hr_get_info was given NULL"};
    hand_out(s.info(), *info, first_hr_info, "hr_info");
    return {};
  });
}

int hr_acquire(hr_stream* stream, double timeout, hr_batch* batch) {
  return visit(stream, [&](Stream& s) -> Result {
    if (batch == nullptr) return {HR_INVALID, "hr_acquire was given NULL"};
    require_size(batch->size, first_hr_batch, sizeof(hr_batch), "hr_batch");  // before there is one to be lost
    hr_batch ours;
    auto result = s.acquire(timeout, ours);
    if (result.code == HR_OK) hand_out(ours, *batch, first_hr_batch, "hr_batch");
    return result;
  });
}

int hr_release(hr_stream* stream, uint32_t lease, int consumed) {
  return visit(stream, [&](Stream& s) { return s.release(lease, consumed != 0); });
}

int hr_put_back(hr_stream* stream, uint32_t lease) {
  return visit(stream, [&](Stream& s) { return s.put_back(lease); });
}

int hr_seek(hr_stream* stream, uint64_t epoch, uint64_t step) {
  return visit(stream, [&](Stream& s) { return s.seek(epoch, step); });
}

int hr_resume(hr_stream* stream, uint64_t epoch, uint64_t step, double timeout) {
  return visit(stream, [&](Stream& s) { return s.resume(epoch, step, timeout); });
}

int hr_follow(hr_stream* stream, double timeout) {
  return visit(stream, [&](Stream& s) { return s.follow(timeout); });
}

int hr_files(hr_stream* stream, const hr_file* const** files, size_t* count) {
  return visit(stream, [&](Stream& s) -> Result {
    if (files == nullptr || count == nullptr) return {HR_INVALID, "hr_files was given NULL"};
    *files = nullptr;
    *count = 0;
    const Files* known = nullptr;
    auto result = s.files(known);
    if (result.code != HR_OK) return result;
    *files = known->view().data();
    *count = known->view().size();
    return result;
  });
}

int hr_get_stats(hr_stream* stream, hr_stats* stats) {
  return visit(stream, [&](Stream& s) -> Result {
    if (stats == nullptr) return {HR_INVALID, "hr_get_stats was given NULL"};
    hand_out(s.stats(), *stats, first_hr_stats, "hr_stats");
    return {};
  });
}

void hr_close(hr_stream* stream, int goodbye, int keep_mapping) {
  if (stream == nullptr || stream->stream.forked()) return;  // a child's copy: its locks may be anyone's, so it stays
  guarded([&]() -> Result {
    const std::unique_ptr<hr_stream> owned(stream);
    forget_stream(stream->stream);
    stream->stream.close(goodbye != 0, keep_mapping != 0);
    return {};
  });
}

const char* hr_error(void) {
  return last_error().c_str();
}

const char* hr_version(void) {
  return HR_VERSION;
}
