#include "agent/interruption.h"

#include <sys/epoll.h>

#include <cerrno>

#include "core/error.h"

namespace gpuassay {

Interruption::Interruption(NoticePipe* notices) : notices_(notices), either_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!either_) throw_errno(ErrorCode::internal, "cannot watch for what may stop the run", errno);
  watch(signals_.fd());
  if (notices_ != nullptr && notices_->fd() >= 0) watch(notices_->fd());
}

void Interruption::watch(int fd) const {
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(either_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw_errno(ErrorCode::internal, "cannot watch for what may stop the run", errno);
}

bool Interruption::requested() const {
  epoll_event event{};
  return ::epoll_wait(either_.get(), &event, 1, 0) > 0;
}

std::string Interruption::reason() {
  if (notices_ != nullptr) {
    if (const auto& notice = notices_->announced()) return *notice;
  }
  return "the run was asked to stop";
}

}  // namespace gpuassay
