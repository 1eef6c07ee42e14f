#include <cmath>
#include <nlohmann/json.hpp>

#include "base/contract.hpp"
#include "ring/messages.hpp"

namespace headrace::ring {

using Ordered = nlohmann::ordered_json;

namespace {

/// Host names and error texts may hold anything: bytes that are no UTF-8 are replaced, not thrown over.
std::string text_of(const Ordered& json) {
  return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

/// A list of mistakes may be long, and must not keep the message from arriving: the log has all of it.
std::string of_moderate_length(const std::string& text) {
  constexpr std::size_t most = std::size_t{16} << 10;
  return text.size() <= most ? text : text.substr(0, most) + " ... (the service's log has the rest)";
}

const char* name_of(Refusal kind) {
  switch (kind) {
    case Refusal::refused:
      return "refused";
    case Refusal::version:
      return "version";
    default:
      return "failed";
  }
}

}  // namespace

std::string encode(const Hello& hello) {
  Ordered said = {{"headrace", hello.version},
                  {"role", hello.role == Role::trainer ? "trainer" : "control"},
                  {"stream", hello.stream},
                  {"rank", hello.rank},
                  {"world_size", hello.world_size},
                  {"local_rank", hello.local_rank},
                  {"host", hello.host},
                  {"pid", hello.pid}};
  if (hello.replica != 0) said["replica"] = hello.replica;
  if (hello.replicas != 0) said["replicas"] = hello.replicas;
  return text_of(said);
}

std::string encode(const Seek& seek) {
  Ordered said = {{"seek", {{"generation", seek.generation}, {"epoch", seek.epoch}, {"step", seek.step}}}};
  if (seek.taken != 0) said["seek"]["taken"] = seek.taken;
  return text_of(said);
}

std::string encode(const Agree& agree) {
  return text_of({{"agree", {{"number", agree.number}, {"epoch", agree.epoch}, {"step", agree.step}}}});
}

std::string encode(const AskFiles&) {
  return R"({"ask_files":{}})";
}

std::string encode(const Goodbye&) {
  return R"({"goodbye":{}})";
}

std::string encode(const Command& command) {
  Ordered json{{"command", command.name}};
  if (!command.body.empty()) {
    const auto body = Ordered::parse(command.body, nullptr, false);
    EXPECTS(body.is_object());
    if (body.is_object()) json.update(body);
    json["command"] = command.name;
  }
  if (!command.word.empty()) json["word"] = command.word;
  return text_of(json);
}

std::string encode(const Loading& loading) {
  return text_of(
      {{"loading", {{"what", loading.what}, {"fraction", std::isfinite(loading.fraction) ? loading.fraction : -1}}}});
}

std::string encode(const Welcome& welcome) {
  Ordered fields = Ordered::array();
  for (const auto& field : welcome.fields)
    fields.push_back({{"name", field.name},
                      {"dtype", headrace::name_of(field.dtype)},
                      {"shape", field.shape},
                      {"columns", field.columns},
                      {"classes", field.classes}});
  Ordered said = {{"welcome",
                   {{"headrace", welcome.version},
                    {"service", welcome.service},
                    {"stream", welcome.stream},
                    {"rank", welcome.rank},
                    {"world_size", welcome.world_size},
                    {"batches", welcome.batches},
                    {"samples", welcome.samples},
                    {"epochs", welcome.epochs},
                    {"batch", welcome.batch},
                    {"slots", welcome.slots},
                    {"epoch", welcome.epoch},
                    {"step", welcome.step},
                    {"generation", welcome.generation},
                    {"fields", std::move(fields)},
                    {"fingerprint", welcome.fingerprint},
                    {"ring_bytes", welcome.ring_bytes},
                    {"stager", welcome.stager},
                    {"pid", welcome.pid},
                    {"host", welcome.host}}}};
  if (welcome.slot_rows != 0 && welcome.slot_rows != welcome.batch) said["welcome"]["slot_rows"] = welcome.slot_rows;
  if (!welcome.last.empty()) said["welcome"]["last"] = welcome.last;
  if (welcome.replicas > 1) {
    said["welcome"]["replica"] = welcome.replica;
    said["welcome"]["replicas"] = welcome.replicas;
  }
  return text_of(said);
}

std::string encode(const Agreed& agreed) {
  return text_of({{"agreed", {{"number", agreed.number}, {"refusal", agreed.refusal}}}});
}

std::string encode(const FilesTold&) {
  return R"({"files":{}})";
}

std::string encode(const Refused& refused) {
  return text_of({{"error", {{"kind", name_of(refused.kind)}, {"text", of_moderate_length(refused.text)}}}});
}

std::string encode(const Dying& dying) {
  return text_of({{"dying", {{"text", of_moderate_length(dying.text)}}}});
}

}  // namespace headrace::ring
