#include "core/quick_schema.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <shared_mutex>
#include <string>
#include <unordered_set>

namespace gpuassay {
namespace {

using nlohmann::json;
using Judgement = QuickSchema::Verdict;

Judgement both(Judgement left, Judgement right) { return std::min(left, right); }
Judgement either(Judgement left, Judgement right) { return std::max(left, right); }
Judgement certain(bool is_valid) { return is_valid ? Judgement::valid : Judgement::invalid; }

/// Texts, true, false and null are equal or not; of numbers the library decides (is 1 the same as 1.0?).
Judgement is_equal(const json& value, const json& wanted) {
  if (value.is_structured() || wanted.is_structured() || (value.is_number() && wanted.is_number()))
    return Judgement::unsure;
  return certain(value == wanted);
}

/// The library reads such numbers as negative ones.
bool is_beyond_int64(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
}

/// Sets of types. A whole number is of two; whether 1.0 is one is left open.
enum : unsigned { kNull = 1, kBoolean = 2, kString = 4, kArray = 8, kObject = 16, kNumber = 32, kInteger = 64 };

unsigned types_of(const json& value) {
  switch (value.type()) {
    case json::value_t::null: return kNull;
    case json::value_t::boolean: return kBoolean;
    case json::value_t::string: return kString;
    case json::value_t::array: return kArray;
    case json::value_t::object: return kObject;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return kNumber | kInteger;
    case json::value_t::number_float: return kNumber;
    case json::value_t::binary:
    case json::value_t::discarded: break;
  }
  return 0;
}

/// 0 for a name that is no type.
unsigned type_named(const std::string& name) {
  static const std::map<std::string, unsigned> kTypes{{"null", kNull},      {"boolean", kBoolean}, {"string", kString},
                                                      {"array", kArray},    {"object", kObject},   {"number", kNumber},
                                                      {"integer", kInteger}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? 0 : found->second;
}

/// A regular expression and some texts that it matched: names of members and paths come again in every document, and to
/// match one takes a microsecond. Safe to use from any thread.
class Pattern {
 public:
  explicit Pattern(const std::string& text) : regex_(text) {}

  [[nodiscard]] bool matches(const std::string& text) const {
    {
      const std::shared_lock lock(mutex_);
      if (matched_.contains(text)) return true;
    }
    if (!std::regex_search(text, regex_)) return false;
    // Whoever fills it with texts that never come again makes it useless, not large.
    if (text.size() > kLongestKept) return true;
    const std::unique_lock lock(mutex_);
    if (matched_.size() < kMostKept) matched_.insert(text);
    return true;
  }

 private:
  static constexpr std::size_t kLongestKept = 128, kMostKept = 512;
  std::regex regex_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_set<std::string> matched_;
};

}  // namespace

/// The keywords of one schema object. What is not set asks for nothing.
struct QuickSchema::Rule {
  struct Member {
    const Rule* rule = nullptr;  // of its value
    bool is_required = false, is_declared = false;
  };

  bool has_unknown_keyword = false;
  const Rule* reference = nullptr;  // stands for the whole rule
  unsigned types = 0;               // one of these; 0: any
  std::optional<json> choices;      // an array: enum, const
  std::optional<double> minimum, maximum, exclusive_minimum;
  std::optional<std::size_t> max_length, min_items, max_items, max_properties;
  std::optional<Pattern> pattern;
  const Rule* items = nullptr;
  std::map<std::string, Member> members;  // in the order of a document's
  std::size_t required = 0;
  bool has_no_others = false;
  const Rule *others = nullptr, *names = nullptr;
  std::vector<const Rule*> all_of, any_of;
  const Rule *condition = nullptr, *then = nullptr, *otherwise = nullptr;

  [[nodiscard]] Judgement judge(const json& value) const;

