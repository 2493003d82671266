#include "ingest/ingest_service.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "ingest/json_body.h"
#include "ingest/json_decoder.h"
#include "ingest/quote_producer.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxErrors = 100;
/// How often it is looked whether commits are stuck on a failing store.
constexpr std::chrono::milliseconds kLookAfter{100};
constexpr const char* kStoreFails = "the store cannot be written at the moment";

/// The details that go with reasons found behind the decoder.
const char* detail_of(Reason reason) {
  switch (reason) {
    case Reason::kDuplicate:
      return "the same LP, symbol, time and prices were accepted before";
    case Reason::kImplausiblePrice:
      return "too far from the last accepted quote; accepted at the tenth that agrees";
    case Reason::kSpike:
      return "moved by price_sanity_threshold or more";
    case Reason::kTooOld:
      return "older than max_tick_age_seconds; history goes to ?historical=true";
    case Reason::kInFuture:
      return "further ahead than max_future_seconds";
    case Reason::kUnknownSymbol:
      return "not in the configured symbols";
    case Reason::kTooManySymbols:
      return "max_symbols is reached";
    case Reason::kTooManyLps:
      return "max_lps is reached";
    case Reason::kLineTooLong:
      return "longer than ingest.max_line_bytes";
    case Reason::kBadTimestamp:
      return "history needs a timestamp";
    case Reason::kStoreUnavailable:
      return kStoreFails;
    default:
      return "";
  }
}

}  // namespace

struct IngestService::Decoders {
  JsonDecoder live{false};
  JsonDecoder historical{true};
};

/// One body whose quotes are under way.
class IngestService::Request : public std::enable_shared_from_this<Request> {
 public:
  Request(std::size_t shard_count, std::function<void(IngestAnswer)> done)
      : lines_(shard_count), done_(std::move(done)) {}

  // The thread that decodes.
  void refuse(std::uint64_t line, Reason reason, const char* detail) {
    ++answer_.received;
    add_error(answer_, line, reason, *detail != '\0' ? detail : detail_of(reason));
  }
  void submitted(std::uint64_t line, std::size_t shard) {
    ++answer_.received;
    lines_[shard].push_back(line);
  }
  /// The last `count` of a shard never went there.
  void lost(std::size_t shard, std::size_t count) {
    for (; count != 0; --count) {
      add_error(answer_, lines_[shard].back(), Reason::kStoreUnavailable, kStoreFails);
      lines_[shard].pop_back();
    }
  }
  [[nodiscard]] std::uint64_t under_way() const {
    std::uint64_t count = 0;
    for (const auto& lines : lines_) count += lines.size();
    return count;
  }
  void set_ticket(std::shared_ptr<VerdictTicket> ticket) { ticket_ = std::move(ticket); }
  [[nodiscard]] const VerdictTicket& ticket() const { return *ticket_; }

  void refuse_all(IngestAnswer::Outcome outcome) {
    IngestAnswer refused;
    refused.outcome = outcome;
    done_(std::move(refused));
  }
  [[nodiscard]] bool is_sealed() const { return ticket_->is_sealed(); }

  // Once sealed, any thread; the first call answers.
  void answer() {
    if (is_answered_.exchange(true)) return;
    IngestAnswer answer = std::move(answer_);
    answer.pending = ticket_->outstanding();
    std::uint64_t refused = 0;
    for (const VerdictTicket::Refusal& refusal : ticket_->refusals()) {
      add_error(answer, lines_[refusal.shard][refusal.index], refusal.reason, detail_of(refusal.reason));
      ++refused;
    }
    const std::uint64_t settled = under_way() - refused;
    answer.pending = std::min(answer.pending, settled);
    answer.accepted = settled - answer.pending;
    trim(answer.errors);
    std::sort(answer.errors.begin(), answer.errors.end(), by_line);
    if (answer.pending != 0 || is_store_failing_) {
      answer.outcome = IngestAnswer::Outcome::kStoreUnavailable;
      answer.detail = kStoreFails;
    }
    done_(std::move(answer));
  }

 private:
  static bool by_line(const IngestError& a, const IngestError& b) { return a.line < b.line; }
  static void trim(std::vector<IngestError>& errors) {
    if (errors.size() <= kMaxErrors) return;
    std::nth_element(errors.begin(), errors.begin() + kMaxErrors, errors.end(), by_line);
    errors.resize(kMaxErrors);
  }
  void add_error(IngestAnswer& answer, std::uint64_t line, Reason reason, const char* detail) {
    ++answer.rejected;
    if (reason == Reason::kStoreUnavailable) is_store_failing_ = true;
    answer.errors.push_back({line, reason, detail});
    if (answer.errors.size() >= 8 * kMaxErrors) trim(answer.errors);
  }

  IngestAnswer answer_;
  bool is_store_failing_ = false;
  std::vector<std::vector<std::uint64_t>> lines_;  ///< per shard, of the quotes that went there, in order
  std::shared_ptr<VerdictTicket> ticket_;
  const std::function<void(IngestAnswer)> done_;
  std::atomic<bool> is_answered_{false};
};

IngestService::IngestService(Options options, Intake& intake, VerdictLedger& ledger)
    : options_(options), intake_(intake), ledger_(ledger) {}

