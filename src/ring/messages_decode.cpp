#include <limits>
#include <nlohmann/json.hpp>

#include "ring/messages.hpp"

namespace headrace::ring {

using Json = nlohmann::json;

namespace {

constexpr std::size_t longest_name = 4096;

/// The members of one object in a message, each checked when it is asked for.
class Members {
 public:
  Members(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
    require(json.is_object(), "malformed message: '" + what_ + "' is not an object; " + advice);
  }
  const Json& at(const char* key) const {
    const auto found = json_.find(key);
    require(found != json_.end(), "malformed message: '" + what_ + "' has no '" + key + "'; " + advice);
    return *found;
  }
  std::string text(const char* key, std::size_t longest = longest_name) const { return text_in(at(key), key, longest); }
  template <class Integer>
  Integer integer(const char* key, Integer least = 0, Integer most = std::numeric_limits<Integer>::max()) const {
    const Json& value = at(key);
    const bool fits = value.is_number_unsigned()
                          ? std::cmp_less_equal(value.get<std::uint64_t>(), most) &&
                                std::cmp_greater_equal(value.get<std::uint64_t>(), least)
                          : value.is_number_integer() && std::cmp_less_equal(value.get<std::int64_t>(), most) &&
                                std::cmp_greater_equal(value.get<std::int64_t>(), least);
    require(fits, wrong(key) + " is not a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                      "; " + advice);
    return value.get<Integer>();
  }
  double number(const char* key) const {
    const Json& value = at(key);
    require(value.is_number(), wrong(key) + " is not a number; " + advice);
    return value.get<double>();
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> texts;
    for (const auto& item : array(key)) texts.push_back(text_in(item, key, longest_name));
    return texts;
  }
  std::map<std::string, std::string> texts_by_name(const char* key) const {
    const Json& value = at(key);
    require(value.is_object(), wrong(key) + " is not an object; " + advice);
    std::map<std::string, std::string> texts;
    for (const auto& [name, text] : value.items()) texts[name] = text_in(text, key, longest_name);
    return texts;
  }
  const Json& array(const char* key) const {
    const Json& value = at(key);
    require(value.is_array(), wrong(key) + " is not a list; " + advice);
    return value;
  }
  std::string wrong(const char* key) const {
    return "malformed message: '" + std::string(key) + "' of '" + what_ + "'";
  }

  static constexpr const char* advice = "the sender is no Headrace process of this version";

 private:
  std::string text_in(const Json& value, const char* key, std::size_t longest) const {
    require(value.is_string() && value.get_ref<const std::string&>().size() <= longest,
            wrong(key) + " is not a text of at most " + std::to_string(longest) + " bytes; " + advice);
    return value.get<std::string>();
  }

  const Json& json_;
  std::string what_;
};

Json parse(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  require(json.is_object(), std::string("malformed message: not a JSON object; ") + Members::advice);
  return json;
}

/// theirs: "the trainer's library".
void check_version(const Members& members, const char* theirs, const char* ours) {
  const auto version = members.integer<std::uint32_t>("headrace");
  if (version != protocol_version)
    throw VersionMismatch(std::string(theirs) + " speaks protocol version " + std::to_string(version) + " and " + ours +
                          " version " + std::to_string(protocol_version) +
                          "; use libheadrace and the Python package of the same installation as the service");
}

Hello decode_hello(const Json& json) {
  const Members members(json, "hello");
  check_version(members, "the trainer's library", "the service");
  Hello hello;
  const auto role = members.text("role");
  require(
      role == "trainer" || role == "control",
      "malformed message: unknown role '" + role + "' in 'hello' (there are trainer and control); " + Members::advice);
  hello.role = role == "trainer" ? Role::trainer : Role::control;
  hello.stream = members.text("stream");
  constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max();
  hello.world_size = members.integer<std::uint32_t>("world_size", 1, most);
  hello.rank = members.integer<std::uint32_t>("rank", 0, most);
  hello.local_rank = members.integer<std::int32_t>("local_rank", -1);
  hello.host = members.text("host");
  hello.pid = members.integer<std::int64_t>("pid");
  if (json.contains("replica")) hello.replica = members.integer<std::uint32_t>("replica");
  if (json.contains("replicas")) hello.replicas = members.integer<std::uint32_t>("replicas");
  return hello;
}

Field decode_field(const Json& json) {
  const Members members(json, "field");
  Field field;
  field.name = members.text("name");
  const auto dtype = members.text("dtype");
  const auto type = dtype_named(dtype);
  require(type.has_value(), "field '" + field.name + "' has the unknown type '" + dtype + "'; " + Members::advice);
  field.dtype = *type;
  for (const auto& extent : members.array("shape")) {
    require(extent.is_number_unsigned(),
            members.wrong("shape") + " is not a list of whole numbers; " + Members::advice);
    field.shape.push_back(extent.get<std::uint64_t>());
  }
  field.columns = members.texts("columns");
  field.classes = members.texts("classes");
  return field;
}

Welcome decode_welcome(const Json& json) {
  const Members members(json, "welcome");
  check_version(members, "the service", "this trainer's library");
  Welcome welcome;
  welcome.service = members.text("service");
  welcome.stream = members.text("stream");
  welcome.rank = members.integer<std::uint32_t>("rank");
  welcome.world_size = members.integer<std::uint32_t>("world_size", 1);
  welcome.batches = members.integer<std::uint64_t>("batches");
  welcome.samples = members.integer<std::uint64_t>("samples");
  welcome.epochs = members.integer<std::uint64_t>("epochs");
  welcome.batch = members.integer<std::uint32_t>("batch", 1);
  welcome.slots = members.integer<std::uint32_t>("slots", 1, queue_capacity);
  if (json.contains("slot_rows")) welcome.slot_rows = members.integer<std::uint32_t>("slot_rows", 1, welcome.batch);
  welcome.epoch = members.integer<std::uint64_t>("epoch");
  welcome.step = members.integer<std::uint64_t>("step");
  welcome.generation = members.integer<std::uint32_t>("generation", 1);
  for (const auto& field : members.array("fields")) welcome.fields.push_back(decode_field(field));
  welcome.fingerprint = members.texts_by_name("fingerprint");
  welcome.ring_bytes = members.integer<std::uint64_t>("ring_bytes");
  welcome.stager = members.integer<std::uint32_t>("stager");
  welcome.pid = members.integer<std::int64_t>("pid");
  welcome.host = members.text("host");
  if (json.contains("last")) welcome.last = members.text("last");
  if (json.contains("replicas")) {
    welcome.replicas = members.integer<std::uint32_t>("replicas", 1, most_replicas);
    welcome.replica = members.integer<std::uint32_t>("replica", 0, welcome.replicas - 1);
  }
  return welcome;
}

constexpr std::size_t longest_text = 1 << 20;

Refused decode_refused(const Json& json) {
  const Members members(json, "error");
  const auto kind = members.text("kind");
  // A kind that this version does not know is still a no, and its text says why.
  return {kind == "version"  ? Refusal::version
          : kind == "failed" ? Refusal::failed
                             : Refusal::refused,
          members.text("text", longest_text)};
}

}  // namespace

FromClient decode_from_client(std::string_view text) {
  const auto json = parse(text);
  if (json.contains("headrace")) return decode_hello(json);
  if (const auto seek = json.find("seek"); seek != json.end()) {
    const Members members(*seek, "seek");
    return Seek{members.integer<std::uint32_t>("generation", 1), members.integer<std::uint64_t>("epoch"),
                members.integer<std::uint64_t>("step"),
                seek->contains("taken") ? members.integer<std::uint32_t>("taken") : 0};
  }
  if (const auto agree = json.find("agree"); agree != json.end()) {
    const Members members(*agree, "agree");
    return Agree{members.integer<std::uint64_t>("number"), members.integer<std::uint64_t>("epoch"),
                 members.integer<std::uint64_t>("step")};
  }
  if (json.contains("ask_files")) return AskFiles{};
  if (json.contains("goodbye")) return Goodbye{};
  if (json.contains("command")) {
    const Members members(json, "command");
    return Command{members.text("command"), std::string(text), json.contains("word") ? members.text("word") : ""};
  }
  throw Error(std::string("malformed message: none of hello, seek, agree, ask_files, goodbye and command; ") +
              Members::advice);
}

FromService decode_from_service(std::string_view text) {
  const auto json = parse(text);
  if (const auto loading = json.find("loading"); loading != json.end()) {
    const Members members(*loading, "loading");
    return Loading{members.text("what"), members.number("fraction")};
  }
  if (const auto welcome = json.find("welcome"); welcome != json.end()) return decode_welcome(*welcome);
  if (const auto agreed = json.find("agreed"); agreed != json.end()) {
    const Members members(*agreed, "agreed");
    return Agreed{members.integer<std::uint64_t>("number"), members.text("refusal", longest_text)};
  }
  if (json.contains("files")) return FilesTold{};
  if (const auto error = json.find("error"); error != json.end()) return decode_refused(*error);
  if (const auto dying = json.find("dying"); dying != json.end())
    return Dying{Members(*dying, "dying").text("text", longest_text)};
  throw Error(std::string("malformed message: none of loading, welcome, agreed, files, error and dying; ") +
              Members::advice);
}

}  // namespace headrace::ring
