#include <tickpipe/status.h>

#include "model/reason.h"
#include "model/system_status.h"

namespace tickpipe {

static_assert(static_cast<std::size_t>(Reason::kStoreUnavailable) ==
              internal::index_of(internal::Reason::kStoreUnavailable));
static_assert(static_cast<int>(Reason::kBadPrice) == static_cast<int>(internal::Reason::kBadPrice));
static_assert(static_cast<int>(HealthState::kUnhealthy) == static_cast<int>(internal::HealthState::kUnhealthy));

std::string_view to_string(Reason reason) noexcept {
  return internal::to_string(static_cast<internal::Reason>(reason));
}
std::string_view to_string(HealthState state) noexcept {
  return internal::to_string(static_cast<internal::HealthState>(state));
}

}  // namespace tickpipe
