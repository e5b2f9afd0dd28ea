// A reader and a writer that walk the same field table: Fields<T>::visit(archive, value) names every field once.
// Private to the files that bind a document; include it only there (it pulls in the JSON library).
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {

/// Specialised per document type: `template <class A, class T> static void visit(A& archive, T& value)`.
template <class T>
struct Fields;

/// Specialised for a type that documents hold as a string: `static std::string to_text(const T&)` and
/// `static std::optional<T> from_text(std::string_view)`, empty for a text that is none.
template <class T>
struct TextForm;
template <class T>
concept HasTextForm = requires(const T& value, std::string_view text) {
  TextForm<T>::to_text(value);
  TextForm<T>::from_text(text);
};

template <class T>
nlohmann::json write_value(const T& value);

/// Collects fields into a JSON object.
class FieldWriter {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = write_value(value);
  }
  /// A field that follows from others: written for readers of the document, recomputed when read.
  template <class F>
  void derived(const char* name, const F& compute) {
    object_[name] = write_value(compute());
  }
  /// A field that came with a later minor version, where it is written even when empty; documents of the versions
  /// before keep their bytes.
  template <class T>
  void added(const char* name, const std::optional<T>& value, bool even_empty) {
    if (value || even_empty) (*this)(name, value);
  }
  void tells_version(const char* /*name*/, bool /*is_later*/) {}
  /// A field that is left out, not null, when empty.
  template <class T>
  void omitted_when_empty(const char* name, const std::optional<T>& value) {
    if (value) object_[name] = write_value(*value);
  }
  template <class K, class V>
  void omitted_when_empty(const char* name, const std::map<K, V>& value) {
    if (!value.empty()) object_[name] = write_value(value);
  }
  template <class T>
  void omitted_when_empty(const char* name, const std::vector<T>& value) {
    if (!value.empty()) object_[name] = write_value(value);
  }
  nlohmann::json take() { return std::move(object_); }

 private:
  nlohmann::json object_ = nlohmann::json::object();
};

namespace json_detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};

inline std::string key_text(const std::string& key) { return key; }
template <class E>
  requires std::is_enum_v<E>
std::string key_text(E key) {
  return std::string(to_name(key));
}

[[noreturn]] inline void wrong(const std::string& pointer, const std::string& expected) {
  throw Error(ErrorCode::unreadable_input,
              "the document is not a gpuassay result: " + (pointer.empty() ? "/" : pointer) + " must be " + expected);
}

}  // namespace json_detail

template <class T>
nlohmann::json write_value(const T& value) {
  if constexpr (HasTextForm<T>) {
    return TextForm<T>::to_text(value);
  } else if constexpr (json_detail::IsOptional<T>::value) {
    return value ? write_value(*value) : nlohmann::json(nullptr);
  } else if constexpr (json_detail::IsVector<T>::value) {
    nlohmann::json array = nlohmann::json::array();
    for (const auto& element : value) array.push_back(write_value(element));
    return array;
  } else if constexpr (json_detail::IsMap<T>::value) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [key, element] : value) object[json_detail::key_text(key)] = write_value(element);
    return object;
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(to_name(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    // JSON has no NaN or infinity: a caller must use an empty optional for an unknown number.
    if (!std::isfinite(value)) throw Error(ErrorCode::internal, "a number of the document is not finite");
    // Whole numbers are written without ".0": shorter, and equal when read.
    constexpr double kExactIntegers = 9007199254740992.0;
    if (value == std::trunc(value) && std::abs(value) < kExactIntegers) return static_cast<std::int64_t>(value);
    return value;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return value;
  } else {
    FieldWriter writer;
    Fields<T>::visit(writer, value);
    return writer.take();
  }
}

template <class T>
void read_value(const nlohmann::json& json, const std::string& pointer, T& value);