 private:
  [[nodiscard]] Judgement judge_type(const json& value) const;
  [[nodiscard]] Judgement judge_number(double value) const;
  [[nodiscard]] Judgement judge_text(const std::string& text) const;
  [[nodiscard]] Judgement judge_array(const json& array) const;
  [[nodiscard]] Judgement judge_object(const json& object) const;
  [[nodiscard]] Judgement judge_member(const std::string& name, const json& value, const Member* named) const;
  [[nodiscard]] Judgement judge_combinations(const json& value) const;
};

Judgement QuickSchema::Rule::judge(const json& value) const {
  if (reference != nullptr) return reference->judge(value);
  if (has_unknown_keyword || is_beyond_int64(value)) return Judgement::unsure;
  Judgement verdict = judge_type(value);
  if (verdict == Judgement::invalid) return verdict;
  if (value.is_number()) verdict = both(verdict, judge_number(value.get<double>()));
  if (value.is_string()) verdict = both(verdict, judge_text(value.get_ref<const std::string&>()));
  if (value.is_array()) verdict = both(verdict, judge_array(value));
  if (value.is_object()) verdict = both(verdict, judge_object(value));
  return verdict == Judgement::invalid ? verdict : both(verdict, judge_combinations(value));
}

Judgement QuickSchema::Rule::judge_type(const json& value) const {
  const bool is_listed = types == 0 || (types & types_of(value)) != 0;
  if (!is_listed) return value.is_number_float() ? Judgement::unsure : Judgement::invalid;
  if (!choices) return Judgement::valid;
  Judgement verdict = Judgement::invalid;
  for (const json& choice : *choices) verdict = either(verdict, is_equal(value, choice));
  return verdict;
}

Judgement QuickSchema::Rule::judge_number(double value) const {
  return certain((!minimum || value >= *minimum) && (!maximum || value <= *maximum) &&
                 (!exclusive_minimum || value > *exclusive_minimum));
}

Judgement QuickSchema::Rule::judge_text(const std::string& text) const {
  if (pattern && !pattern->matches(text)) return Judgement::invalid;
  // The limit is of characters, of which a text has at most as many as bytes.
  return !max_length || text.size() <= *max_length ? Judgement::valid : Judgement::unsure;
}

Judgement QuickSchema::Rule::judge_array(const json& array) const {
  if ((min_items && array.size() < *min_items) || (max_items && array.size() > *max_items)) return Judgement::invalid;
  Judgement verdict = Judgement::valid;
  if (items == nullptr) return verdict;
  for (const json& item : array) {
    verdict = both(verdict, items->judge(item));
    if (verdict == Judgement::invalid) break;
  }
  return verdict;
}

Judgement QuickSchema::Rule::judge_object(const json& object) const {
  if (max_properties && object.size() > *max_properties) return Judgement::invalid;
  Judgement verdict = Judgement::valid;
  std::size_t required_seen = 0;
  auto next_named = members.begin();
  for (auto member = object.begin(); member != object.end() && verdict != Judgement::invalid; ++member) {
    while (next_named != members.end() && next_named->first < member.key()) ++next_named;
    const bool is_named = next_named != members.end() && next_named->first == member.key();
    if (is_named && next_named->second.is_required) ++required_seen;
    verdict = both(verdict, judge_member(member.key(), member.value(), is_named ? &next_named->second : nullptr));
  }
  return required_seen == required ? verdict : Judgement::invalid;
}

Judgement QuickSchema::Rule::judge_member(const std::string& name, const json& value, const Member* named) const {
  const Judgement name_verdict = names == nullptr ? Judgement::valid : names->judge(name);
  if (named != nullptr && named->is_declared) return both(name_verdict, named->rule->judge(value));
  if (has_no_others) return Judgement::invalid;
  return others == nullptr ? name_verdict : both(name_verdict, others->judge(value));
}

Judgement QuickSchema::Rule::judge_combinations(const json& value) const {
  Judgement verdict = Judgement::valid;
  for (const Rule* rule : all_of) verdict = both(verdict, rule->judge(value));
  Judgement any = any_of.empty() ? Judgement::valid : Judgement::invalid;
  for (const Rule* rule : any_of) any = either(any, rule->judge(value));
  verdict = both(verdict, any);
  if (condition == nullptr) return verdict;
  const Judgement holds = condition->judge(value);
  if (holds == Judgement::unsure) return both(verdict, Judgement::unsure);
  const Rule* const branch = holds == Judgement::valid ? then : otherwise;
  return branch == nullptr ? verdict : both(verdict, branch->judge(value));
}

/// Turns schema objects into rules, each place of the schema once, so that references may go in circles.
class QuickSchema::Reader {
 public:
  Reader(const json& root, std::vector<std::unique_ptr<Rule>>& rules) : root_(root), rules_(rules) {}

  const Rule* read(const json& schema) {
    const auto known = read_.find(&schema);
    if (known != read_.end()) return known->second;
    Rule& rule = *rules_.emplace_back(std::make_unique<Rule>());
    read_.emplace(&schema, &rule);
    if (!schema.is_object()) {
      rule.has_unknown_keyword = true;
      return &rule;
    }
    if (const auto target = schema.find("$ref"); target != schema.end()) {  // keywords beside it mean nothing
      const std::string place = target->get<std::string>();
      if (place.starts_with("#/"))
        rule.reference = read(root_.at(json::json_pointer(place.substr(1))));
      else
        rule.has_unknown_keyword = true;
      return &rule;
    }
    for (const auto& [keyword, value] : schema.items()) read_keyword(rule, keyword, value);
    return &rule;
  }

