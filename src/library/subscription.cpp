#include <tickpipe/subscription.h>

#include <utility>

#include "library/subscription_impl.h"

namespace tickpipe {

Subscription::Subscription() noexcept = default;
Subscription::Subscription(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Subscription::~Subscription() = default;
Subscription::Subscription(Subscription&& other) noexcept = default;
Subscription& Subscription::operator=(Subscription&& other) noexcept = default;

void Subscription::cancel() {
  if (impl_) impl_->local().cancel();
}
bool Subscription::has_begun() const noexcept { return impl_ && impl_->local().has_begun(); }
std::uint64_t Subscription::delivered() const noexcept { return impl_ ? impl_->local().delivered() : 0; }
std::uint64_t Subscription::failed() const noexcept { return impl_ ? impl_->local().failed() : 0; }

}  // namespace tickpipe