IngestService::~IngestService() {
  stop();
  give_up();
}

void IngestService::start() {
  for (unsigned i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), ("ingest-" + std::to_string(i)).c_str());
      work();
    });
  }
}

void IngestService::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

void IngestService::give_up() { answer_stalled(true); }

void IngestService::ingest(std::string body, QuoteOrigin origin, std::function<void(IngestAnswer)> done) {
  IngestAnswer refusal;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) {
      refusal.outcome = IngestAnswer::Outcome::kStopping;
    } else if (queued_bytes_ != 0 && queued_bytes_ + body.size() > options_.max_queued_bytes) {
      refusal.outcome = IngestAnswer::Outcome::kBusy;
    } else {
      queued_bytes_ += body.size();
      jobs_.push_back(
          {std::move(body), origin, std::move(done), std::chrono::steady_clock::now() + options_.wait_for_room});
      wake_.notify_one();
      return;
    }
  }
  done(std::move(refusal));
}

void IngestService::work() {
  QuoteProducer producer(intake_, *parse_lp("HTTP"), QuoteProducer::WhenFull::kWait);
  Decoders decoders;
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      while (jobs_.empty() && !is_stopping_) {
        lock.unlock();
        if (intake_.is_refusing()) answer_stalled(false);
        const bool is_waiting = [this] {
          const std::lock_guard open_lock(open_mutex_);
          return !open_.empty();
        }();
        lock.lock();
        const auto has_work = [this] { return !jobs_.empty() || is_stopping_; };
        if (is_waiting) {
          wake_.wait_for(lock, kLookAfter, has_work);
        } else {
          wake_.wait(lock, has_work);
        }
      }
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      queued_bytes_ -= job.body.size();
    }
    take(std::move(job), producer, decoders);
  }
}

void IngestService::take(Job job, QuoteProducer& producer, Decoders& decoders) {
  JsonDecoder& decoder = job.origin == QuoteOrigin::kLive ? decoders.live : decoders.historical;
  bool has_room = intake_.wait_for_room(std::chrono::nanoseconds{0});
  while (!has_room && !intake_.is_refusing() && std::chrono::steady_clock::now() < job.deadline) {
    has_room = intake_.wait_for_room(kLookAfter);
  }
  if (intake_.is_refusing()) {
    answer_stalled(false);
  } else if (!has_room) {
    IngestAnswer busy;
    busy.outcome = IngestAnswer::Outcome::kBusy;
    return job.done(std::move(busy));
  }
  JsonBody body(std::move(job.body), options_.max_line_bytes);
  if (!body.well_formed()) {
    IngestAnswer refused;
    refused.outcome = IngestAnswer::Outcome::kNotWellFormed;
    refused.detail = std::string(body.error_text()) + " at byte " + std::to_string(body.error_offset());
    return job.done(std::move(refused));
  }
  const auto request = std::make_shared<Request>(intake_.inbox_count(), std::move(job.done));
  const auto ticket = ledger_.open([this, raw = request.get(), weak = std::weak_ptr(request)] {
    if (const auto self = weak.lock()) {
      self->answer();
      forget(*raw);
    }
  });
  if (!ticket) return request->refuse_all(IngestAnswer::Outcome::kBusy);
  request->set_ticket(ticket);
  {
    const std::lock_guard lock(open_mutex_);
    open_.push_back(request);
  }
  producer.set_verdict_sink(ticket->sink());
  producer.refuse_all(false);
  producer.take_time();
  const auto note_lost = [&] {
    if (!producer.has_lost()) return;
    producer.refuse_all(true);
    for (std::size_t shard = 0; shard < intake_.inbox_count(); ++shard) {
      request->lost(shard, producer.take_lost(shard));
    }
  };
  Line line;
  RawQuote quote;
  while (body.next(line)) {
    if (line.too_long) {
      producer.refuse(Reason::kLineTooLong);
      request->refuse(line.number, Reason::kLineTooLong, "");
      continue;
    }
    const DecodeResult result = decoder.decode(line.text, quote);
    const auto fault = result.ok ? std::nullopt : std::optional(result.reason);
    if (const auto reason = producer.submit(quote, fault, job.origin)) {
      request->refuse(line.number, *reason, reason == fault ? result.detail : "");
      // A disk that is nearly full takes some commits and others not. What is taken of a symbol is the beginning of
      // what the body has of it: the rest, sent again, is then behind it and not late.
      if (*reason == Reason::kStoreUnavailable) producer.refuse_all(true);
    } else {
      request->submitted(line.number, producer.last_shard());
    }
    note_lost();
  }
  producer.flush();
  note_lost();
  producer.set_verdict_sink(0);
  ticket->seal(request->under_way());
}

void IngestService::forget(const Request& request) {
  ledger_.close(request.ticket());
  const std::lock_guard lock(open_mutex_);
  std::erase_if(open_, [&request](const auto& each) { return each.get() == &request; });
}

void IngestService::answer_stalled(bool all) {
  std::vector<std::shared_ptr<Request>> stalled;
  {
    const std::lock_guard lock(open_mutex_);
    stalled = open_;
  }
  for (const auto& request : stalled) {
    if (all || request->is_sealed()) request->answer();
  }
}

}  // namespace tickpipe::internal
