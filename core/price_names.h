// The names that the enums of a price row have in files and in the database.
#pragma once

#include "core/enums.h"
#include "core/prices.h"

namespace gpuassay {

template <>
struct EnumNames<PriceBasis> {
  static constexpr std::array<std::pair<PriceBasis, std::string_view>, 6> values{
      {{PriceBasis::instance, "instance"},
       {PriceBasis::per_gpu, "per_gpu"},
       {PriceBasis::vm_only, "vm_only"},
       {PriceBasis::gpu_addon, "gpu_addon"},
       {PriceBasis::storage, "storage"},
       {PriceBasis::uncertain, "uncertain"}}};
};
template <>
struct EnumNames<DatePrecision> {
  static constexpr std::array<std::pair<DatePrecision, std::string_view>, 4> values{{{DatePrecision::second, "second"},
                                                                                     {DatePrecision::day, "day"},
                                                                                     {DatePrecision::month, "month"},
                                                                                     {DatePrecision::year, "year"}}};
};
template <>
struct EnumNames<Confidence> {
  static constexpr std::array<std::pair<Confidence, std::string_view>, 3> values{
      {{Confidence::exact, "exact"}, {Confidence::inferred, "inferred"}, {Confidence::garbled, "garbled"}}};
};

template <>
struct EnumNames<PriceUnit> {
  static constexpr std::array<std::pair<PriceUnit, std::string_view>, 5> values{{{PriceUnit::second, "second"},
                                                                                 {PriceUnit::hour, "hour"},
                                                                                 {PriceUnit::month, "month"},
                                                                                 {PriceUnit::year, "year"},
                                                                                 {PriceUnit::term, "term"}}};
};
template <>
struct EnumNames<TaxTreatment> {
  static constexpr std::array<std::pair<TaxTreatment, std::string_view>, 3> values{
      {{TaxTreatment::excluded, "excluded"}, {TaxTreatment::included, "included"}, {TaxTreatment::unknown, "unknown"}}};
};

}  // namespace gpuassay