 private:
  void read_keyword(Rule& rule, const std::string& keyword, const json& value) {
    static const std::map<std::string, std::function<void(Reader&, Rule&, const json&)>> kKeywords{
        {"type", [](Reader&, Rule& to, const json& from) { read_types(to, from); }},
        {"enum", [](Reader&, Rule& to, const json& from) { to.choices = from; }},
        {"const", [](Reader&, Rule& to, const json& from) { to.choices = json::array({from}); }},
        {"minimum", [](Reader&, Rule& to, const json& from) { to.minimum = from; }},
        {"maximum", [](Reader&, Rule& to, const json& from) { to.maximum = from; }},
        {"exclusiveMinimum", [](Reader&, Rule& to, const json& from) { to.exclusive_minimum = from; }},
        {"maxLength", [](Reader&, Rule& to, const json& from) { to.max_length = from; }},
        {"minItems", [](Reader&, Rule& to, const json& from) { to.min_items = from; }},
        {"maxItems", [](Reader&, Rule& to, const json& from) { to.max_items = from; }},
        {"maxProperties", [](Reader&, Rule& to, const json& from) { to.max_properties = from; }},
        {"pattern", [](Reader&, Rule& to, const json& from) { to.pattern.emplace(from.get<std::string>()); }},
        {"items", [](Reader& reader, Rule& to, const json& from) { to.items = reader.read(from); }},
        {"propertyNames", [](Reader& reader, Rule& to, const json& from) { to.names = reader.read(from); }},
        {"allOf", [](Reader& reader, Rule& to, const json& from) { to.all_of = reader.read_list(from); }},
        {"anyOf", [](Reader& reader, Rule& to, const json& from) { to.any_of = reader.read_list(from); }},
        {"if", [](Reader& reader, Rule& to, const json& from) { to.condition = reader.read(from); }},
        {"then", [](Reader& reader, Rule& to, const json& from) { to.then = reader.read(from); }},
        {"else", [](Reader& reader, Rule& to, const json& from) { to.otherwise = reader.read(from); }},
        {"required", [](Reader&, Rule& to, const json& from) { require(to, from); }},
        {"properties", [](Reader& reader, Rule& to, const json& from) { reader.read_members(to, from); }},
        {"additionalProperties", [](Reader& reader, Rule& to, const json& from) { reader.read_others(to, from); }}};
    static const std::vector<std::string> kWords{"$schema", "$id", "$comment", "title", "description", "definitions"};
    const auto found = kKeywords.find(keyword);
    if (found != kKeywords.end())
      found->second(*this, rule, value);
    else if (std::find(kWords.begin(), kWords.end(), keyword) == kWords.end())
      rule.has_unknown_keyword = true;
  }

  static std::vector<std::string> texts(const json& value) {
    return value.is_string() ? std::vector{value.get<std::string>()} : value.get<std::vector<std::string>>();
  }
  static void read_types(Rule& rule, const json& names) {
    for (const std::string& name : texts(names)) {
      rule.types |= type_named(name);
      rule.has_unknown_keyword = rule.has_unknown_keyword || type_named(name) == 0;
    }
  }
  static void require(Rule& rule, const json& names) {
    for (const std::string& name : texts(names)) rule.members[name].is_required = true;
    rule.required = names.size();
  }
  void read_members(Rule& rule, const json& properties) {
    for (const auto& [name, schema] : properties.items()) {
      const Rule* const of_value = read(schema);
      rule.members[name].rule = of_value;
      rule.members[name].is_declared = true;
    }
  }
  void read_others(Rule& rule, const json& schema) {
    if (schema == json(false))
      rule.has_no_others = true;
    else if (schema != json(true))
      rule.others = read(schema);
  }
  std::vector<const Rule*> read_list(const json& schemas) {
    std::vector<const Rule*> list;
    for (const json& schema : schemas) list.push_back(read(schema));
    return list;
  }

  const json& root_;
  std::vector<std::unique_ptr<Rule>>& rules_;
  std::map<const json*, const Rule*> read_;
};

QuickSchema::QuickSchema(const json& schema) { Reader(schema, rules_).read(schema); }
QuickSchema::QuickSchema(QuickSchema&&) noexcept = default;
QuickSchema& QuickSchema::operator=(QuickSchema&&) noexcept = default;
QuickSchema::~QuickSchema() = default;

QuickSchema::Verdict QuickSchema::judge(const json& document) const { return rules_.front()->judge(document); }

}  // namespace gpuassay
