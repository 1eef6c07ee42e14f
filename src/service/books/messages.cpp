#include "service/books/messages.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::service::books {

using Json = nlohmann::json;

// ---- the members of each message, by name -------------------------------------------------------------------------

static void to_json(Json& json, const Ledger& ledger) {
  json = ledger.to_json();
}
static void from_json(const Json& json, Ledger& ledger) {
  ledger = Ledger::from_json(json);
}
static void to_json(Json& json, RingState state) {
  json = static_cast<int>(state);
}
static void from_json(const Json& json, RingState& state) {
  const int number = json;
  require(number >= 0 && number <= static_cast<int>(RingState::vacant), "no state of a ring has this number");
  state = static_cast<RingState>(number);
}

/// [epoch, window]; [] for none.
static Json json_of_window(const std::optional<plan::EpochWindow>& window) {
  return window ? Json{window->epoch, window->window} : Json::array();
}
static std::optional<plan::EpochWindow> window_from(const Json& json) {
  if (json.empty()) return std::nullopt;
  return plan::EpochWindow{json.at(0), json.at(1)};
}
/// A number below `count` as that one of an enumeration.
template <class Enum>
static Enum one_of(const Json& json, int count) {
  const int number = json;
  require(number >= 0 && number < count, "no word about windows has this number");
  return static_cast<Enum>(number);
}
static void to_json(Json& json, const WindowOrder& order) {
  json = {{"what", static_cast<int>(order.what)},
          {"stream", order.stream},
          {"turn", order.turn},
          {"at", json_of_window(order.at)},
          {"next", json_of_window(order.next)},
          {"pane", order.pane},
          {"both", order.both}};
}
static void from_json(const Json& json, WindowOrder& order) {
  const auto at = window_from(json.at("at"));
  order = {one_of<WindowOrder::What>(json.at("what"), 3),
           json.at("stream"),
           json.at("turn"),
           at.value_or(plan::EpochWindow{}),
           window_from(json.at("next")),
           json.at("pane"),
           json.at("both")};
  require(order.pane < 2 && at, "an order about windows makes no sense");
}
static void to_json(Json& json, const AtWindow& said) {
  json = {
      {"stream", said.stream}, {"rank", said.rank}, {"generation", said.generation}, {"at", json_of_window(said.at)}};
}
static void from_json(const Json& json, AtWindow& said) {
  said = {json.at("stream"), json.at("rank"), json.at("generation"), window_from(json.at("at"))};
}
static void to_json(Json& json, const WindowAnswer& answer) {
  json = {{"stager", answer.stager},
          {"stream", answer.stream},
          {"turn", answer.turn},
          {"what", static_cast<int>(answer.what)},
          {"read_bytes", answer.read_bytes}};
}
static void from_json(const Json& json, WindowAnswer& answer) {
  answer = {json.at("stager"), json.at("stream"), json.at("turn"), one_of<WindowAnswer::What>(json.at("what"), 3),
            json.at("read_bytes")};
}
static void to_json(Json& json, const ReadingWindow& said) {
  json = {{"stager", said.stager}, {"stream", said.stream},
          {"turn", said.turn},     {"window", json_of_window(said.window)},
          {"done", said.done},     {"total", said.total}};
}
static void from_json(const Json& json, ReadingWindow& said) {
  said = {json.at("stager"), json.at("stream"), json.at("turn"), window_from(json.at("window")).value(),
          json.at("done"),   json.at("total")};
}

static void to_json(Json& json, const ArrivalOrder& order) {
  json = {{"what", static_cast<int>(order.what)}, {"window", order.window}};
}
static void from_json(const Json& json, ArrivalOrder& order) {
  order = {one_of<ArrivalOrder::What>(json.at("what"), 2), json.at("window")};
}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Arrived, stager, window, bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Arriving, stager, window, done, total)

// A tally travels when its epoch is complete or abandoned: which steps were released beyond `low` matters no more.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, epoch, first, low, rows, hash, wrong)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Step, epoch, step)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Resumed, number, at, who)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeftOut, stream, session, epoch, first_steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Claim, stream, rank, world_size, who, no_room)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Grant, generation, session, ledger, loads, resumed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReplicaFigures, replica, who, batches, ready, unreturned, waiting)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerFigures, stream, rank, world_size, who, stager, host, epoch, step, steps,
                                   batches, bytes, ready, waiting, trainer_wait_s, stager_wait_s, gbps, trainer_wait,
                                   stager_wait, replicas, here)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FormerRing, stream, host, bytes, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NodeMemory, store_bytes, rings_bytes, retired_bytes, private_bytes, available_bytes,
                                   scratch_bytes, scratch_read_bytes, window_read_bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WindowFigures, epoch, window, windows, opened, read, held_by)