/// Fills fields from a JSON object; remembers where it is for error messages.
class FieldReader {
 public:
  FieldReader(const nlohmann::json& object, std::string pointer) : object_(object), pointer_(std::move(pointer)) {
    if (!object_.is_object()) json_detail::wrong(pointer_, "an object");
  }
  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = object_.find(name);
    if (found == object_.end()) json_detail::wrong(pointer_ + "/" + name, "present");
    read_value(*found, pointer_ + "/" + name, value);
  }
  template <class F>
  void derived(const char* /*name*/, const F& /*compute*/) {}
  /// Documents of the later version have the field `name`.
  void tells_version(const char* name, bool& is_later) { is_later = object_.contains(name); }
  template <class T>
  void added(const char* name, std::optional<T>& value, bool /*even_empty*/) {
    value.reset();
    if (object_.contains(name)) (*this)(name, value);
  }
  template <class T>
  void omitted_when_empty(const char* name, std::optional<T>& value) {
    value.reset();
    if (object_.contains(name)) read_value(object_.at(name), pointer_ + "/" + name, value.emplace());
  }
  template <class K, class V>
  void omitted_when_empty(const char* name, std::map<K, V>& value) {
    value.clear();
    if (object_.contains(name)) read_value(object_.at(name), pointer_ + "/" + name, value);
  }
  template <class T>
  void omitted_when_empty(const char* name, std::vector<T>& value) {
    value.clear();
    if (object_.contains(name)) read_value(object_.at(name), pointer_ + "/" + name, value);
  }

 private:
  const nlohmann::json& object_;
  std::string pointer_;
};

namespace json_detail {

template <class T>
void read_integer(const nlohmann::json& json, const std::string& pointer, T& value) {
  if (json.is_number_unsigned() && std::in_range<T>(json.get<std::uint64_t>())) {
    value = static_cast<T>(json.get<std::uint64_t>());
  } else if (json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>())) {
    value = static_cast<T>(json.get<std::int64_t>());
  } else {
    json_detail::wrong(pointer, "an integer in range");
  }
}

template <class K, class V>
void read_map(const nlohmann::json& json, const std::string& pointer, std::map<K, V>& value) {
  if (!json.is_object()) json_detail::wrong(pointer, "an object");
  value.clear();
  for (const auto& [name, element] : json.items()) {
    V entry{};
    read_value(element, pointer + "/" + name, entry);
    if constexpr (std::is_enum_v<K>) {
      const std::optional<K> key = from_name<K>(name);
      if (!key) json_detail::wrong(pointer + "/" + name, "a known name");
      value.emplace(*key, std::move(entry));
    } else {
      value.emplace(name, std::move(entry));
    }
  }
}

}  // namespace json_detail

template <class T>
void read_value(const nlohmann::json& json, const std::string& pointer, T& value) {
  using namespace json_detail;
  if constexpr (HasTextForm<T>) {
    const auto known = json.is_string() ? TextForm<T>::from_text(json.get_ref<const std::string&>()) : std::nullopt;
    if (!known) json_detail::wrong(pointer, "a text of the right form");
    value = *known;
  } else if constexpr (IsOptional<T>::value) {
    value.reset();
    if (!json.is_null()) read_value(json, pointer, value.emplace());
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) json_detail::wrong(pointer, "an array");
    value.clear();
    value.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
      read_value(json[i], pointer + "/" + std::to_string(i), value.emplace_back());
    }
  } else if constexpr (IsMap<T>::value) {
    read_map(json, pointer, value);
  } else if constexpr (std::is_enum_v<T>) {
    const auto known = json.is_string() ? from_name<T>(json.get_ref<const std::string&>()) : std::nullopt;
    if (!known) json_detail::wrong(pointer, "one of the known names");
    value = *known;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) json_detail::wrong(pointer, "true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    read_integer(json, pointer, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number() || !std::isfinite(json.get<double>())) json_detail::wrong(pointer, "a number");
    value = json.get<double>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) json_detail::wrong(pointer, "a string");
    value = json.get_ref<const std::string&>();
  } else {
    FieldReader reader(json, pointer);
    Fields<T>::visit(reader, value);
  }
}

}  // namespace gpuassay
