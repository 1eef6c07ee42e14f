#include "client/handshake.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

#include "base/host_name.hpp"
#include "client/result.hpp"
#include "client/sized.hpp"

namespace headrace::client {

using namespace std::chrono_literals;

namespace {

constexpr auto report_every = 500ms;
constexpr auto knock_every = 50ms;
// Even whoever does not want to wait gives a service that is there the time to say a word.
constexpr auto first_word = 3s;

/// Calls the user's progress function about every half second.
class Reporter {
 public:
  explicit Reporter(const Wish& wish) : wish_(wish) {}
  void operator()(const std::string& what, double fraction) {
    const auto now = Clock::now();
    if (wish_.progress == nullptr || now < next_) return;
    next_ = now + report_every;
    if (wish_.progress(wish_.progress_context, what.c_str(), fraction) != 0)
      throw Failure(HR_INTERRUPTED, "given up while " + what);
  }

 private:
  const Wish& wish_;
  Clock::time_point next_ = Clock::now() + report_every;
};

void nap(std::chrono::milliseconds length) {
  const timespec time{0, static_cast<long>(std::chrono::nanoseconds(length).count())};
  if (nanosleep(&time, nullptr) != 0 && errno == EINTR)
    throw Failure(HR_INTERRUPTED, "a signal arrived while waiting for the service");
}

std::string others_running(const ipc::Address& address) {
  if (address.is_path()) return "";
  const auto names = ipc::list_services();
  if (names.empty()) return "; no service of this user runs here";
  std::string text = "; running are: ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i ? ", " : "") + names[i];
  return text;
}

std::optional<ipc::Connection> connect_if_there(const ipc::Address& address) {
  try {
    return ipc::Connection::connect(address);
  } catch (const Error& error) {
    throw Failure(HR_REFUSED, error.what());  // no permission, or no socket of ours
  }
}

/// gone: what is known of a service that was there and ended before it said a word; "": there was none.
ipc::Connection knock(const ipc::Address& address, const std::string& gone, const Deadline& deadline,
                      Reporter& report) {
  for (;;) {
    if (auto connection = connect_if_there(address)) return std::move(*connection);
    if (deadline.passed() && !gone.empty())
      throw Failure(HR_LOST, gone + " ended before it said a word, and no other was started " + deadline.text() +
                                 "; see its own messages for the reason");
    if (deadline.passed())
      throw Failure(HR_TIMEOUT, "no service '" + address.service() + "' on node " + host_name() + " " +
                                    deadline.text() + others_running(address) +
                                    "; start it (headrace serve), correct its name, or wait "
                                    "longer (timeout)");
    report("waiting for service '" + address.service() + "' to start", -1);
    nap(deadline.left(std::chrono::milliseconds(knock_every)));
  }
}

void say_hello(const ipc::Connection& connection, const Wish& wish) {
  const auto self = ipc::open_pidfd(getpid());
  const std::array<int, 1> fds{self.get()};
  const ring::Hello hello{.role = ring::Role::trainer,
                          .stream = wish.stream,
                          .rank = wish.rank,
                          .world_size = wish.world_size,
                          .local_rank = wish.local_rank,
                          .host = host_name(),
                          .pid = getpid(),
                          .replica = wish.replica,
                          .replicas = wish.replicas};
  // Whether it arrives shows in the answer.
  static_cast<void>(connection.send(ring::encode(hello), fds, 1s));
}

Session enter(const Wish& wish, ipc::Connection connection, ring::Welcome welcome, ipc::Message message) {
  const bool shared = welcome.replicas > 1;
  const std::size_t expected = shared ? 4 : 3;
  require(message.fds.size() == expected, "the service welcomed us with " + std::to_string(message.fds.size()) +
                                              " descriptors instead of " + std::to_string(expected) +
                                              "; use libheadrace of the service's version");
  require(welcome.replica == wish.replica && (wish.replicas == 0 || wish.replicas == welcome.replicas),
          "the service took us for replica " + std::to_string(welcome.replica) + " of " +
              std::to_string(welcome.replicas) + ", and we are replica " + std::to_string(wish.replica) +
              " (it is older than this library, and knows of none); restart the service with the same version");
  Session session{std::move(connection),
                  std::move(welcome),
                  std::move(message.text),
                  std::move(message.fds[0]),
                  ipc::Bell(std::move(message.fds[1])),
                  std::move(message.fds[2])};
  static_cast<void>(ipc::pid_of_pidfd(session.stager));  // throws if it is none
  if (shared) session.share = ring::Share{std::move(message.fds[3]), session.welcome.replica};
  return session;
}

std::string text_of(const Wish& wish, const ipc::Connection& connection) {
  return "service '" + wish.service + "' (pid " + std::to_string(connection.peer().pid) + ")";
}

/// Waits for the welcome on one connection. Nothing if the service went away before it said a word: it was just ending,
/// and another may start.
class Waiting {
 public:
  Waiting(const Wish& wish, ipc::Connection connection, const Deadline& deadline, Reporter& report)
      : wish_(wish),
        connection_(std::move(connection)),
        who_(text_of(wish, connection_)),
        deadline_(deadline),
        report_(report) {}

