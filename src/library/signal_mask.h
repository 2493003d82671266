#pragma once

#include <pthread.h>
#include <signal.h>

namespace tickpipe::internal {

/// While it lives, threads that the calling one makes have all signals blocked, so that a handler of the program that
/// embeds us never runs on one of ours. Not those of a fault, which would end the process unseen, and of a profiler.
class SignalMask {
 public:
  SignalMask() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF}) {
      sigdelset(&all, number);
    }
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalMask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace tickpipe::internal
