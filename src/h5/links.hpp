// The links of a file: which datasets they lead to, which groups go by several names, and which lead nowhere.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "h5/handle.hpp"
#include "h5/object.hpp"

namespace headrace::h5 {

/// A link to what is not there, or cannot be opened.
struct DeadLink {
  enum class Kind { hard, soft, external, other } kind = Kind::soft;
  std::string path;          ///< of the link, without the leading slash
  std::string file, target;  ///< what it names: a file (external links only), and a path in it
  std::string why;           ///< in HDF5's words, or ours
  bool operator==(const DeadLink&) const = default;
};

/// "a soft link to '/x' that leads nowhere (object 'x' doesn't exist)".
std::string text_of(const DeadLink& link);

/// Another name of a group: what lies below is listed under one of them only.
struct GroupAlias {
  std::string path, group;  ///< "" is the root
  bool operator==(const GroupAlias&) const = default;
};

struct LinkToDataset {
  std::string path;
  bool hard = false;  ///< in this file, all the way
};

struct Links {
  std::map<Identity, std::vector<LinkToDataset>> datasets;
  std::vector<GroupAlias> groups;  ///< by path
  std::vector<DeadLink> dead;      ///< by path
};

/// Every link, each group entered once, also those of other files behind external links: loops end. Error
/// where an external link leads to what is no file (a FIFO), which is never opened. Takes time in proportion to the
/// links.
Links walk_links(const File& file);

/// The path with names of groups replaced by those under which their datasets are listed.
std::string through_groups(const std::vector<GroupAlias>& groups, std::string path);

}  // namespace headrace::h5
