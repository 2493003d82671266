#pragma once

#include <tickpipe/subscription.h>

#include <memory>
#include <utility>

#include "serve/stream/local_streams.h"

namespace tickpipe {

class Subscription::Impl {
 public:
  explicit Impl(std::unique_ptr<internal::LocalSubscription> local) : local_(std::move(local)) {}
  [[nodiscard]] internal::LocalSubscription& local() const noexcept { return *local_; }
  static Subscription make(std::unique_ptr<internal::LocalSubscription> local) {
    return local ? Subscription(std::make_unique<Impl>(std::move(local))) : Subscription();
  }

 private:
  const std::unique_ptr<internal::LocalSubscription> local_;
};

}  // namespace tickpipe
