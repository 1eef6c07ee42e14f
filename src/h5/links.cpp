#include "h5/links.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <set>
#include <string_view>

#include "base/reading_note.hpp"
#include "h5/error.hpp"
#include "h5/outside.hpp"

namespace headrace::h5 {

namespace {

constexpr std::size_t most_entered = 256;  // groups of other files: each holds its file open while we look

class Walk {
 public:
  explicit Walk(const File& file) {
    here_ = object_info(file.id()).identity;
    groups_[here_].entered = "";
    groups_[here_].known = true;
    enter(file.id(), "", true);
    enter_other_files(file.id());
  }

  Links links() {
    for (const auto& [identity, group] : groups_)
      for (const auto& name : group.names)
        if (name.path != group.entered) links_.groups.push_back({name.path, group.entered});
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(links_.groups.begin(), links_.groups.end(), by_path);
    std::sort(links_.dead.begin(), links_.dead.end(), by_path);
    return std::move(links_);
  }

 private:
  struct Group {
    std::vector<LinkToDataset> names;
    std::string entered;  // the name under which what lies below is listed
    bool known = false;   // whether there is one
  };

  /// Every link below a group of ours or, with a prefix, of another file.
  void enter(hid_t group, const std::string& prefix, bool hard) {
    prefix_ = prefix;
    hard_ = hard;
    ways_.clear();
    seen_ = {object_info(group).identity};
    parent_.clear();
    make_room(group);
    const auto visitor = [](hid_t root, const char* name, const LinkInfo* link, void* data) -> herr_t {
      auto& walk = *static_cast<Walk*>(data);
      try {
        walk.visit(root, name, *link);
        return 0;
      } catch (...) {  // exceptions must not pass through HDF5
        walk.failure_ = std::current_exception();
        return -1;
      }
    };
    const auto status = visit_links(group, visitor, this);
    if (failure_) std::rethrow_exception(failure_);
    check(status, "H5Lvisit");
  }

  void visit(hid_t root, const char* name, const LinkInfo& link) {
    note_progress();
    require_room();
    require_first_visit(name);
    std::string why;
    const auto object = object_info(root, name, &why);
    const bool hard = link.type == H5L_TYPE_HARD;
    if (!object) {
      links_.dead.push_back(dead(root, name, link, why));
    } else if (object->type == H5O_TYPE_DATASET) {
      links_.datasets[object->identity].push_back({prefix_ + name, hard && hard_});
    } else if (object->type == H5O_TYPE_GROUP) {
      if (hard && seen_.insert(object->identity).second) ways_.emplace(name);
      auto& group = groups_[object->identity];
      group.names.push_back({prefix_ + name, hard && hard_});
      // HDF5 goes down the first hard link to a group.
      if (hard && !group.known) {
        group.known = true;
        group.entered = prefix_ + name;
      }
      if (!hard && object->identity.file != here_.file) outside_.push_back(object->identity);
    }
  }

  /// Each link takes some bytes of its file, at least these: there are more only where HDF5 goes round.
  void make_room(hid_t object) {
    constexpr hsize_t link_bytes = 8;
    const File file(check(H5Iget_file_id(object), "H5Iget_file_id"));
    hsize_t bytes = 0;
    check(H5Fget_filesize(file.id(), &bytes), "H5Fget_filesize");
    room_ += bytes / link_bytes;
  }

  void require_room() {
    if (room_-- == 0) throw Error("it has more links than its bytes can hold; it is damaged: copy it anew");
  }

  /// HDF5 enters a group again by another link where the file says that it has only one: then it goes round for ever.
  void require_first_visit(std::string_view name) {
    const auto slash = name.rfind('/');
    const auto parent = name.substr(0, slash == std::string_view::npos ? 0 : slash);
    if (parent == parent_) return;
    if (!parent.empty() && !ways_.contains(parent))
      throw Error(
          fmt::format("group '{}{}' is another one as well, though the file says that only one link leads there; it is "
                      "damaged: copy it anew",
                      prefix_, parent));
    parent_ = parent;
  }

