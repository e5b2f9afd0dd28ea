#include "agent/probe/xid.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "core/ascii.h"

namespace gpuassay {
namespace {

constexpr std::string_view kMark = "NVRM: Xid (PCI:";
/// More than a driver logs in minutes; a log that never ends is not read to its end.
constexpr std::size_t kMostLogBytes = std::size_t{1} << 20;

std::optional<Xid> xid_of(std::string_view line) {
  const std::size_t mark = line.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(mark + kMark.size());
  const std::size_t end = rest.find("): ");
  constexpr std::size_t kLongestBus = 16;
  if (end > kLongestBus) return std::nullopt;  // not there at all, too
  Xid xid{lower_case(rest.substr(0, end)), 0};
  const std::string_view number = rest.substr(end + 3);
  constexpr int kMostNumber = 65535;
  const auto [after, problem] = std::from_chars(number.data(), number.data() + number.size(), xid.number);
  if (problem != std::errc() || xid.number < 0 || xid.number > kMostNumber) return std::nullopt;
  return xid;
}

}  // namespace

std::vector<Xid> parse_xids(std::string_view log) {
  std::vector<Xid> found;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    if (const auto xid = xid_of(log.substr(0, end))) found.push_back(*xid);
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return found;
}

bool concerns(const Xid& xid, std::string_view pci_bus_id) {
  return !xid.pci_bus.empty() && lower_case(pci_bus_id).starts_with(xid.pci_bus);
}

KernelLog::KernelLog(const SystemRoot& root) {
  const auto path = root.host_path("/dev/kmsg");
  if (!path) return;
  log_ = FileDescriptor(::open(path->c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log_.get() >= 0 && ::lseek(log_.get(), 0, SEEK_END) < 0) log_ = FileDescriptor();
}

std::optional<std::vector<Xid>> KernelLog::xids() const {
  if (log_.get() < 0) return std::nullopt;
  std::string text;
  std::array<char, 8192> record{};  // the longest the kernel gives; a smaller buffer is refused
  while (text.size() < kMostLogBytes) {
    const ssize_t size = ::read(log_.get(), record.data(), record.size());
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;  // records were overwritten: go on with the next
    if (size <= 0) break;
    text.append(record.data(), static_cast<std::size_t>(size));
  }
  return parse_xids(text);
}

}  // namespace gpuassay
