// Is a function that we declared ourselves called the same way as the one in the library's own header?
#pragma once

#include <type_traits>
#include <utility>

namespace gpuassay::test {

template <class Ours, class Theirs>
constexpr bool same_passing();

/// Two pointers lead to the same thing: to numbers of one size and kind, or to something of which one side says no more
/// (void, a record that only the library knows, a struct compared elsewhere).
template <class Ours, class Theirs>
constexpr bool same_pointee() {
  constexpr bool is_open = std::is_void_v<Ours> || std::is_void_v<Theirs>;
  if constexpr (!is_open && (std::is_pointer_v<Ours> || std::is_pointer_v<Theirs>)) {
    return std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>;
  } else if constexpr (std::is_scalar_v<Ours> && std::is_scalar_v<Theirs>) {
    return same_passing<Ours, Theirs>();
  } else {
    return true;
  }
}

/// Two types travel the same way in a call: both pointers to the same, both the same floating type, both integers or
/// enums of one size, or both plain records of one size and alignment.
template <class Ours, class Theirs>
constexpr bool same_passing() {
  if constexpr (std::is_void_v<Ours> || std::is_void_v<Theirs>) {
    return std::is_void_v<Ours> && std::is_void_v<Theirs>;
  } else if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    return same_pointee<std::remove_cv_t<std::remove_pointer_t<Ours>>,
                        std::remove_cv_t<std::remove_pointer_t<Theirs>>>();
  } else if constexpr (std::is_class_v<Ours> || std::is_class_v<Theirs>) {
    return std::is_trivial_v<Ours> && std::is_trivial_v<Theirs> && sizeof(Ours) == sizeof(Theirs) &&
           alignof(Ours) == alignof(Theirs);
  } else if constexpr (std::is_floating_point_v<Ours> || std::is_floating_point_v<Theirs>) {
    return std::is_same_v<Ours, Theirs>;
  } else {
    return (std::is_integral_v<Ours> || std::is_enum_v<Ours>) &&
           (std::is_integral_v<Theirs> || std::is_enum_v<Theirs>) && sizeof(Ours) == sizeof(Theirs);
  }
}

template <class Ours, class Theirs>
struct SameSignature : std::false_type {};
template <class OurResult, class... OurArguments, class TheirResult, class... TheirArguments>
struct SameSignature<OurResult (*)(OurArguments...), TheirResult (*)(TheirArguments...)> {
  template <bool kSameCount>
  static constexpr bool arguments() {
    if constexpr (kSameCount) {
      return (same_passing<OurArguments, TheirArguments>() && ...);
    } else {
      return false;
    }
  }
  static constexpr bool value =
      same_passing<OurResult, TheirResult>() && arguments<sizeof...(OurArguments) == sizeof...(TheirArguments)>();
};

/// Whether the member of `Api` is called like the function of type `Theirs`.
template <class Api, auto kOurMember, class Theirs>
constexpr bool kSameSignature =
    SameSignature<std::remove_reference_t<decltype(std::declval<Api>().*kOurMember)>, Theirs>::value;

/// Whether two records have the same size and alignment.
template <class Ours, class Theirs>
constexpr bool kSameLayout = sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs);

}  // namespace gpuassay::test