  /// Groups that only links of other kinds lead to lie in other files.
  void enter_other_files(hid_t file) {
    std::vector<Handle<H5Oclose>> held;  // a file that is closed between has another number when it is opened again
    for (std::size_t i = 0; i < outside_.size() && held.size() < most_entered; ++i) {
      auto& group = groups_[outside_[i]];
      if (group.known) continue;
      group.entered = group.names.front().path;
      group.known = true;
      const hid_t id = H5Oopen(file, group.entered.c_str(), link_access());
      if (id < 0) {
        links_.dead.push_back({DeadLink::Kind::other, group.entered, "", "", reason()});
        continue;
      }
      held.emplace_back(id);
      // Its file was closed since, and has another number now, unless another of the groups holds it open.
      auto& same = groups_[object_info(id).identity];
      if (same.known && &same != &group) {
        group.entered = same.entered;
        continue;
      }
      same.known = true;
      same.entered = group.entered;
      enter(id, group.entered + "/", false);
    }
  }

  DeadLink dead(hid_t root, const char* name, const LinkInfo& link, const std::string& why) const {
    DeadLink dead{DeadLink::Kind::other, prefix_ + name, "", "", why};
    if (link.type == H5L_TYPE_HARD) dead.kind = DeadLink::Kind::hard;
    if (link.type != H5L_TYPE_SOFT && link.type != H5L_TYPE_EXTERNAL) return dead;
    std::string value(link.u.val_size, '\0');
    if (value.empty() || H5Lget_val(root, name, value.data(), value.size(), H5P_DEFAULT) < 0) {
      H5Eclear2(H5E_DEFAULT);
      return dead;
    }
    if (link.type == H5L_TYPE_SOFT) {
      dead.kind = DeadLink::Kind::soft;
      dead.target = value.c_str();
      return dead;
    }
    dead.kind = DeadLink::Kind::external;
    unsigned flags = 0;
    const char *file = nullptr, *object = nullptr;
    if (H5Lunpack_elink_val(value.data(), value.size(), &flags, &file, &object) < 0) return dead;
    dead.file = file;
    dead.target = object;
    if (const auto missing = missing_outside(root, dead.file); !missing.empty()) dead.why = missing;
    return dead;
  }

  Links links_;
  Identity here_;
  std::map<Identity, Group> groups_;
  std::vector<Identity> outside_;
  std::string prefix_;
  std::set<Identity> seen_;                  // groups of this visit
  std::set<std::string, std::less<>> ways_;  // the first way to each of them
  std::string parent_;                       // of the last link
  std::uint64_t room_ = 0;                   // for so many links more
  bool hard_ = true;
  std::exception_ptr failure_;
};

}  // namespace

Links walk_links(const File& file) {
  return Walk(file).links();
}

std::string text_of(const DeadLink& link) {
  switch (link.kind) {
    case DeadLink::Kind::soft:
      return fmt::format("a soft link to '{}' that leads nowhere ({})", link.target, link.why);
    case DeadLink::Kind::external:
      return fmt::format("an external link to '{}' in {} that leads nowhere ({})", link.target, link.file, link.why);
    case DeadLink::Kind::hard:
    case DeadLink::Kind::other:
      break;
  }
  return fmt::format("a link to what cannot be opened ({})", link.why);
}

std::string through_groups(const std::vector<GroupAlias>& groups, std::string path) {
  // Each turn takes one of the names off; what it stands for holds none.
  for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1)) {
    const auto prefix = std::string_view(path).substr(0, slash);
    const auto at = std::lower_bound(groups.begin(), groups.end(), prefix,
                                     [](const GroupAlias& group, std::string_view name) { return group.path < name; });
    if (at == groups.end() || at->path != prefix) continue;
    path = (at->group.empty() ? "" : at->group + "/") + path.substr(slash + 1);
    slash = path.size();
  }
  return path;
}

}  // namespace headrace::h5
