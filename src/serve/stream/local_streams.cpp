#include "serve/stream/local_streams.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>
#include <utility>

#include "core/safe_text.h"
#include "serve/stream/stream_group.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kLogEvery{1};
constexpr std::chrono::seconds kDrain{5};
constexpr std::chrono::milliseconds kLookAgain{2};
/// Quotes that a subscription is given before others have their turn.
constexpr std::size_t kQuotesAtOnce = 32;

}  // namespace

/// The group's side of a subscription. On the loop's thread, but for cancel() and the counters.
class LocalSubscription::Receiver final : public StreamReceiver {
 public:
  Receiver(std::shared_ptr<IoLoop> loop, Log& log, QuoteHandler handler,
           std::shared_ptr<const std::atomic<bool>> gives_up)
      : StreamReceiver(std::nullopt),
        loop_(std::move(loop)),
        log_(log),
        handler_(std::move(handler)),
        gives_up_(std::move(gives_up)) {}

  void begin(std::shared_ptr<StreamGroup> group, const std::vector<Name>& symbols, const QuoteOptions& options) {
    if (is_cancelled_ || !group) return;  // it came too late
    group_ = std::move(group);
    options_ = options;
    options_.resume_after.reset();
    options_.is_unrecovered = false;
    group_->add(shared_from_this());
    if (symbols.empty()) group_->subscribe_all_quotes(*this, options_);
    for (const Name& name : symbols) {
      if (const auto symbol = group_->find_or_wait(*this, name))
        group_->subscribe_quotes(*this, *symbol, options_, false);
    }
    has_begun_ = true;
  }

  void flush() override {
    if (is_stuck()) return;
    std::string& taken = group_->flush_buffer();
    taken.clear();
    group_->collect(*this, taken, kQuotesAtOnce);
    if (!is_stuck() && !ready_quotes.empty()) group_->enqueue(*this);
  }
  [[nodiscard]] bool is_stuck() const noexcept override { return group_ == nullptr || is_cancelled_; }
  [[nodiscard]] bool is_closed() const noexcept override { return is_stuck(); }
  void close() override {
    is_cancelled_ = true;
    if (const auto group = std::exchange(group_, nullptr)) group->remove(*this);
  }
  void end_gracefully() override { close(); }
  void end_as_too_slow(std::string_view /*reason*/) override {}  // never said: it bears gaps and has no bars
  void end_as_failed(std::string_view /*reason*/) override {}    // nor this, which is of bars
  [[nodiscard]] bool bears_gaps() const noexcept override { return true; }
  void on_symbol(SymbolId symbol, const std::string& /*name*/) override {
    group_->subscribe_quotes(*this, symbol, options_, false);
  }
  void take_quote(std::string& out, const Tick& tick, std::string_view /*message*/, const MessageExtras& extras,
                  const QuoteSubscription& /*subscription*/) override {
    out.push_back('.');  // what is collected is counted by its size
    const std::lock_guard lock(call_);
    if (is_cancelled_ || *gives_up_) return;
    delivered_.fetch_add(1, std::memory_order_relaxed);
    try {
      handler_(tick, extras);
    } catch (const std::exception& error) {
      note_failure(error.what());
    } catch (...) {
      note_failure("an exception that is no std::exception");
    }
  }

  void cancel() {
    if (!is_cancelled_.exchange(true)) {
      loop_->post([self = std::static_pointer_cast<Receiver>(shared_from_this())] { self->close(); });
    }
    if (loop_->is_this_thread()) return;
    const std::lock_guard lock(call_);  // until the call under way has ended
  }
  [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  void note_failure(std::string_view what) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    const auto now = SteadyClock::now();
    if (logged_ != SteadyClock::time_point{} && now - logged_ < kLogEvery) return;
    logged_ = now;
    log_.error("Stream", "A handler of quotes threw: " + safe_text(what));
  }

  const std::shared_ptr<IoLoop> loop_;
  Log& log_;
  const QuoteHandler handler_;
  const std::shared_ptr<const std::atomic<bool>> gives_up_;
  QuoteOptions options_;
  std::shared_ptr<StreamGroup> group_;  ///< null before begin() and after close()
  std::atomic<bool> has_begun_{false};
  std::atomic<bool> is_cancelled_{false};
  std::mutex call_;  ///< held while the handler is called
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> failed_{0};
  SteadyClock::time_point logged_;
};

LocalSubscription::LocalSubscription(std::shared_ptr<Receiver> receiver) : receiver_(std::move(receiver)) {}
LocalSubscription::~LocalSubscription() { cancel(); }
void LocalSubscription::cancel() { receiver_->cancel(); }
bool LocalSubscription::has_begun() const noexcept { return receiver_->has_begun(); }
std::uint64_t LocalSubscription::delivered() const noexcept { return receiver_->delivered(); }
std::uint64_t LocalSubscription::failed() const noexcept { return receiver_->failed(); }

LocalStreams::LocalStreams(StreamHub& hub, Log& log)
    : hub_(hub), log_(log), gives_up_(std::make_shared<std::atomic<bool>>(false)) {}

LocalStreams::~LocalStreams() { stop(); }

void LocalStreams::stop() {
  if (!thread_.joinable()) return;
  loop_->post([this] { end_when_idle(); });
  if (ended_.get_future().wait_for(kDrain) != std::future_status::ready) {
    *gives_up_ = true;
    loop_->post([this] { end_when_idle(); });
  }
  thread_.join();
  loop_->close();
}

void LocalStreams::end_when_idle() {
  if (!group_) return;  // it has ended
  group_->end_all_intervals();
  if (!group_->is_idle() && !*gives_up_) {
    if (!idle_timer_) idle_timer_ = std::make_unique<IoLoop::Timer>(*loop_);
    return idle_timer_->start(std::chrono::steady_clock::now() + kLookAgain, [this] { end_when_idle(); });
  }
  idle_timer_.reset();
  group_.reset();
  hub_.close_clients(*loop_);
  loop_->stop();
  ended_.set_value();
}

void LocalStreams::start() {
  const std::lock_guard lock(mutex_);
  if (loop_) return;
  auto loop = std::make_shared<IoLoop>(log_);
  thread_ = std::thread([loop] { loop->run(); });
  loop_ = std::move(loop);
  loop_->post([this] { group_ = hub_.group_of(loop_); });
}

std::unique_ptr<LocalSubscription> LocalStreams::subscribe(std::vector<Name> symbols, const QuoteOptions& options,
                                                           QuoteHandler handler) {
  start();
  std::sort(symbols.begin(), symbols.end(), [](const Name& a, const Name& b) { return a.view() < b.view(); });
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  auto receiver = std::make_shared<LocalSubscription::Receiver>(loop_, log_, std::move(handler), gives_up_);
  loop_->post([this, receiver, symbols = std::move(symbols), options] { receiver->begin(group_, symbols, options); });
  return std::unique_ptr<LocalSubscription>(new LocalSubscription(std::move(receiver)));
}

}  // namespace tickpipe::internal