static void to_json(Json& json, const StreamFigures& stream) {
  json = {{"name", stream.name},
          {"samples", stream.samples},
          {"world_size", stream.world_size},
          {"epochs_complete", stream.epochs_complete},
          {"samples_delivered", stream.samples_delivered},
          {"exactly_once", stream.exactly_once}};
  if (stream.window) json["window"] = *stream.window;
}
static void from_json(const Json& json, StreamFigures& stream) {
  stream = {json.at("name"),
            json.at("samples"),
            json.at("world_size"),
            json.at("epochs_complete"),
            json.at("samples_delivered"),
            json.at("exactly_once"),
            json.contains("window") ? std::optional(json.at("window").get<WindowFigures>()) : std::nullopt};
}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ArrivalFigures, windows, opened, window, read)
static void to_json(Json& json, const ServiceFigures& service) {
  json = {{"trainers", service.trainers}, {"streams", service.streams}, {"ending", service.ending}};
  if (service.arrival) json["arrival"] = *service.arrival;
}
static void from_json(const Json& json, ServiceFigures& service) {
  service = {json.at("trainers"), json.at("streams"), json.at("ending"),
             json.contains("arrival") ? std::optional(json.at("arrival").get<ArrivalFigures>()) : std::nullopt};
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClaimRank, id, node, claim)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Left, stream, rank, generation, ledger, goodbye)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finished, stream, rank, generation, finished)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerEpoch, stream, rank, world_size, session, abandoned, tally, seconds,
                                   trainer_wait, stager_wait)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AskAgree, node, local, trainer, stream, rank, generation, number, at)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stop, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ending, stager)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Drained, stager)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeftOutSum, node, what, hash)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Watch, node)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(View, node, host, stagers, silent_stagers, retired, memory, trainers, last)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WantDraw, node, stream, epoch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Drawn, stager, stream, epoch, rows)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AskDraw, stream, epoch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DrawRows, stream, epoch, rows)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Granted, id, grant)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClaimRefused, id, text, taken)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AgreeAnswer, local, trainer, number, refusal)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StateTaken, stream, state)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AskLeftOut, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(End, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Exit, audit_failed)
static void to_json(Json& json, const Look& /*look*/) {
  json = Json::object();
}
static void from_json(const Json& /*json*/, Look& /*look*/) {}
static void to_json(Json& json, const Shown& shown) {
  json = shown.view;
}
static void from_json(const Json& json, Shown& shown) {
  shown.view = json;
}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Viewed, service, missing_nodes)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RingMade, stream, ring, error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RingRetired, stream, ring, bytes, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RingLeft, stream, ring, state)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Figures, local, trainers, last, private_bytes, scratch_read_bytes, window_read_bytes,
                                   retired)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ended, text)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HandOver, stream, ring, rank, world_size, replica, joins, who, grant)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MakeRing, stream, ring)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Dead, text)