  std::optional<Session> welcome() {
    for (;;) {
      auto received = connection_.receive(slice());
      switch (received.what) {
        case ipc::Receipt::interrupted:
          throw Failure(HR_INTERRUPTED, "a signal arrived while " + what());
        case ipc::Receipt::closed:
          if (!heard_) return std::nullopt;
          throw Failure(HR_LOST, who_ + " ended while loading; see its own messages for the reason");
        case ipc::Receipt::message:
          if (auto session = take(std::move(received.message))) return session;
          break;
        case ipc::Receipt::nothing:
          break;
      }
      if (too_late())
        throw Failure(HR_TIMEOUT, who_ + (heard_ ? " is still loading (" + loading_.what + ")" : " does not answer") +
                                      " " + deadline_.text() + "; wait longer (timeout)");
      report_(what(), loading_.fraction);
    }
  }

 private:
  bool too_late() const { return deadline_.passed() && (heard_ || first_word_.passed()); }
  std::chrono::milliseconds slice() const {
    const auto& limit = heard_ || !deadline_.passed() ? deadline_ : first_word_;
    return std::max(1ms, limit.left(std::chrono::milliseconds(report_every)));
  }
  std::string what() const {
    return "waiting for " + who_ + (heard_ ? ": " + loading_.what : std::string(" to answer"));
  }
  std::optional<Session> take(ipc::Message message) {
    auto said = ring::decode_from_service(message.text);
    heard_ = true;
    if (auto* loading = std::get_if<ring::Loading>(&said)) loading_ = std::move(*loading);
    if (const auto* refused = std::get_if<ring::Refused>(&said))
      throw Failure(refused->kind == ring::Refusal::failed ? HR_LOST : HR_REFUSED, refused->text);
    if (const auto* dying = std::get_if<ring::Dying>(&said)) throw Failure(HR_LOST, dying->text);
    if (auto* welcome = std::get_if<ring::Welcome>(&said))
      return enter(wish_, std::move(connection_), std::move(*welcome), std::move(message));
    return std::nullopt;
  }

  const Wish& wish_;
  ipc::Connection connection_;
  std::string who_;
  const Deadline& deadline_;
  Reporter& report_;
  Deadline first_word_{std::chrono::duration<double>(first_word).count()};
  bool heard_ = false;
  ring::Loading loading_{"no word yet", -1};
};

void require_our_user(const ipc::Connection& connection, const ipc::Address& address) {
  try {
    ipc::require_our_service(connection, address);
  } catch (const Error& error) {
    throw Failure(HR_REFUSED, error.what());
  }
}

}  // namespace

Wish checked(const hr_options& given) {
  const auto demand = [](bool condition, const std::string& text) {
    if (!condition) throw Failure(HR_INVALID, text);
  };
  const auto options = taken_in(given, first_hr_options, "hr_options");
  const auto world_size = options.world_size == 0 ? 1 : options.world_size;
  demand(world_size >= 1, "world_size is " + std::to_string(world_size) + "; it is the number of trainers, at least 1");
  demand(options.rank >= 0 && options.rank < world_size,
         "rank " + std::to_string(options.rank) + " of " + std::to_string(world_size) +
             " trainers; ranks go from 0 to " + std::to_string(world_size - 1));
  demand(options.local_rank >= -1, "local_rank is " + std::to_string(options.local_rank) + "; give -1 for any");
  const auto replicas = std::to_string(ring::most_replicas);
  demand(
      options.replicas >= 0 && std::cmp_less_equal(options.replicas, ring::most_replicas),
      "replicas is " + std::to_string(options.replicas) + "; it goes up to " + replicas + ", 0: as many as there are");
  demand(options.replica >= 0 &&
             std::cmp_less(options.replica,
                           options.replicas == 0 ? ring::most_replicas : static_cast<std::uint32_t>(options.replicas)),
         "replica " + std::to_string(options.replica) + " of " +
             (options.replicas == 0 ? "at most " + replicas : std::to_string(options.replicas)) +
             "; replicas count from 0");
  return {.service = options.service != nullptr ? options.service : "headrace",
          .stream = options.stream != nullptr ? options.stream : "",
          .rank = static_cast<std::uint32_t>(options.rank),
          .world_size = static_cast<std::uint32_t>(world_size),
          .local_rank = options.local_rank,
          .replica = static_cast<std::uint32_t>(options.replica),
          .replicas = static_cast<std::uint32_t>(options.replicas),
          .timeout = options.timeout,
          .progress = options.progress,
          .progress_context = options.progress_context};
}

Session shake_hands(const Wish& wish) {
  const ipc::Address address = [&] {
    try {
      return ipc::Address(wish.service);
    } catch (const Error& error) {
      throw Failure(HR_INVALID, error.what());
    }
  }();
  const Deadline deadline(wish.timeout);
  Reporter report(wish);
  for (std::string gone;;) {
    auto connection = knock(address, gone, deadline, report);
    require_our_user(connection, address);
    gone = text_of(wish, connection);
    say_hello(connection, wish);
    if (auto session = Waiting(wish, std::move(connection), deadline, report).welcome()) return std::move(*session);
    if (deadline.passed())
      throw Failure(HR_LOST, "service '" + wish.service +
                                 "' closed the connection without a word; it is ending, or see "
                                 "its own messages");
    nap(deadline.left(std::chrono::milliseconds(knock_every)));
  }
}

}  // namespace headrace::client
