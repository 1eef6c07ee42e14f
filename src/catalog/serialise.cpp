#include "catalog/serialise.hpp"

#include <nlohmann/json.hpp>

namespace headrace::h5 {

using nlohmann::json;

static void to_json(json& j, const TypeInfo& t);
static void from_json(const json& j, TypeInfo& t);

static void to_json(json& j, const Member& m) {
  j = json::array({m.name, m.offset, json(m.type)});
}
static void from_json(const json& j, Member& m) {
  m = {j.at(0).get<std::string>(), j.at(1).get<std::uint64_t>(), j.at(2).get<TypeInfo>()};
}

static void to_json(json& j, const Label& l) {
  j = json::array({l.name, l.value});
}
static void from_json(const json& j, Label& l) {
  j.at(0).get_to(l.name);
  j.at(1).get_to(l.value);
}

static void to_json(json& j, const TypeInfo& t) {
  j = json::array({static_cast<int>(t.kind), t.size, t.is_signed, t.big_endian, t.standard, t.bfloat, json(t.members),
                   t.labels, t.dims, json(t.base), static_cast<int>(t.padding), t.utf8, t.time, t.timeval, t.oddity,
                   t.numpy});
}
static void from_json(const json& j, TypeInfo& t) {
  t.kind = static_cast<Kind>(j.at(0).get<int>());
  j.at(1).get_to(t.size);
  j.at(2).get_to(t.is_signed);
  j.at(3).get_to(t.big_endian);
  j.at(4).get_to(t.standard);
  j.at(5).get_to(t.bfloat);
  j.at(6).get_to(t.members);
  j.at(7).get_to(t.labels);
  j.at(8).get_to(t.dims);
  j.at(9).get_to(t.base);
  t.padding = static_cast<Padding>(j.at(10).get<int>());
  j.at(11).get_to(t.utf8);
  j.at(12).get_to(t.time);
  j.at(13).get_to(t.timeval);
  j.at(14).get_to(t.oddity);
  j.at(15).get_to(t.numpy);
}

static void to_json(json& j, const Filter& f) {
  j = json::array({f.id, f.name, f.values, f.available});
}
static void from_json(const json& j, Filter& f) {
  j.at(0).get_to(f.id);
  j.at(1).get_to(f.name);
  j.at(2).get_to(f.values);
  j.at(3).get_to(f.available);
}

static void to_json(json& j, const Attribute& a) {
  std::vector<std::pair<bool, std::uint64_t>> wholes;  // whether it is below zero, and its bits
  for (const auto& whole : a.wholes) wholes.emplace_back(whole.negative(), whole.bits());
  j = json::array({a.name, json(a.type), a.numbers, a.texts, wholes});
}
static void from_json(const json& j, Attribute& a) {
  j.at(0).get_to(a.name);
  j.at(1).get_to(a.type);
  j.at(2).get_to(a.numbers);
  j.at(3).get_to(a.texts);
  for (const auto& [negative, bits] : j.at(4).get<std::vector<std::pair<bool, std::uint64_t>>>())
    a.wholes.push_back(negative ? Whole(static_cast<std::int64_t>(bits)) : Whole(bits));
}

static void to_json(json& j, const Slab& s) {
  j = json::array({s.start, s.stride, s.count, s.block});
}
static void from_json(const json& j, Slab& s) {
  j.at(0).get_to(s.start);
  j.at(1).get_to(s.stride);
  j.at(2).get_to(s.count);
  j.at(3).get_to(s.block);
}

static void to_json(json& j, const VirtualPart& p) {
  j = json::array({p.file, p.dataset, json(p.to), json(p.from), p.unlimited, p.found});
}
static void from_json(const json& j, VirtualPart& p) {
  j.at(0).get_to(p.file);
  j.at(1).get_to(p.dataset);
  j.at(2).get_to(p.to);
  j.at(3).get_to(p.from);
  j.at(4).get_to(p.unlimited);
  j.at(5).get_to(p.found);
}

static void to_json(json& j, const GroupAlias& g) {
  j = json::array({g.path, g.group});
}
static void from_json(const json& j, GroupAlias& g) {
  j.at(0).get_to(g.path);
  j.at(1).get_to(g.group);
}

static void to_json(json& j, const DeadLink& l) {
  j = json::array({static_cast<int>(l.kind), l.path, l.file, l.target, l.why});
}
static void from_json(const json& j, DeadLink& l) {
  l.kind = static_cast<DeadLink::Kind>(j.at(0).get<int>());
  j.at(1).get_to(l.path);
  j.at(2).get_to(l.file);
  j.at(3).get_to(l.target);
  j.at(4).get_to(l.why);
}

static void to_json(json& j, const DatasetInfo& d) {
  j = json::array({d.path, d.dims, json(d.type), static_cast<int>(d.layout), d.chunk, json(d.filters),
                   d.partial_chunks_unfiltered, d.stored_bytes, d.offset ? json(*d.offset) : json(), d.aliases,
                   d.problem, json(d.attributes), json(d.parts), d.home, d.stored_as, d.lost, d.other_file,
                   d.raw_files});
}
static void from_json(const json& j, DatasetInfo& d) {
  j.at(0).get_to(d.path);
  j.at(1).get_to(d.dims);
  j.at(2).get_to(d.type);
  d.layout = static_cast<Layout>(j.at(3).get<int>());
  j.at(4).get_to(d.chunk);
  j.at(5).get_to(d.filters);
  j.at(6).get_to(d.partial_chunks_unfiltered);
  j.at(7).get_to(d.stored_bytes);
  j.at(9).get_to(d.aliases);
  j.at(10).get_to(d.problem);
  j.at(11).get_to(d.attributes);
  j.at(12).get_to(d.parts);
  j.at(13).get_to(d.home);
  j.at(14).get_to(d.stored_as);
  j.at(15).get_to(d.lost);
  j.at(16).get_to(d.other_file);
  j.at(17).get_to(d.raw_files);
  if (!j.at(8).is_null()) d.offset = j.at(8).get<std::uint64_t>();
}

}  // namespace headrace::h5

namespace headrace::catalog {

std::string pack(const FileContents& file) {
  const auto j = nlohmann::json::array({file.path, file.bytes, file.mtime_ns, file.head, nlohmann::json(file.datasets),
                                        file.conventions, file.netcdf, nlohmann::json(file.groups),
                                        nlohmann::json(file.dead_links)});
  std::string bytes;
  nlohmann::json::to_cbor(j, bytes);
  return bytes;
}

FileContents unpack(const std::string& bytes) {
  const auto j = nlohmann::json::from_cbor(bytes);
  FileContents file{};
  j.at(0).get_to(file.path);
  j.at(1).get_to(file.bytes);
  j.at(2).get_to(file.mtime_ns);
  j.at(3).get_to(file.head);
  j.at(4).get_to(file.datasets);
  j.at(5).get_to(file.conventions);
  j.at(6).get_to(file.netcdf);
  j.at(7).get_to(file.groups);
  j.at(8).get_to(file.dead_links);
  return file;
}

}  // namespace headrace::catalog