namespace {

// ---- the type of each message on the wire: one without a name here does not compile
// ----------------------------------

template <class Message>
constexpr std::string_view type_of;
template <>
constexpr std::string_view type_of<ClaimRank> = "claim";
template <>
constexpr std::string_view type_of<Left> = "left";
template <>
constexpr std::string_view type_of<Finished> = "finished";
template <>
constexpr std::string_view type_of<TrainerEpoch> = "epoch";
template <>
constexpr std::string_view type_of<AskAgree> = "agree";
template <>
constexpr std::string_view type_of<Stop> = "stop";
template <>
constexpr std::string_view type_of<Ending> = "ending";
template <>
constexpr std::string_view type_of<Drained> = "drained";
template <>
constexpr std::string_view type_of<LeftOutSum> = "left_out";
template <>
constexpr std::string_view type_of<Watch> = "watch";
template <>
constexpr std::string_view type_of<View> = "view";

template <>
constexpr std::string_view type_of<WantDraw> = "want_draw";
template <>
constexpr std::string_view type_of<Drawn> = "drawn";
template <>
constexpr std::string_view type_of<AskDraw> = "ask_draw";
template <>
constexpr std::string_view type_of<DrawRows> = "draw_rows";

template <>
constexpr std::string_view type_of<AtWindow> = "at_window";
template <>
constexpr std::string_view type_of<WindowAnswer> = "window_answer";
template <>
constexpr std::string_view type_of<ReadingWindow> = "reading";
template <>
constexpr std::string_view type_of<WindowOrder> = "window";
template <>
constexpr std::string_view type_of<Arrived> = "arrived";
template <>
constexpr std::string_view type_of<Arriving> = "arriving";
template <>
constexpr std::string_view type_of<ArrivalOrder> = "arrival";

template <>
constexpr std::string_view type_of<Granted> = "grant";
template <>
constexpr std::string_view type_of<ClaimRefused> = "refuse";
template <>
constexpr std::string_view type_of<AgreeAnswer> = "agreed";
template <>
constexpr std::string_view type_of<StateTaken> = "resumed";
template <>
constexpr std::string_view type_of<AskLeftOut> = "ask_left_out";
template <>
constexpr std::string_view type_of<End> = "end";
template <>
constexpr std::string_view type_of<Exit> = "exit";
template <>
constexpr std::string_view type_of<Look> = "look";
template <>
constexpr std::string_view type_of<Shown> = "shown";
template <>
constexpr std::string_view type_of<Viewed> = "viewed";

template <>
constexpr std::string_view type_of<RingMade> = "ring_made";
template <>
constexpr std::string_view type_of<RingRetired> = "ring_retired";
template <>
constexpr std::string_view type_of<RingLeft> = "ring_left";
template <>
constexpr std::string_view type_of<Figures> = "figures";
template <>
constexpr std::string_view type_of<Ended> = "ended";

template <>
constexpr std::string_view type_of<HandOver> = "trainer";
template <>
constexpr std::string_view type_of<MakeRing> = "make_ring";
template <>
constexpr std::string_view type_of<Dead> = "dead";

template <class Message>
Json json_of(const Message& message) {
  static_assert(!type_of<Message>.empty());
  Json json = message;
  json["type"] = type_of<Message>;
  return json;
}

template <class Variant>
std::string text_of(const Variant& message) {
  // A text may hold a character that was cut in two: that must not keep the others from hearing of a death.
  constexpr auto tolerant = Json::error_handler_t::replace;
  return std::visit([](const auto& one) { return json_of(one).dump(-1, ' ', false, tolerant); }, message);
}

/// The message of the variant that has this type, if there is one.
template <class Variant, std::size_t Index = 0>
std::optional<Variant> find(const std::string& type, const Json& json) {
  if constexpr (Index == std::variant_size_v<Variant>) {
    return std::nullopt;
  } else {
    using Message = std::variant_alternative_t<Index, Variant>;
    if (type != type_of<Message>) return find<Variant, Index + 1>(type, json);
    return Variant(std::in_place_index<Index>, json.get<Message>());
  }
}

constexpr const char* remedy = "start all stagers from one installation of headrace";

/// look(type, json): the message, or nothing if none of that type may come.
template <class Look>
auto decode(std::string_view text, const Look& look) {
  try {
    const auto json = Json::parse(text);
    const auto& type = json.at("type").get_ref<const std::string&>();
    auto message = look(type, json);
    require(message.has_value(), "a message of type '" + printable(type) +
                                     "' came from another stager, which makes no sense here; " + remedy);
    return std::move(*message);
  } catch (const Json::exception& error) {
    constexpr std::size_t longest = 80;
    throw Error("a message of another stager cannot be read ('" + printable(std::string(text.substr(0, longest))) +
                "': " + printable(error.what()) + "); " + remedy);
  }
}

}  // namespace

std::string encode(const ToHead& message) {
  return text_of(message);
}
std::string encode(const FromHead& message) {
  return text_of(message);
}
std::string encode(const ToLeader& message) {
  return text_of(message);
}
std::string encode(const ToStager& message) {
  return text_of(message);
}

ToHead decode_to_head(std::string_view text) {
  return decode(text, [](const std::string& type, const Json& json) { return find<ToHead>(type, json); });
}

FromHead decode_from_head(std::string_view text) {
  return decode(text, [](const std::string& type, const Json& json) { return find<FromHead>(type, json); });
}

ToStager decode_to_stager(std::string_view text) {
  return decode(text, [](const std::string& type, const Json& json) { return find<ToStager>(type, json); });
}

FromStager decode_from_stager(std::string_view text) {
  return decode(text, [](const std::string& type, const Json& json) {
    std::optional<FromStager> message;
    if (auto to_head = find<ToHead>(type, json))
      message.emplace(std::move(*to_head));
    else if (auto to_leader = find<ToLeader>(type, json))
      message.emplace(std::move(*to_leader));
    return message;
  });
}

nlohmann::json document(const View& view) {
  return json_of(view);
}
nlohmann::json document(const Shown& shown) {
  return json_of(shown);
}
nlohmann::json document(const Viewed& viewed) {
  return json_of(viewed);
}

}  // namespace headrace::service::books
