#include "config/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>

namespace headrace::config {

namespace {

namespace po = boost::program_options;

/// --stream.val.batch: a key of a section.
struct SectionFlag {
  std::string kind, section, key;
};

std::optional<SectionFlag> section_flag(const std::string& name) {
  for (const std::string kind : {"field", "stream", "class"}) {
    const auto last = name.rfind('.');
    if (name.rfind(kind + ".", 0) == 0 && last > kind.size() + 1 && last + 1 < name.size())
      return SectionFlag{kind, name.substr(kind.size() + 1, last - kind.size() - 1), name.substr(last + 1)};
  }
  return std::nullopt;
}

bool looks_like_flag(const std::string& token) {
  return token.size() > 1 && token[0] == '-' && token.find_first_of("0123456789.:", 1) != 1;
}

/// Declares to Boost what the command takes, and turns what Boost found into Arguments.
class Parser {
 public:
  Parser(const Command& command, Mistakes& mistakes) : command_(command), mistakes_(mistakes) {
    declare("help", 'h', true);
    for (const auto& flag : command.flags) declare(flag.name, flag.letter, flag.value.empty());
    if (!command.configured) return;
    declare("config", 'c', false);
    for (const auto& key : keys())
      if (find_key("", key.name) == &key) declare(key);
  }

  Arguments parse(const std::vector<std::string>& args) {
    const auto flags = sort_out(args);
    try {
      using namespace po::command_line_style;
      const auto parsed = po::command_line_parser(flags).options(options_).style(unix_style & ~allow_guessing).run();
      for (const auto& option : parsed.options) take(option.string_key, option.value);
    } catch (const po::error& error) {
      mistakes_.add(std::string(error.what()) + "; see 'headrace " + command_.name + " --help'");
    }
    return std::move(result_);
  }

 private:
  void declare(const std::string& name, char letter, bool toggle) {
    const auto spelled = letter ? name + "," + letter : name;
    options_.add_options()(spelled.c_str(), po::value<std::vector<std::string>>());
    names_.push_back(name);
    switches_[name] = toggle;
    if (letter) letters_[letter] = name;
  }
  void declare(const Key& key) { declare(std::string(key.name), key.letter, key.kind == Kind::toggle); }

  /// The flags of this command and their values. Positional arguments go to the result; flags that the command does not
  /// have are mistakes. Section flags are declared here, as they come.
  std::vector<std::string> sort_out(const std::vector<std::string>& args) {
    std::vector<std::string> flags;
    for (std::size_t i = 0; i < args.size(); ++i) {
      const auto& token = args[i];
      const bool others = command_.wraps && !looks_like_flag(token);
      if (token == "--" || others) {
        result_.positional.insert(result_.positional.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + !others,
                                  args.end());
        break;
      }
      if (!looks_like_flag(token)) {
        result_.positional.push_back(token);
        continue;
      }
      const auto name = resolve(token);
      if (!name) {
        std::error_code ignored;  // what follows is more likely its value than a file that is not there
        if (token.find('=') == std::string::npos && i + 1 < args.size() && !looks_like_flag(args[i + 1]) &&
            !std::filesystem::exists(args[i + 1], ignored))
          ++i;
        continue;
      }
      const bool has_value = token[1] == '-' ? token.find('=') != std::string::npos : token.size() > 2;
      if (switches_[*name] && !has_value) {
        flags.push_back("--" + *name + "=true");  // Boost would take the next token for its value
        continue;
      }
      flags.push_back(token);
      if (!has_value && i + 1 < args.size()) flags.push_back(args[++i]);
    }
    return flags;
  }

  /// The long name of the flag in this token; nothing, and a mistake, if the command has none such.
  std::optional<std::string> resolve(const std::string& token) {
    if (token[1] != '-') {
      const auto letter = letters_.find(token[1]);
      if (letter != letters_.end()) return letter->second;
      mistakes_.add("unknown flag '" + token + "'; see 'headrace " + command_.name + " --help'");
      return std::nullopt;
    }
    const auto name = token.substr(2, token.find('=') - 2);
    if (switches_.count(name)) return name;
    if (const auto section = section_flag(name); section && command_.configured) {
      if (const auto* key = find_key(section->kind, section->key)) {
        declare(name, 0, key->kind == Kind::toggle);
        return name;
      }
      mistakes_.add("unknown key '" + section->key + "' in flag '--" + name + "'" +
                        did_you_mean(section->key, key_names(section->kind)),
                    {section->kind, section->section, meant_key(section->kind, section->key)});
      return std::nullopt;
    }
    const auto meant = nearest(name, names_);
    mistakes_.add("unknown flag '--" + name + "'" + (meant.empty() ? "" : "; did you mean '--" + meant + "'?") +
                      " (all of them: headrace " + command_.name + " --help)",
                  {"", "", meant});
    return std::nullopt;
  }

  void take(const std::string& name, const std::vector<std::string>& values) {
    const auto text = values.empty() ? std::string() : values.front();
    if (name == "help") {
      result_.help = true;
    } else if (const auto section = section_flag(name); section && command_.configured) {
      set(find_key(section->kind, section->key), *section, name, text);
    } else if (own(name)) {
      if (!result_.flags.emplace(name, text).second) twice(name);
    } else if (name == "config") {
      if (!result_.config.empty()) twice(name);
      result_.config = text;
    } else {
      set(find_key("", name), {}, name, text);
    }
  }

  void set(const Key* key, const SectionFlag& at, const std::string& name, const std::string& text) {
    for (auto& earlier : result_.settings)
      if (earlier.key == key && earlier.kind == at.kind && earlier.section == at.section) {
        if (key->kind != Kind::list && key->kind != Kind::pairs) return twice(name);
        earlier.value.texts.push_back(text);
        return;
      }
    const auto shown = "--" + name + (key->kind == Kind::toggle ? "=" : " ") + text;
    const bool several = key->kind == Kind::texts || key->kind == Kind::numbers;
    auto texts = several ? split_items(text) : std::vector<std::string>{text};
    result_.settings.push_back({Source::flag, key, at.kind, at.section, {std::move(texts), shown}});
  }

  bool own(const std::string& name) const {
    return std::any_of(command_.flags.begin(), command_.flags.end(), [&](const Flag& f) { return f.name == name; });
  }
  void twice(const std::string& name) { mistakes_.add("flag '--" + name + "' is given twice; give it once"); }

  const Command& command_;
  Mistakes& mistakes_;
  po::options_description options_;
  std::vector<std::string> names_;
  std::map<std::string, bool> switches_;  // name -> is a switch
  std::map<char, std::string> letters_;
  Arguments result_;
};

}  // namespace

Value Arguments::value(const std::string& flag, const std::string& fallback) const {
  const auto given = flags.find(flag);
  const auto& text = given == flags.end() ? fallback : given->second;
  return {{text}, "--" + flag + " " + text};
}

Arguments parse_arguments(const Command& command, const std::vector<std::string>& args, Mistakes& mistakes) {
  return Parser(command, mistakes).parse(args);
}

}  // namespace headrace::config
